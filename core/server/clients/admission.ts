import type { TurnScheduler } from '../pipeline/index.js';
import type { ClientPipeline } from './client-token.js';
import type { ClientConnection } from './connection/client-connection.js';
import type { RequestRouter } from './request-router.js';

/** Requests that one connection gets through in one turn, so that it cannot keep the others waiting. */
const REQUESTS_PER_TURN = 1_000;

/**
 * Decides whose requests are processed in a turn, and how many: each connection with work gets its share, in the order in which they
 * got work. While the pipeline is full no connection gets further; its pings are answered all the same.
 *
 * This is the one place where requests pass from a connection to the member, and so the place of every share and budget per
 * connection or identity.
 */
export class Admission {
  readonly #pipeline: ClientPipeline;
  readonly #router: RequestRouter;
  readonly #turns: TurnScheduler;
  #awake: ClientConnection[] = [];
  /** They wait until the pipeline has room again. */
  #stalled: ClientConnection[] = [];
  #isOpen = true;

  constructor(pipeline: ClientPipeline, router: RequestRouter, turns: TurnScheduler) {
    this.#pipeline = pipeline;
    this.#router = router;
    this.#turns = turns;
  }

  get hasWork(): boolean {
    return this.#awake.length > 0;
  }

  /** The connection has packets, or replies that wait: it gets its share of the next turn. */
  wake(connection: ClientConnection): void {
    if (connection.isAwake || !this.#isOpen) return;
    connection.isAwake = true;
    this.#awake.push(connection);
    this.#turns.wake();
  }

  /** Gives every connection with work its share of a turn. */
  work(): void {
    const connections = this.#awake;
    this.#awake = [];
    for (const connection of connections) {
      connection.isAwake = false;
      this.#workOff(connection);
    }
  }

  /** To be called at the end of a turn: if the pipeline has room again, those who wait for it get work. */
  unstall(): void {
    if (this.#stalled.length === 0 || this.#pipeline.isFull) return;
    const connections = this.#stalled;
    this.#stalled = [];
    for (const connection of connections) {
      connection.isAwake = false;
      this.wake(connection);
    }
  }

  /** Admits no request any more. */
  stop(): void {
    this.#isOpen = false;
    this.#awake = [];
    this.#stalled = [];
  }

  #workOff(connection: ClientConnection): void {
    connection.advance();
    for (let count = 0; count < REQUESTS_PER_TURN; count++) {
      if (this.#pipeline.isFull && connection.hasPackets) {
        this.#stall(connection);
        break;
      }
      const packet = connection.takePacket();
      if (packet === null) break;
      this.#router.route(connection, packet);
      if (count === REQUESTS_PER_TURN - 1 && connection.hasPackets) this.wake(connection);
    }
    connection.settle();
  }

  #stall(connection: ClientConnection): void {
    connection.answerPings();
    connection.isAwake = true;
    this.#stalled.push(connection);
  }
}
