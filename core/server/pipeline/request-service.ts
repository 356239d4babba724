import type { DigestPoint, StateMachine } from '../../data/index.js';
import type { Clock, Logger, Random } from '../../runtime/index.js';
import type { Peer, PeerStatus } from '../../zab/index.js';
import { DigestExchange } from '../state/digests/digest-exchange.js';
import { decodeHeartbeat, encodeHeartbeat } from '../state/digests/heartbeat.js';
import type { MemberProbe } from '../metrics/member-probe.js';
import type { ServerOptions } from '../configuration/server-options.js';
import type { SessionService } from '../clients/session-service.js';
import { LeaderPath } from './leader-path.js';
import { LeaderSessions } from './leader-sessions.js';
import { LearnerPath } from './learner-path.js';
import { LearnerRequests } from './learner-requests.js';
import { ReadOnlyPath, type ReadOnlyPathParts } from './read-only-path.js';
import type { WritePath } from './write-path.js';

/**
 * How much longer, by the leader's clock, a learner may go on serving than `syncLimit` ticks after it was heard last: its clock
 * may be slower.
 */
const SLOWEST_LEARNER = 1.5;

/** A member that has lost its leader may soon have another one; only then clients are told to read. */
const READ_ONLY_AFTER_TICKS = 4;

export interface RequestServiceParts extends Omit<ReadOnlyPathParts, 'machine' | 'sessions' | 'random'> {
  readonly peer: Peer;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly options: ServerOptions;
  readonly machine: () => StateMachine;
  readonly sessions: SessionService;
  /** Whether there are other members. */
  readonly hasOthers: boolean;
  /** Ids of the members that vote. */
  readonly voters: readonly number[];
  /** A quorum has the digest `expected`, and this member has another one at the same zxid. */
  readonly stateDiffers: (own: DigestPoint, expected: DigestPoint) => void;
  /** The peer was given something to do. */
  readonly wake: () => void;
  readonly probe?: MemberProbe | undefined;
}

/** What a member does for clients in its present role. */
type Role =
  | { readonly type: 'none' }
  | { readonly type: 'leader'; readonly path: LeaderPath; readonly learners: LearnerRequests }
  | { readonly type: 'learner'; readonly path: LearnerPath }
  | { readonly type: 'reader'; readonly path: ReadOnlyPath };

const NONE: Role = { type: 'none' };

/**
 * Takes requests the way that this member's role has for them. Every serving role is a new incarnation, with nothing of
 * the one before it.
 */
export class RequestService {
  readonly #parts: RequestServiceParts;
  /** Compares the states of the members; idle in a member that stands alone. */
  readonly digests: DigestExchange;
  #role: Role = NONE;
  /** Since when clients are not served. */
  #idleSince: number;

  constructor(parts: RequestServiceParts) {
    this.#parts = parts;
    this.#idleSince = parts.clock.now();
    this.digests = new DigestExchange({
      ...parts,
      id: parts.options.id,
      report: (member, expected) => {
        if (this.#role.type === 'leader') this.#role.learners.differs(member, expected);
      },
      ownStateDiffers: parts.stateDiffers,
    });
  }

  /** Clients are welcome, and may write. */
  get isServing(): boolean {
    return this.#role.type === 'leader' || this.#role.type === 'learner';
  }

  /** Only reads are served, to clients that ask for it. */
  get isReadOnly(): boolean {
    return this.#role.type === 'reader';
  }

  /** The way of a write; null while clients are not served. */
  get path(): WritePath | null {
    return this.#role.type === 'none' ? null : this.#role.path;
  }

  /** Present while this member leads. */
  get leader(): LeaderPath | null {
    return this.#role.type === 'leader' ? this.#role.path : null;
  }

  /** Begins to serve in the role that `status` tells; the state machine holds everything that was committed before. */
  begin(status: PeerStatus): void {
    this.#role = status.isEstablishedLeader ? this.#lead() : this.#learn();
  }

  /** `isHandOver` if the leader has ended its leadership in order, and all that it had to say was heard. */
  end(isHandOver: boolean): void {
    if (isHandOver) this.path?.handedOver();
    this.#role = NONE;
    this.#idleSince = this.#parts.clock.now();
    this.digests.end();
  }

  /** Another member has sent something. Throws `MemberMessageError`. */
  received(from: number, bytes: Uint8Array): void {
    if (this.#role.type === 'leader') this.#role.learners.received(from, bytes);
    else if (this.#role.type === 'learner') this.#role.path.received(bytes);
  }

  /** A heartbeat of the leader has come with its payload. */
  pinged(from: number, bytes: Uint8Array): void {
    const heartbeat = this.#role.type === 'learner' ? decodeHeartbeat(bytes) : null;
    if (this.#role.type !== 'learner' || heartbeat === null) return;
    this.digests.asked(heartbeat.points);
    this.#role.path.pinged(heartbeat.stamp, this.digests.answers(from));
  }

  /** To be called before the peer's tick, whose heartbeats carry the payload. */
  stamp(now: number): void {
    if (this.#role.type !== 'leader' || !this.#parts.hasOthers) return;
    this.#parts.peer.offerPingPayload(encodeHeartbeat({ stamp: now, points: this.digests.question() }));
  }

  /** To be called about twice per tick. */
  tick(now: number): void {
    if (this.#role.type === 'none' && this.#mayRead(now)) this.#read();
    if (this.#role.type !== 'leader') return;
    this.#role.learners.tick();
    this.#role.path.expireSessions(now);
  }

  flush(): void {
    if (this.#role.type === 'none') return;
    if (this.#role.type === 'leader') this.#role.learners.flush();
    this.#role.path.flush();
  }

  #lead(): Role {
    const { peer, clock, logger, options, sessions, machine, hasOthers, wake, probe } = this.#parts;
    const { id, tickMs, syncLimit } = options;
    const graceMs = hasOthers ? (Math.ceil(syncLimit * SLOWEST_LEARNER) + 1) * tickMs : 0;
    const tracker = new LeaderSessions({ tickMs, id, graceMs });
    tracker.begin(machine().sessions, clock.now());
    const movedAway = (sessionId: bigint, member: number): void =>
      member === id ? this.#movedAway(sessionId) : learners.movedAway(sessionId, member);
    const state = machine();
    const path = new LeaderPath({
      peer,
      clock,
      logger,
      options,
      machine: state,
      sessions,
      tracker,
      wake,
      movedAway,
      probe,
    });
    this.digests.lead();
    const digests = (learner: number, points: readonly DigestPoint[]): void =>
      this.digests.answered(learner, points);
    const learners = new LearnerRequests({ peer, clock, path, tracker, wake, digests });
    return { type: 'leader', path, learners };
  }

  #learn(): Role {
    const { peer, options, random, wake } = this.#parts;
    const stint = Math.floor(random.next() * 0x7fffffff);
    const movedAway = (sessionId: bigint): void => this.#movedAway(sessionId);
    const differs = (expected: DigestPoint): void => this.digests.differs(expected);
    return { type: 'learner', path: new LearnerPath({ peer, options, stint, wake, movedAway, differs }) };
  }

  /** A member that may have forgotten what was committed has nothing to show. */
  #mayRead(now: number): boolean {
    const { options, hasOthers, peer } = this.#parts;
    if (!options.readOnly || !hasOthers) return false;
    return now - this.#idleSince >= READ_ONLY_AFTER_TICKS * options.tickMs && !peer.status().isRejoining;
  }

  #read(): void {
    this.#parts.logger.warn('No leader with a quorum: only reads are served, to clients that ask for it');
    this.#role = { type: 'reader', path: new ReadOnlyPath(this.#parts) };
  }

  #movedAway(sessionId: bigint): void {
    this.#parts.sessions.connections.get(sessionId)?.cut('Connection closed: its session moved away');
  }
}
