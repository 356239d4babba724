import { OpCode } from '../protocol/index.js';
import { encodeAuth } from './arguments.js';
import { AuthFailedError, ConnectionLossError, SessionClosedRequireSaslAuthError } from './errors.js';
import { PendingRequest } from './pending-request.js';
import type { ServerLink } from './server-link.js';

/** An identity that a client claims on every connection. */
export interface AuthInfo {
  /** Such as `digest`. */
  readonly scheme: string;
  /** What proves it; for `digest` `user:password`. A string is sent as UTF-8. */
  readonly auth: Uint8Array | string;
}

class Identity {
  readonly scheme: string;
  readonly auth: Uint8Array;
  /** Part of what the client promises to be: given at the start, or accepted once. */
  isEstablished: boolean;
  /** The present connection has been asked and has not answered. */
  isAsked = false;
  readonly waiting: { resolve(): void; reject(error: unknown): void }[] = [];

  constructor(info: AuthInfo, isEstablished: boolean) {
    this.scheme = info.scheme;
    this.auth = encodeAuth(info);
    this.isEstablished = isEstablished;
  }

  equals(other: Identity): boolean {
    if (this.scheme !== other.scheme || this.auth.length !== other.auth.length) return false;
    return this.auth.every((byte, index) => byte === other.auth[index]);
  }
}

/**
 * The identities of a client. Servers know them per connection, so each new one is told all of them before anything
 * else. An identity that is refused when it is added is forgotten; one that the client already stood for ends the
 * client: it must not go on with fewer rights than it was given.
 */
export class AuthList {
  readonly #identities: Identity[];
  readonly #lostIdentity: (error: Error) => void;

  constructor(initial: readonly AuthInfo[], lostIdentity: (error: Error) => void) {
    this.#identities = initial.map((info) => new Identity(info, true));
    this.#lostIdentity = lostIdentity;
  }

  /** The server serves nobody without an identity: a client that has none is refused for ever; others are about to prove theirs. */
  anonymousRefused(): void {
    if (this.#identities.length > 0) return;
    this.#lostIdentity(new SessionClosedRequireSaslAuthError({ operation: 'connect' }));
  }

  /** Tells a new connection who this client is. */
  introduce(link: ServerLink): void {
    for (const identity of this.#identities) this.#send(identity, link);
  }

  /** Resolves when a server has accepted it; rejects with `AuthFailedError`, or with `BadArgumentsError` before anything is sent. */
  async add(info: AuthInfo, link: ServerLink | null): Promise<void> {
    const added = new Identity(info, false);
    const known = this.#identities.find((identity) => identity.equals(added));
    if (known === undefined) this.#identities.push(added);
    const identity = known ?? added;
    return new Promise((resolve, reject) => {
      identity.waiting.push({ resolve, reject });
      if (link !== null && !identity.isAsked) this.#send(identity, link);
    });
  }

  /** Nobody will be asked any more. */
  close(error: Error): void {
    for (const identity of this.#identities) {
      for (const waiter of identity.waiting.splice(0)) waiter.reject(error);
    }
  }

  #send(identity: Identity, link: ServerLink): void {
    const { scheme, auth } = identity;
    const request = new PendingRequest(
      {
        op: OpCode.auth,
        body: { type: 0, scheme, auth },
        rule: 'drop',
        operation: `addAuth ${scheme}`,
        result: () => this.#accepted(identity),
      },
      { weight: 0 },
    );
    identity.isAsked = true;
    link.authenticate(request as unknown as PendingRequest);
    request.promise.catch((error: unknown) => this.#refused(identity, error));
  }

  #accepted(identity: Identity): void {
    identity.isEstablished = true;
    identity.isAsked = false;
    for (const waiter of identity.waiting.splice(0)) waiter.resolve();
  }

  #refused(identity: Identity, error: unknown): void {
    identity.isAsked = false;
    // A connection that broke has not answered; the next one is asked again.
    if (error instanceof ConnectionLossError) return;
    const failure =
      error instanceof AuthFailedError
        ? error
        : new AuthFailedError({ operation: `addAuth ${identity.scheme}`, cause: error });
    if (identity.isEstablished) {
      this.#lostIdentity(failure);
      return;
    }
    const position = this.#identities.indexOf(identity);
    if (position !== -1) this.#identities.splice(position, 1);
    for (const waiter of identity.waiting.splice(0)) waiter.reject(failure);
  }
}
