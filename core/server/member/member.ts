import type { DigestPoint, RecountResult, Snapshot } from '../../data/index.js';
import type { Id } from '../../protocol/index.js';
import { QuorateError, silentLogger, type Clock, type Logger, type Random } from '../../runtime/index.js';
import type { SnapshotReadBackError, Storage } from '../../storage/index.js';
import { CloseCode, type Connection } from '../../transport/index.js';
import type { PeerLimits, PeerStatus } from '../../zab/index.js';
import {
  type Accounts,
  checkEnsemble,
  type EnsembleParts,
  resolveServerOptions,
  ringOf,
  type SecretRing,
  type ServerOptions,
} from '../configuration/index.js';
import type { MemberProbe } from '../metrics/index.js';
import type { CertificateCheck } from '../peers/index.js';
import { recover, type Recovered, StateDamagedError, StateDivergedError } from '../state/index.js';
import { assemble, type AssembledMember } from './assembly.js';
import { settleFirstStart } from './first-start.js';
import type { Inspection } from './inspection.js';
import type { MemberHealth } from './member-health.js';

/** How long `close` waits for what is in flight, or for another member to take over. */
const DRAIN_MS = 5_000;

export interface MemberParts {
  readonly storage: Storage;
  readonly clock: Clock;
  readonly random: Random;
  /**
   * 32 bytes that only the members of this ensemble know; must be the same on all of them and after a restart. Or several of them, and
   * one that only this member has where the members know each other by certificates.
   */
  readonly secret: Uint8Array | SecretRing;
  /** Users that may prove who they are. Default: no list of them, and SASL is off. */
  readonly accounts?: Accounts | undefined;
  readonly options?: Partial<ServerOptions>;
  readonly logger?: Logger;
  /** All members, this one among them, and how this one reaches the others. Without it the member stands alone. */
  readonly ensemble?: EnsembleParts;
  /** Has no effect on an ensemble of several members, but for a warning: an empty storage may be that of a lost disk. */
  readonly initialize?: boolean | undefined;
  /** Other bounds among the members than the usual ones; for simulations that cannot wait until those are reached. */
  readonly limits?: Partial<PeerLimits> | undefined;
  /** Looks on; for simulations. */
  readonly probe?: MemberProbe | undefined;
}

/**
 * One member of an ensemble.
 * - starting: reads what it had made durable, and finds its place among the others;
 * - serving: takes clients, unless it is without a leader at the moment;
 * - stopping: takes nothing new, answers what it owes, lets another one lead;
 * - closed: final, in order;
 * - failed: final, by an error that it must not survive, such as a failed sync. Its clients are cut off; nothing that was not
 *   durable has been acknowledged.
 */
export class Member {
  readonly options: ServerOptions;
  readonly #storage: Storage;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #assembled: AssembledMember;
  readonly #failureListeners = new Set<(error: Error) => void>();
  readonly #statusListeners = new Set<(status: PeerStatus) => void>();
  #state: 'starting' | 'serving' | 'stopping' | 'closed' | 'failed' = 'starting';
  #failure: Error | null = null;
  #closing: Promise<void> | null = null;
  /** The state has been found to differ from a quorum's, and was given up for a snapshot. */
  #hasDiverged = false;

  private constructor(parts: MemberParts, options: ServerOptions, recovered: Recovered) {
    this.options = options;
    this.#storage = parts.storage;
    this.#clock = parts.clock;
    this.#logger = (parts.logger ?? silentLogger).child({ member: options.id });
    this.#assembled = assemble({
      ...parts,
      secret: ringOf(parts.secret),
      logger: this.#logger,
      options,
      recovered,
      failed: (error) => this.#fail(error),
      statusChanged: (status) => this.#statusChanged(status),
      stateDiffers: (own, expected) => this.#stateDiffers(own, expected),
      stateDamaged: (result) => this.#stateDamaged(result),
      snapshotNotReadBack: (error, isRepeated) => this.#snapshotNotReadBack(error, isRepeated),
    });
  }

  /**
   * Recovers, and resolves when the member takes part; a member that stands alone serves clients by then, of others
   * `serving` tells. Rejects with `ConfigurationError`, or with what the storage found wrong; the storage is closed then.
   */
  static async start(parts: MemberParts): Promise<Member> {
    try {
      const options = resolveServerOptions(parts.options);
      if (parts.ensemble !== undefined) checkEnsemble(parts.ensemble.members, options.id);
      const recovered = await recover(parts.storage);
      const history = await settleFirstStart(recovered, {
        id: options.id,
        storage: parts.storage,
        members: parts.ensemble?.members ?? [],
        initialize: parts.initialize ?? false,
        logger: (parts.logger ?? silentLogger).child({ member: options.id }),
      });
      const member = new Member(parts, options, { ...recovered, history });
      parts.probe?.started?.(recovered.machine);
      member.#assembled.loop.start();
      member.#assembled.links?.start(member.#assembled.loop);
      if (parts.ensemble === undefined) await member.serving();
      return member;
    } catch (error) {
      await parts.storage.close().catch(() => undefined);
      throw error;
    }
  }

  /** Takes a client's connection, however it was carried here. `identities`: who the client has proved to be already. */
  accept(connection: Connection, identities: readonly Id[] = []): void {
    this.#assembled.clients.accept(connection, identities);
  }

  /** Takes another member's connection. `check`: of its certificate, where the members know each other by certificates. */
  acceptPeer(connection: Connection, check: CertificateCheck | null = null): void {
    if (this.#assembled.links !== null) return this.#assembled.links.accept(connection, check);
    connection.handle({ message: () => undefined, closed: () => undefined });
    connection.close({ code: CloseCode.policyViolation, text: 'this member stands alone' });
  }

  /** Resolves when clients are welcome here for the first time; rejects if the member fails before. */
  serving(): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#assembled.pipeline.isServing) return resolve();
      this.onFailure(reject);
      this.#onStatus((status) => status.isServing, resolve);
    });
  }

  /** Calls `listener` once if this member fails; at once if it has failed already. */
  onFailure(listener: (error: Error) => void): void {
    if (this.#failure !== null) listener(this.#failure);
    else this.#failureListeners.add(listener);
  }

  /** A look into this member, for whoever watches over it. */
  get inspection(): Inspection {
    return this.#assembled.inspection;
  }

  /** The state as it is applied here now, to be read while transactions go on; close it if it is not read to its end. */
  snapshot(): Snapshot {
    return this.#assembled.state.machine.snapshot();
  }

  health(): MemberHealth {
    const status = this.#assembled.peer.status();
    const { state, phase, epoch, leader } = status;
    const { pipeline } = this.#assembled;
    const isServing = this.#state === 'serving' && pipeline.isServing;
    return {
      id: this.options.id,
      ensemble: this.#assembled.state.identity?.id ?? null,
      foreign: Array.from(this.#assembled.links?.foreign ?? [], ([member, ensemble]) => ({
        member,
        ensemble,
      })),
      state: this.#state === 'serving' || this.#state === 'starting' ? state : this.#state,
      phase,
      isServing,
      isConfirmed: this.#isConfirmed,
      unstoppable: this.#unstoppable(isServing, status.isRejoining),
      readOnly: (this.#state === 'serving' || this.#state === 'starting') && pipeline.isReadOnly,
      rejoining: status.isRejoining,
      waitsFor: status.obstacle,
      founding: status.isServing ? null : status.founding,
      leader,
      epoch,
      zxid: hex(this.#assembled.state.machine.lastZxid),
      committed: hex(status.committed),
      lastLogged: hex(status.lastDurable),
      digest: hex(this.#assembled.state.machine.digest),
      stateDifference: this.#stateDifference(),
      differing: Array.from(this.#assembled.links?.reports.differences ?? [], ([member, differences]) => ({
        member,
        differences,
      })),
      linkProblems: Array.from(this.#assembled.links?.reports.problems ?? [], ([member, problem]) => ({
        member,
        problem,
      })),
      voters: this.#assembled.voters,
      peers: this.#assembled.links?.connected ?? [],
      learners: this.#assembled.peer.learners().map((learner) => ({ ...learner, acked: hex(learner.acked) })),
      connections: this.#assembled.clients.connections.size,
      sessions: this.#assembled.state.machine.sessions.size,
      dataBytes: this.#assembled.state.machine.treeBytes,
      maxDataBytes: this.#assembled.inspection.maxDataBytes,
      isRefusingGrowth: pipeline.leadership?.dataLimit.isRefusing ?? false,
    };
  }

  /** After a pause of this process another member may lead. */
  get #isConfirmed(): boolean {
    const { loop, pipeline } = this.#assembled;
    return !loop.hasPaused && pipeline.isConfirmed;
  }

  #unstoppable(isServing: boolean, isRejoining: boolean): string | null {
    const { pipeline, voters } = this.#assembled;
    if (voters.length === 1 && voters[0] === this.options.id) return 'it is the only member with a vote';
    if (!isServing || !this.#isConfirmed) return 'it is unknown here whether the others are a quorum';
    const isCounted = voters.includes(this.options.id) && !isRejoining;
    const others = pipeline.countedVoters - (isCounted ? 1 : 0);
    const quorum = Math.floor(voters.length / 2) + 1;
    if (others >= quorum) return null;
    return `without it ${others} of ${voters.length} voters would count and be up to date, and a quorum is ${quorum}`;
  }

  #stateDifference(): MemberHealth['stateDifference'] {
    const difference = this.#assembled.pipeline.stateDifference;
    return difference === null ? null : { zxid: hex(difference.zxid), members: difference.members };
  }

  /**
   * Stops in order: nothing new is taken, what is in flight is answered, a leader lets another member lead, connections
   * end, storage is synced and closed. Idempotent.
   */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #statusChanged(status: PeerStatus): void {
    if (this.#state === 'starting' && status.isServing) this.#state = 'serving';
    for (const listener of this.#statusListeners) listener(status);
  }

  /** Calls `then` once, when a status comes for which `holds`. */
  #onStatus(holds: (status: PeerStatus) => boolean, then: () => void): void {
    const listener = (status: PeerStatus): void => {
      if (!holds(status)) return;
      this.#statusListeners.delete(listener);
      then();
    };
    this.#statusListeners.add(listener);
  }

  async #close(): Promise<void> {
    if (this.#state !== 'failed') {
      this.#state = 'stopping';
      this.#assembled.clients.stopTaking();
      await this.#drained();
      this.#assembled.loop.stop();
      this.#assembled.clients.dismissAll('the member is stopping');
      this.#assembled.clients.flush();
    }
    this.#stopExchange();
    await this.#assembled.snapshotter.idle();
    await this.#storage.close();
    if (this.#failure === null) this.#state = 'closed';
  }

  /** Waits until everything under way has been applied and answered and, if possible, another member leads; but not for ever. */
  async #drained(): Promise<void> {
    const clock = this.#clock;
    const deadline = clock.now() + Math.max(DRAIN_MS, 3 * this.options.syncLimit * this.options.tickMs);
    const { loop, peer, pipeline } = this.#assembled;
    let isHandingOver = false;
    const isDone = (): boolean => {
      const { isEstablishedLeader } = peer.status();
      if (isHandingOver && !isEstablishedLeader) return true;
      // Asked again and again: a hand-over for which nobody is ready within `syncLimit` is given up.
      if (isEstablishedLeader && loop.transferLeadership()) isHandingOver = true;
      const successor = peer.learners().find(({ isVoter, isUpToDate }) => isVoter && isUpToDate);
      if (isHandingOver && successor !== undefined) return false;
      return pipeline.length === 0;
    };
    while (!isDone() && this.#failure === null && clock.now() < deadline) {
      await new Promise<void>((resolve) => clock.setTimer(1, resolve, { hold: true }));
    }
  }

  #stopExchange(): void {
    this.#assembled.links?.stop();
    this.#assembled.snapshotsOut.close();
    this.#assembled.snapshotsIn.abort();
  }

  /**
   * The state of this member, in memory or on disk, is not what the ensemble agreed on. The first time a snapshot of the leader
   * replaces it; if that differs again, memory or disk of this machine cannot be trusted, and the member stops.
   */
  #stateDiffers(own: DigestPoint, expected: DigestPoint): void {
    if (this.#hasDiverged) return this.#fail(new StateDivergedError(this.options.id, own, expected));
    this.#hasDiverged = true;
    this.#logger.error("State differs from a quorum's; a snapshot of the leader replaces it", {
      zxid: hex(own.zxid),
      digest: hex(own.digest),
      expected: hex(expected.digest),
    });
    this.#assembled.snapshotter.suspend();
    this.#assembled.loop.stateDiverged();
  }

  /**
   * The state in memory has changed without a write. Log and snapshots on disk are right, for they were verified when they were
   * written: the member stops in order, which hands over a leadership, and can be started again on them with its vote.
   */
  #stateDamaged(result: RecountResult): void {
    const { zxid, kept, counted, path } = result;
    if (this.#state !== 'serving') return;
    this.#logger.error('State in memory is damaged: the member stops in order', {
      zxid: hex(zxid),
      digest: hex(counted),
      expected: hex(kept),
      path,
    });
    const reason = new StateDamagedError(this.options.id, result);
    const end = (): void => {
      if (this.#failure !== null) return;
      this.#state = 'failed';
      this.#failure = reason;
      this.#reportFailure(reason);
    };
    void this.close().then(end, end);
  }

  /**
   * What this member writes to its disk cannot be read again as it is in memory. A leader hands over, and a recount tells whether
   * the state in memory is right. If a second snapshot in a row does not read back, the member stops: its log may be no better.
   */
  #snapshotNotReadBack(error: SnapshotReadBackError, isRepeated: boolean): void {
    if (isRepeated) return this.#fail(error);
    this.#assembled.recounter.begin();
    this.#assembled.loop.transferLeadership();
  }

  #fail(error: unknown): void {
    if (this.#state === 'failed' || this.#state === 'closed') return;
    this.#state = 'failed';
    const failure =
      error instanceof Error
        ? error
        : new QuorateError('MEMBER_FAILED', `The member failed: ${String(error)}`);
    this.#failure = failure;
    this.#logger.error('Member failed: it stops, so that it cannot acknowledge what it may have lost', {
      error,
    });
    this.#assembled.loop.stop();
    this.#assembled.clients.stopTaking();
    this.#assembled.clients.cutAll();
    this.#stopExchange();
    this.#reportFailure(failure);
  }

  #reportFailure(error: Error): void {
    for (const listener of this.#failureListeners) listener(error);
    this.#failureListeners.clear();
  }
}

function hex(value: bigint): string {
  return `0x${value.toString(16)}`;
}
