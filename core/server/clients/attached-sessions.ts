import type { ClientConnection } from './connection/client-connection.js';

/** The sessions that have a connection at this member. A session has one connection at most. */
export class AttachedSessions {
  readonly #connections = new Map<bigint, ClientConnection>();

  get size(): number {
    return this.#connections.size;
  }

  connectionOf(sessionId: bigint): ClientConnection | undefined {
    return this.#connections.get(sessionId);
  }

  attach(sessionId: bigint, connection: ClientConnection): void {
    this.#connections.set(sessionId, connection);
  }

  /** The session lives on without a connection; nothing happens if it has another one by now. */
  detach(sessionId: bigint, connection: ClientConnection): void {
    if (this.#connections.get(sessionId) === connection) this.#connections.delete(sessionId);
  }
}
