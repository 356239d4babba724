import { Fifo, type Clock } from '../../runtime/index.js';
import type { TurnScheduler } from '../pipeline/index.js';
import type { ClientPipeline } from './client-token.js';
import type { ClientConnection } from './connection/client-connection.js';
import type { ShareGroup } from './connection/share-group.js';
import type { RequestRouter } from './request-router.js';

/** Requests of one connection that are processed before the next connection is served. */
const REQUESTS_PER_VISIT = 32;
/** Requests of all connections that are processed in one turn, */
const REQUESTS_PER_TURN = 4_000;
/** unless they take longer than this. Milliseconds. */
const REQUESTS_MS_PER_TURN = 5;
/** A request of more bytes takes so long that the time is looked at behind it. */
const LARGE_REQUEST_BYTES = 8 * 1024;
/** Bytes of the requests of one connection that are processed before the next connection is served. */
const BYTES_PER_VISIT = 65_536;

export interface AdmissionParts {
  readonly pipeline: ClientPipeline;
  readonly router: RequestRouter;
  readonly turns: TurnScheduler;
  readonly clock: Clock;
}

/**
 * Decides whose requests are processed in a turn, and how many. A turn takes a bounded time. Connections are served one after the
 * other, a few requests at a time: first those that have asked for little, then those that have many requests waiting, or large ones. Groups of
 * connections (`ShareGroup`: an identity, or an address) take turns, and in a group its connections in the order in which they got work. So who
 * floods the member, over however many connections, waits for itself, and others do not wait for it.
 *
 * While the pipeline is full a connection whose next request is a write gets no further; its pings are answered, and
 * other connections' reads are processed.
 *
 * This is the one place where requests pass from a connection to the member, and so the place of every share and budget per
 * connection or identity.
 */
export class Admission {
  readonly #parts: AdmissionParts;
  /** Groups with connections with work that have few requests waiting. */
  readonly #quiet = new Fifo<ShareGroup<ClientConnection>>();
  /** Groups with connections that have many. */
  readonly #busy = new Fifo<ShareGroup<ClientConnection>>();
  /** Their next request is a write, and they wait until the pipeline has room again. */
  #stalled: ClientConnection[] = [];
  /** They got work while requests are processed: it belongs to the next turn. */
  readonly #woken: ClientConnection[] = [];
  #isOpen = true;
  #isWorking = false;
  /** Requests that may still be processed in this turn, and until when. */
  #left = 0;
  #until = 0;

  constructor(parts: AdmissionParts) {
    this.#parts = parts;
  }

  get hasWork(): boolean {
    return this.#quiet.length > 0 || this.#busy.length > 0;
  }

  /** The connection has packets, or replies that wait: it gets its share of the next turn. */
  wake(connection: ClientConnection): void {
    if (connection.isAwake || !this.#isOpen) return;
    connection.isAwake = true;
    if (this.#isWorking) this.#woken.push(connection);
    else this.#enqueue(connection);
    this.#parts.turns.wake();
  }

  /** Processes requests for the time of a turn. */
  work(): void {
    this.#left = REQUESTS_PER_TURN;
    this.#until = this.#parts.clock.now() + REQUESTS_MS_PER_TURN;
    this.#isWorking = true;
    while (this.#quiet.length > 0 && this.#hasTime) this.#visit(this.#next('quiet')!);
    // At least one of these is served, however many others there are.
    do {
      const connection = this.#next('busy');
      if (connection === undefined) break;
      this.#visit(connection);
    } while (this.#hasTime);
    this.#isWorking = false;
    for (const connection of this.#woken.splice(0)) this.#enqueue(connection);
  }

  /** To be called at the end of a turn: if the pipeline has room again, those who wait for it get work. */
  unstall(): void {
    if (this.#stalled.length === 0 || this.#parts.pipeline.isFull) return;
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
    for (const group of this.#quiet.drain()) group.quiet.clear();
    for (const group of this.#busy.drain()) group.busy.clear();
    this.#stalled = [];
  }

  get #hasTime(): boolean {
    return this.#left > 0 && this.#parts.clock.now() < this.#until;
  }

  #enqueue(connection: ClientConnection): void {
    if (!this.#isOpen) return;
    const isBusy =
      connection.outstanding > REQUESTS_PER_VISIT ||
      connection.heldBytes > BYTES_PER_VISIT ||
      connection.isInLongRead;
    this.#push(isBusy ? 'busy' : 'quiet', connection);
  }

  #push(kind: 'quiet' | 'busy', connection: ClientConnection): void {
    const { group } = connection;
    group[kind].push(connection);
    if (group[kind].length === 1) this.#groups(kind).push(group);
  }

  /** Of the group whose turn it is. */
  #next(kind: 'quiet' | 'busy'): ClientConnection | undefined {
    const group = this.#groups(kind).shift();
    const connection = group?.[kind].shift();
    if (group !== undefined && group[kind].length > 0) this.#groups(kind).push(group);
    return connection;
  }

  #groups(kind: 'quiet' | 'busy'): Fifo<ShareGroup<ClientConnection>> {
    return kind === 'quiet' ? this.#quiet : this.#busy;
  }

  #visit(connection: ClientConnection): void {
    const { pipeline, router } = this.#parts;
    connection.isAwake = false;
    connection.advance();
    for (let count = 0, bytes = 0; count < REQUESTS_PER_VISIT; count++) {
      // In this order: a read does not ask whether the pipeline is full.
      if (connection.isWriteNext && pipeline.isFull) {
        this.#stall(connection);
        break;
      }
      const packet = connection.takePacket();
      if (packet === null) break;
      const isLarge = packet.body.remaining > LARGE_REQUEST_BYTES;
      bytes += packet.body.remaining;
      router.route(connection, packet);
      this.#left -= 1;
      if (count === REQUESTS_PER_VISIT - 1 || bytes >= BYTES_PER_VISIT || (isLarge && !this.#hasTime)) {
        this.#queue(connection);
        break;
      }
    }
    connection.settle();
  }

  /** It has had its share, and may have more to do. */
  #queue(connection: ClientConnection): void {
    if (connection.isAwake || !this.#isOpen || !connection.hasPackets) return;
    connection.isAwake = true;
    this.#push('busy', connection);
  }

  #stall(connection: ClientConnection): void {
    connection.answerPings();
    if (connection.isAwake) return;
    connection.isAwake = true;
    this.#stalled.push(connection);
  }
}
