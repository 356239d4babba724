import type { ConnectRequest } from '../../protocol/index.js';
import type { Pipeline, RefusalReason } from '../pipeline/index.js';
import type { ClientConnection } from './connection/client-connection.js';
import type { ReplySlot } from './connection/reply-slot.js';

/** A connect request that is not answered yet. */
export class SessionRequest {
  readonly connection: ClientConnection;
  readonly request: ConnectRequest;
  /** When it arrived, by the clock of the member. */
  readonly since: number;

  constructor(connection: ClientConnection, request: ConnectRequest, since: number) {
    this.connection = connection;
    this.request = request;
    this.since = since;
  }
}

/** The request that an outcome of the pipeline belongs to. */
export type ClientToken = ReplySlot | SessionRequest;

/** The pipeline, as the clients of a member use it. */
export type ClientPipeline = Pipeline<ClientToken>;

/** Why a connection is closed whose request the pipeline refuses. The client is not told: it finds out whether its write took effect. */
export const REFUSALS: Readonly<Record<RefusalReason, string>> = {
  // ZooKeeper's SESSIONMOVED: the client has another connection by now.
  moved: 'Connection closed: its session moved away',
  fault: 'Connection closed: a request of it could not be prepared',
  readOnly: 'Connection closed: this member serves reads only',
  notServing: 'Connection closed: this member does not serve now',
};
