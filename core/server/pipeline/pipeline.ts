import { decodeTxn, type Applied, type DigestPoint } from '../../data/index.js';
import { ErrorCode, OpCode, type Id } from '../../protocol/index.js';
import { Fifo, type Clock, type Logger, type Random } from '../../runtime/index.js';
import { type Entry, isEpochMarker, type Peer, type PeerStatus } from '../../zab/index.js';
import type { ServerOptions } from '../configuration/index.js';
import type { Extremes, MemberProbe } from '../metrics/index.js';
import {
  decodeHeartbeat,
  DigestExchange,
  encodeHeartbeat,
  type ReplicatedState,
  type StateDifference,
} from '../state/index.js';
import type { DataLimit } from './data-limit.js';
import { LeaderPath } from './leader-path.js';
import { LeaderSessions } from './leader-sessions.js';
import { LearnerPath } from './learner-path.js';
import { LearnerRequests } from './learner-requests.js';
import type { AppliedEntry, ClientWrite, Outcome, RefusalReason } from './outcome.js';
import { Reaper } from './reaper.js';
import type { TurnScheduler } from './turn-scheduler.js';
import type { Proposal, WritePath } from './write-path.js';

/**
 * How much longer, by the leader's clock, a learner may go on serving than `syncLimit` ticks after it was heard last: its clock
 * may be slower.
 */
const SLOWEST_LEARNER = 1.5;

/** A member that has lost its leader may soon have another one; only then clients are told to read. */
const READ_ONLY_AFTER_TICKS = 4;

export interface PipelineParts {
  readonly peer: Peer;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly options: ServerOptions;
  readonly state: ReplicatedState;
  /** Whether there are other members. */
  readonly hasOthers: boolean;
  /** Ids of the members that vote. */
  readonly voters: readonly number[];
  readonly turns: TurnScheduler;
  readonly probe?: MemberProbe | undefined;
}

/** What a member does for clients in its present role. */
type Role<Token> =
  | { readonly type: 'none' | 'reader'; readonly path: null }
  | { readonly type: 'leader'; readonly path: LeaderPath<Token>; readonly learners: LearnerRequests }
  | { readonly type: 'learner'; readonly path: LearnerPath<Token> };

const NONE = { type: 'none', path: null } as const;
/** There is no leader with a quorum: nothing can be written. */
const READER = { type: 'reader', path: null } as const;

/** See `Pipeline.leadership`. */
export interface Leadership {
  readonly since: number;
  readonly proposalBytes: Extremes;
  readonly dataLimit: Pick<DataLimit, 'bytes' | 'isRefusing'>;
  readonly refusedGrowth: number;
}

/**
 * Takes requests the way that this member's role has for them, and applies what is committed. Every serving role is a new
 * incarnation, with nothing of the one before it.
 */
export class Pipeline<Token> {
  readonly #parts: PipelineParts;
  /** Compares the states of the members; idle in a member that stands alone. */
  readonly #digests: DigestExchange;
  readonly #reaper: Reaper;
  readonly #outcomes = new Fifo<Outcome<Token>>();
  /** Returned by `apply`, each time with another content. */
  readonly #entry: { applied: Applied; token: Token | null } = { applied: null!, token: null };
  #role: Role<Token> = NONE;
  /** On a learner: what the newest heartbeat of its leader said, and when it came; 0 voters before the first. */
  #heard: { readonly countedVoters: number; readonly at: number } | null = null;
  /** Since when clients are not served. */
  #idleSince: number;

  constructor(parts: PipelineParts) {
    this.#parts = parts;
    this.#idleSince = parts.clock.now();
    this.#reaper = new Reaper(parts.options);
    this.#digests = new DigestExchange({
      ...parts,
      id: parts.options.id,
      report: (member, expected) => {
        if (this.#role.type === 'leader') this.#role.learners.differs(member, expected);
      },
      ownStateDiffers: (own, expected) => this.#outcomes.push({ type: 'stateDiffers', own, expected }),
    });
  }

  /** Clients are welcome, and may write. */
  get isServing(): boolean {
    return this.#role.path !== null;
  }

  /** Clients are not served at all. */
  get isIdle(): boolean {
    return this.#role.type === 'none';
  }

  /** Only reads are served, to clients that ask for it. */
  get isReadOnly(): boolean {
    return this.#role.type === 'reader';
  }

  /** No write of a client is to be submitted now. */
  get isFull(): boolean {
    return this.#role.path?.isFull ?? false;
  }

  /** No session can be opened now: far more is under way than clients' writes alone may bring about. */
  get isOverfull(): boolean {
    return this.#role.path?.isOverfull ?? false;
  }

  /** Requests of this member's clients that are under way. */
  get length(): number {
    return this.#role.path?.length ?? 0;
  }

  /** Bytes of their transactions. */
  get bytes(): number {
    return this.#role.path?.bytes ?? 0;
  }

  /** Questions to the leader, or to a quorum, that are not answered yet. */
  get openQuestions(): number {
    return this.#role.path?.openQuestions ?? 0;
  }

  /**
   * What only a leader has: since when it leads, by the clock of the member, the sizes of what it has proposed, what all znodes may take, and
   * how many changes it has refused because of that.
   */
  get leadership(): Leadership | null {
    return this.#leader;
  }

  /** The newest difference between the states of members that was seen in the present role; null if there is none. */
  get stateDifference(): StateDifference | null {
    return this.#digests.difference;
  }

  /** Voters that count and are up to date, as this member's leader has said last, or as it sees them as the leader; 0 without one. */
  get countedVoters(): number {
    const { peer } = this.#parts;
    if (this.#role.type !== 'leader') return this.#heard?.countedVoters ?? 0;
    const others = peer.learners().filter((each) => each.isVoter && !each.isRejoining && each.isUpToDate);
    return others.length + (peer.status().isRejoining ? 0 : 1);
  }

  /** A quorum has answered this leader, or the leader of this learner was heard, within the time that they wait for each other. */
  get isConfirmed(): boolean {
    const { peer, hasOthers, options, clock } = this.#parts;
    if (!hasOthers) return true;
    if (this.#role.type === 'leader') return peer.status().isQuorumConfirmed;
    return this.#heard !== null && clock.now() - this.#heard.at <= options.syncLimit * options.tickMs;
  }

  /** Asks for a session. Its creation is applied like any transaction, unless it is refused. */
  openSession(timeoutMs: number, identities: readonly Id[], token: Token): RefusalReason | null {
    return this.#role.path === null
      ? this.#refusal()
      : this.#role.path.openSession(timeoutMs, identities, token);
  }

  /** Asks for a write. Null: it is under way, and `apply` returns its token, or an outcome says that it is refused. */
  submit(write: ClientWrite, token: Token): RefusalReason | null {
    return this.#role.path === null ? this.#refusal() : this.#role.path.submit(write, token);
  }

  /** Asks whether a session may go on at this member; answered by the outcome `resumed`. */
  resumeSession(sessionId: bigint, token: Token): void {
    this.#role.path?.resumeSession(sessionId, token);
  }

  /** Asks a quorum for a zxid that covers everything acknowledged so far; answered by the outcome `confirmed`. */
  confirm(token: Token | null): void {
    this.#role.path?.confirm(token);
  }

  /** The session was heard from at this member; false if it is known to be over. Without a leader no session ends. */
  touch(sessionId: bigint): boolean {
    return this.#role.path?.touch(sessionId) ?? this.isReadOnly;
  }

  /** Applies a committed entry; null if it is the marker of an epoch, which no client has asked for. */
  apply(entry: Entry): AppliedEntry<Token> | null {
    const { state, hasOthers } = this.#parts;
    const { machine } = state;
    const proposal = this.#role.path?.take(entry.zxid);
    // Nobody proposes a marker.
    const isMarker = proposal === undefined && isEpochMarker(entry.zxid);
    if (!isMarker) this.#apply(entry, proposal);
    else if (entry.payload.length === 0) machine.advanceTo(entry.zxid);
    else machine.apply(entry.zxid, decodeTxn(entry.payload));
    if (hasOthers) this.#digests.applied(entry.zxid, machine);
    return isMarker ? null : this.#entry;
  }

  /** The next outcome that belongs to no entry; undefined if there is none. */
  nextOutcome(): Outcome<Token> | undefined {
    return this.#outcomes.shift();
  }

  /** A snapshot of the leader has replaced the state. */
  stateReplaced(): void {
    this.#digests.replaced();
  }

  /** Begins to serve in the role that `status` says; the state machine holds everything that was committed before. */
  begin(status: PeerStatus): void {
    this.#role = status.isEstablishedLeader ? this.#lead() : this.#learn();
    // The leader has just said that this member is up to date.
    this.#heard = { countedVoters: 0, at: this.#parts.clock.now() };
  }

  /**
   * Ends the role. `isHandOver`: the leader has ended its leadership in order, and everything that it sent was received. Returns the
   * tokens of what will never be proposed. Whatever else is under way has an unknown outcome, and its tokens are dropped.
   */
  end(isHandOver: boolean): readonly Token[] {
    const dropped = isHandOver ? (this.#role.path?.handedOver() ?? []) : [];
    this.#role = NONE;
    this.#heard = null;
    this.#idleSince = this.#parts.clock.now();
    this.#digests.end();
    return dropped;
  }

  /** A message of another member's pipeline. Throws `MemberMessageError`. */
  received(from: number, bytes: Uint8Array): void {
    if (this.#role.type === 'leader') this.#role.learners.received(from, bytes);
    else if (this.#role.type === 'learner') this.#role.path.received(bytes);
  }

  /** A heartbeat of the leader has come with its payload. */
  pinged(from: number, bytes: Uint8Array): void {
    const heartbeat = this.#role.type === 'learner' ? decodeHeartbeat(bytes) : null;
    if (this.#role.type !== 'learner' || heartbeat === null) return;
    this.#heard = { countedVoters: heartbeat.countedVoters, at: this.#parts.clock.now() };
    this.#digests.asked(heartbeat.points);
    this.#role.path.pinged(heartbeat.stamp, this.#digests.answers(from));
  }

  /** A quorum has confirmed to the peer that this member leads. */
  readIndexAnswered(question: number, zxid: bigint): void {
    this.#leader?.readIndexAnswered(question, zxid);
  }

  /** To be called before the peer's tick, whose heartbeats carry the payload. */
  stamp(now: number): void {
    if (this.#role.type !== 'leader' || !this.#parts.hasOthers) return;
    const { countedVoters } = this;
    const points = this.#digests.question();
    this.#parts.peer.offerPingPayload(encodeHeartbeat({ stamp: now, countedVoters, points }));
  }

  /** To be called about twice per tick. */
  tick(now: number): void {
    if (this.#role.type === 'none' && this.#mayRead(now)) this.#read();
    if (this.#role.type !== 'leader') return;
    this.#role.learners.tick();
    this.#role.path.expireSessions(now);
    this.#role.path.watchGrowth();
  }

  /** To be called about twice per tick: removes znodes whose time is over. */
  reap(now: number): void {
    this.#reaper.tick(now, this.#leader);
  }

  /** To be called at the end of each turn: what goes to other members leaves together. */
  flush(): void {
    if (this.#role.type === 'leader') this.#role.learners.flush();
    this.#role.path?.flush();
  }

  get #leader(): LeaderPath<Token> | null {
    return this.#role.type === 'leader' ? this.#role.path : null;
  }

  #refusal(): RefusalReason {
    return this.isReadOnly ? 'readOnly' : 'notServing';
  }

  #apply(entry: Entry, proposal: Proposal<Token> | undefined): void {
    const path: WritePath<Token> | null = this.#role.path;
    const applied = this.#parts.state.machine.apply(entry.zxid, proposal?.txn ?? decodeTxn(entry.payload));
    const { txn, error } = applied;
    // A session that could not be created is over as well.
    const isOver =
      txn.op === OpCode.closeSession || (txn.op === OpCode.createSession && error !== ErrorCode.ok);
    path?.applied(entry.zxid, isOver ? txn.sessionId : null);
    this.#entry.applied = applied;
    this.#entry.token = proposal?.token ?? null;
  }

  #lead(): Role<Token> {
    const { peer, clock, options, state, hasOthers, turns } = this.#parts;
    const { id, tickMs, syncLimit } = options;
    const graceMs = hasOthers ? (Math.ceil(syncLimit * SLOWEST_LEARNER) + 1) * tickMs : 0;
    const tracker = new LeaderSessions({ tickMs, id, graceMs });
    tracker.begin(state.machine.sessions, clock.now());
    const path = new LeaderPath<Token>({
      ...this.#parts,
      machine: state.machine,
      tracker,
      outcomes: this.#outcomes,
      movedAway: (sessionId, member) => this.#movedAway(sessionId, member),
    });
    this.#digests.lead();
    const learners = new LearnerRequests({ peer, clock, path, tracker, turns, digests: this.#digests });
    return { type: 'leader', path, learners };
  }

  #learn(): Role<Token> {
    const { random } = this.#parts;
    const stint = Math.floor(random.next() * 0x7fffffff);
    const differs = (expected: DigestPoint): void => this.#digests.differs(expected);
    return {
      type: 'learner',
      path: new LearnerPath<Token>({ ...this.#parts, stint, outcomes: this.#outcomes, differs }),
    };
  }

  /** A member that may have forgotten what was committed has nothing to show. */
  #mayRead(now: number): boolean {
    const { options, hasOthers, peer } = this.#parts;
    if (!options.readOnly || !hasOthers) return false;
    return now - this.#idleSince >= READ_ONLY_AFTER_TICKS * options.tickMs && !peer.status().isRejoining;
  }

  #read(): void {
    this.#parts.logger.warn('No leader with a quorum: only reads are served, to clients that ask for it');
    this.#role = READER;
  }

  /** This member leads, and the session has left `member` for another one. */
  #movedAway(sessionId: bigint, member: number): void {
    if (member === this.#parts.options.id) this.#outcomes.push({ type: 'moved', sessionId });
    else if (this.#role.type === 'leader') this.#role.learners.movedAway(sessionId, member);
  }
}
