import type { Id } from '../../../protocol/index.js';

/** What a connection has of its session, and the identities that its client has proved. */
export class ClientSession {
  /** 0 until the session is established. */
  id = 0n;
  /** 0 until the session is established. */
  timeoutMs = 0;
  /** Replaced as a whole when one is added, because requests under way keep those that they were made with. */
  identities: readonly Id[];
  /** `readOnly` of the answer to the connect request: null if the request had none. */
  answersReadOnly: boolean | null = null;
  /** The answer to the connect request says how large a packet may be. */
  asksForLimit = false;

  /** Only authentication is answered, until an identity is accepted. */
  mustAuthenticate = false;
  /** The session was created for this connection, and not resumed by it. */
  isNew = false;

  constructor(identities: readonly Id[]) {
    this.identities = identities;
  }
}
