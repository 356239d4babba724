import { QuorateError, silentLogger, type Clock, type Logger, type Random } from '../runtime/index.js';
import type { Storage } from '../storage/index.js';
import { CloseCode, type Connection } from '../transport/index.js';
import { assemble, type MemberRooms } from './assembly.js';
import type { MemberHealth } from './health.js';
import { recover, type Recovered } from './recover.js';
import { resolveServerOptions, type ServerOptions } from './server-options.js';

/** How long `close` waits for what is in flight. */
const DRAIN_MS = 5_000;

export interface MemberParts {
  readonly storage: Storage;
  readonly clock: Clock;
  readonly random: Random;
  /** 32 bytes that only the members of this ensemble know; must be the same after a restart. */
  readonly secret: Uint8Array;
  readonly options?: Partial<ServerOptions>;
  readonly logger?: Logger;
}

/**
 * One member of an ensemble.
 * - starting: reads what it had made durable, and finds its place among the others;
 * - serving: takes clients;
 * - stopping: takes nothing new, answers what it owes;
 * - closed: final, in order;
 * - failed: final, by an error that it must not survive, such as a failed sync. Its clients are cut off; nothing that was not
 *   durable has been acknowledged.
 */
export class Member {
  readonly options: ServerOptions;
  readonly #storage: Storage;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #rooms: MemberRooms;
  readonly #failureListeners = new Set<(error: Error) => void>();
  readonly #servingListeners = new Set<() => void>();
  #state: 'starting' | 'serving' | 'stopping' | 'closed' | 'failed' = 'starting';
  #failure: Error | null = null;
  #closing: Promise<void> | null = null;

  private constructor(parts: MemberParts, options: ServerOptions, recovered: Recovered) {
    this.options = options;
    this.#storage = parts.storage;
    this.#clock = parts.clock;
    this.#logger = (parts.logger ?? silentLogger).child({ member: options.id });
    this.#rooms = assemble({
      ...parts,
      logger: this.#logger,
      options,
      recovered,
      failed: (error) => this.#fail(error),
      servingChanged: (isServing) => this.#servingChanged(isServing),
    });
  }

  /**
   * Recovers, and resolves when clients are welcome. Rejects with `ConfigurationError`, or with what the
   * storage found wrong; the storage is closed then.
   */
  static async start(parts: MemberParts): Promise<Member> {
    const options = resolveServerOptions(parts.options);
    try {
      const recovered = await recover(parts.storage);
      const member = new Member(parts, options, recovered);
      await member.#serve();
      return member;
    } catch (error) {
      await parts.storage.close().catch(() => undefined);
      throw error;
    }
  }

  /** Takes a client's connection, however it was carried here. */
  accept(connection: Connection): void {
    this.#rooms.clients.accept(connection);
  }

  /** Calls `listener` once if this member fails; at once if it has failed already. */
  onFailure(listener: (error: Error) => void): void {
    if (this.#failure !== null) listener(this.#failure);
    else this.#failureListeners.add(listener);
  }

  health(): MemberHealth {
    const status = this.#rooms.peer.status();
    const isServing = this.#state === 'serving' && this.#rooms.pipeline.isOpen;
    return {
      id: this.options.id,
      state: this.#state === 'serving' ? status.state : this.#state,
      isServing,
      zxid: `0x${this.#rooms.machine.lastZxid.toString(16)}`,
      epoch: status.epoch,
      connections: this.#rooms.clients.connectionCount,
      sessions: this.#rooms.machine.sessions.size,
    };
  }

  /** Stops in order: nothing new is taken, what is in flight is answered, connections end, storage is synced and closed. Idempotent. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #serve(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#servingListeners.add(resolve);
      this.#failureListeners.add(reject);
      this.#rooms.loop.start();
    });
  }

  #servingChanged(isServing: boolean): void {
    if (this.#state === 'starting' && isServing) this.#state = 'serving';
    if (!isServing) return;
    for (const listener of this.#servingListeners) listener();
    this.#servingListeners.clear();
  }

  async #close(): Promise<void> {
    if (this.#state !== 'failed') {
      this.#state = 'stopping';
      this.#rooms.clients.stopTaking();
      await this.#drained();
      this.#rooms.loop.stop();
      this.#rooms.clients.endAll({ code: CloseCode.goingAway, text: 'the member is stopping' });
    }
    await this.#rooms.snapshotter.idle();
    await this.#storage.close();
    if (this.#failure === null) this.#state = 'closed';
  }

  /** Waits until every proposal has been applied and answered, but not for ever. */
  async #drained(): Promise<void> {
    const clock = this.#clock;
    const deadline = clock.now() + DRAIN_MS;
    while (this.#rooms.pipeline.length > 0 && this.#failure === null && clock.now() < deadline) {
      await new Promise<void>((resolve) => clock.setTimer(1, resolve, { hold: true }));
    }
  }

  #fail(error: unknown): void {
    if (this.#state === 'failed' || this.#state === 'closed') return;
    this.#state = 'failed';
    this.#failure =
      error instanceof Error
        ? error
        : new QuorateError('MEMBER_FAILED', `The member failed: ${String(error)}`);
    this.#logger.error('Member failed: it stops, so that it cannot acknowledge what it may have lost', {
      error,
    });
    this.#rooms.loop.stop();
    this.#rooms.clients.stopTaking();
    this.#rooms.clients.cutAll();
    for (const listener of this.#failureListeners) listener(this.#failure);
    this.#failureListeners.clear();
  }
}
