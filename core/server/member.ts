import { QuorateError, silentLogger, type Clock, type Logger, type Random } from '../runtime/index.js';
import type { Storage } from '../storage/index.js';
import { CloseCode, type Connection } from '../transport/index.js';
import { Peer, type PeerConfig } from '../zab/index.js';
import { Authentication } from './authentication.js';
import { ClientService } from './client-service.js';
import { CommittedEntries } from './committed-entries.js';
import { EpochHistory } from './epoch-history.js';
import { Handshake } from './handshake.js';
import type { MemberHealth } from './health.js';
import { LocalRequests } from './local-requests.js';
import { MemberLoop } from './member-loop.js';
import { Reaper } from './reaper.js';
import { recover, type Recovered } from './recover.js';
import { RequestRouter } from './request-router.js';
import { resolveServerOptions, type ServerOptions } from './server-options.js';
import { SessionService } from './session-service.js';
import { Snapshotter } from './snapshotter.js';
import { WatchService } from './watch-service.js';
import { WritePipeline } from './write-pipeline.js';

/** How long `close` waits for what is in flight. */
const DRAIN_MS = 5_000;
const MIB = 1024 * 1024;

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
  readonly #parts: MemberParts;
  readonly #logger: Logger;
  readonly #peer: Peer;
  readonly #machine: Recovered['machine'];
  readonly #pipeline: WritePipeline;
  readonly #clients: ClientService;
  readonly #snapshotter: Snapshotter;
  readonly #loop: MemberLoop;
  readonly #failureListeners = new Set<(error: Error) => void>();
  readonly #servingListeners = new Set<() => void>();
  #state: 'starting' | 'serving' | 'stopping' | 'closed' | 'failed' = 'starting';
  #failure: Error | null = null;
  #closing: Promise<void> | null = null;

  private constructor(parts: MemberParts, options: ServerOptions, recovered: Recovered) {
    this.#parts = parts;
    this.options = options;
    this.#logger = (parts.logger ?? silentLogger).child({ member: options.id });
    this.#machine = recovered.machine;
    this.#peer = new Peer(peerConfig(options, parts.random), recovered.history);
    const { storage, clock, random, secret } = parts;
    const machine = this.#machine;
    const logger = this.#logger;
    const peer = this.#peer;
    const wake = (): void => this.#loop.wake();
    const failed = (error: unknown): void => this.#fail(error);
    const epochs = new EpochHistory(recovered.epochs);
    const sessions = new SessionService({ memberId: options.id, tickMs: options.tickMs, secret });
    const watches = new WatchService();
    const pipeline = new WritePipeline({ peer, clock, logger, options, wake });
    this.#pipeline = pipeline;
    this.#snapshotter = new Snapshotter({
      storage,
      clock,
      random,
      logger,
      snapshotTxns: options.snapshotTxns,
      snapshotBytes: options.snapshotBytes,
      taken: (zxid) => peer.snapshotTaken(zxid),
      failed,
    });
    this.#clients = new ClientService({
      options,
      clock,
      logger,
      machine: () => machine,
      sessions,
      pipeline,
      watches,
      handshake: new Handshake({ options, clock, sessions, pipeline, machine: () => machine }),
      local: new LocalRequests(() => machine, watches),
      router: new RequestRouter({
        authentication: new Authentication(options.superDigest),
        sessions,
        pipeline,
        sync: (connection, slot, path) => this.#loop.sync(connection, slot, path),
        lastZxid: () => machine.lastZxid,
      }),
      wake,
    });
    const clients = this.#clients;
    const snapshotter = this.#snapshotter;
    const committed = new CommittedEntries({ machine, epochs, pipeline, watches, clients, snapshotter });
    const reaper = new Reaper(options, pipeline);
    const servingChanged = (isServing: boolean): void => this.#servingChanged(isServing);
    this.#loop = new MemberLoop({
      options,
      clock,
      logger,
      storage,
      peer,
      machine,
      epochs,
      sessions,
      pipeline,
      clients,
      committed,
      snapshotter,
      reaper,
      failed,
      servingChanged,
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
    this.#clients.accept(connection);
  }

  /** Calls `listener` once if this member fails; at once if it has failed already. */
  onFailure(listener: (error: Error) => void): void {
    if (this.#failure !== null) listener(this.#failure);
    else this.#failureListeners.add(listener);
  }

  health(): MemberHealth {
    const status = this.#peer.status();
    const isServing = this.#state === 'serving' && this.#pipeline.isOpen;
    return {
      id: this.options.id,
      state: this.#state === 'serving' ? status.state : this.#state,
      isServing,
      zxid: `0x${this.#machine.lastZxid.toString(16)}`,
      epoch: status.epoch,
      connections: this.#clients.connectionCount,
      sessions: this.#machine.sessions.size,
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
      this.#loop.start();
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
      this.#clients.stopTaking();
      await this.#drained();
      this.#loop.stop();
      this.#clients.endAll({ code: CloseCode.goingAway, text: 'the member is stopping' });
    }
    await this.#snapshotter.idle();
    await this.#parts.storage.close();
    if (this.#failure === null) this.#state = 'closed';
  }

  /** Waits until every proposal has been applied and answered, but not for ever. */
  async #drained(): Promise<void> {
    const { clock } = this.#parts;
    const deadline = clock.now() + DRAIN_MS;
    while (this.#pipeline.length > 0 && this.#failure === null && clock.now() < deadline) {
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
    this.#loop.stop();
    this.#clients.stopTaking();
    this.#clients.cutAll();
    for (const listener of this.#failureListeners) listener(this.#failure);
    this.#failureListeners.clear();
  }
}

function peerConfig(options: ServerOptions, random: Random): PeerConfig {
  const { id, tickMs, maxProposalsInFlight, maxConnections, maxReapedPerCheck, maxPacketBytes } = options;
  return {
    id,
    voters: [id],
    tickMs,
    seed: Math.floor(random.next() * 0x100000000),
    // Above what the pipeline lets in by its own bounds, so that the peer never has to refuse.
    limits: {
      uncommittedEntries: 2 * maxProposalsInFlight + maxConnections + maxReapedPerCheck,
      uncommittedBytes: 128 * MIB + 4 * maxPacketBytes,
    },
  };
}
