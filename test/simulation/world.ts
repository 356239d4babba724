import { decodeTxn, StateMachine } from '../../core/data/index.js';
import { OpCode } from '../../core/protocol/index.js';
import { SeededRandom } from '../../core/runtime/index.js';
import type { MemberGauges, MemberProbe } from '../../core/server/index.js';
import { Cluster, Trace, type ClusterMember } from '../../core/testing/index.js';
import type { Connection } from '../../core/transport/index.js';
import { Actor, type Credentials } from './actor.js';
import { checkBounds } from './checkers/bounds.js';
import { Conversation } from './checkers/conversation.js';
import { EndLedger } from './checkers/end-ledger.js';
import { Ghost, type Delivered } from './checkers/ghost.js';
import { HoldLedger } from './checkers/hold-ledger.js';
import { JobLedger } from './checkers/job-ledger.js';
import { check, hex, Referee } from './checkers/referee.js';
import { RegisterHistory } from './checkers/register-history.js';
import { RoleLedger } from './checkers/role-ledger.js';
import { ShardLedger } from './checkers/shard-ledger.js';
import { SessionLedger } from './checkers/session-ledger.js';
import { TreeModel } from './checkers/tree-model.js';
import { tapped } from './checkers/wire-tap.js';
import { VoteForger } from './faults/vote-forger.js';
import { between, type FaultKind, type Plan } from './plan.js';
import { Rival } from './rival.js';

/** Something that is to happen in the midst of what a member does. */
interface Trap {
  stepsLeft: number;
  spring(): void;
}

/** Faults under which no client can know how long it may rely on its session. */
const UNFAIR: readonly FaultKind[] = ['clientPause', 'clockStop'];

/** One run: an ensemble, its clients, and everything that looks on. */
export class World {
  readonly plan: Plan;
  readonly cluster: Cluster;
  /** For the faults; what clients do has sources of its own. */
  readonly random: SeededRandom;
  readonly referee = new Referee();
  readonly model = new TreeModel();
  readonly ghost: Ghost;
  readonly sessions: SessionLedger;
  readonly registers = new RegisterHistory();
  readonly holds: HoldLedger;
  readonly shards: ShardLedger;
  readonly jobs = new JobLedger();
  readonly ends = new EndLedger();
  readonly roles = new RoleLedger(() => this.now);
  /** Between the members. */
  readonly forger: VoteForger;
  readonly actors: Actor[] = [];
  readonly rivals: Rival[] = [];
  /** Called when a member has come into another phase: a good moment to strike. */
  phaseChanged: (member: ClusterMember, phase: string) => void = () => undefined;
  /** Clients begin nothing new. */
  isOver = false;
  readonly snapshotsKept: number;
  /** How long what was demanded took, in ticks. */
  readonly times: Record<string, number> = {};
  /** What members had at the end of their last turns. */
  readonly gauges = new Map<number, MemberGauges>();
  /** The states of those members that have one now. */
  readonly machines = new Map<number, StateMachine>();
  readonly #phases = new Map<number, string>();
  readonly #traps = new Map<number, Trap>();
  readonly #ends = new Set<bigint>();
  /** Clocks agree, and no client is ever paused. */
  readonly #isFair: boolean;

  constructor(plan: Plan, write: ((line: string) => void) | null) {
    this.plan = plan;
    this.random = new SeededRandom(plan.seed ^ 0x5eed);
    const members = Array.from({ length: plan.voters + plan.observers }, (_, index) => index + 1);
    this.forger = new VoteForger(new SeededRandom(plan.seed ^ 0xf0e9), members);
    const { tickMs, latencyMs, jitterMs, segmentBytes, windowEntries, epochCounter, bounds } = plan;
    const { uncommittedEntries, inFlightBytes } = bounds;
    // With one alone, a learner that lags a little behind it has to come again.
    this.snapshotsKept = 2 + Math.floor(this.random.next() * 2);
    this.cluster = new Cluster({
      seed: plan.seed,
      voters: plan.voters,
      observers: plan.observers,
      server: {
        tickMs,
        snapshotTxns: plan.snapshotTxns,
        containerCheckMs: 20 * tickMs,
        maxSessionMs: 1e6,
        maxProposalsInFlight: bounds.proposals,
        maxOutstandingRequests: bounds.outstanding,
        outputHighWaterBytes: bounds.outputBytes,
        maxBytesInFlight: bounds.bytesUnderWay,
        watchPathsPerTurn: bounds.watchPaths,
        listNamesPerTurn: bounds.watchPaths,
        entriesPerTurn: bounds.watchPaths,
      },
      line: { latencyMs, jitterMs },
      segmentBytes,
      snapshotsKept: this.snapshotsKept,
      limits: { windowEntries, epochCounter, messageBytes: 1024, uncommittedEntries, inFlightBytes },
      trace: write === null ? undefined : (clock) => new Trace(clock, write),
      probe: (member) => this.#probe(member),
      storage: (storage, { id }) => this.ghost.imageOf(id).observe(storage),
      peerLink: (connection) => this.forger.tap(connection),
    });
    const { referee, model } = this;
    this.ghost = new Ghost({
      referee,
      emptyDigest: new StateMachine().digest,
      onDelivered: (delivered) => {
        if (delivered.txn !== null) model.apply(delivered.zxid, delivered.txn);
        this.jobs.delivered(delivered, model);
        this.#checkGivenUp(delivered);
        this.sessions.delivered(delivered);
      },
    });
    this.ghost.areVotesGenuine = !plan.faults.includes('forgedVotes');
    // Whoever is served by a member whose clock stands still relies on nothing.
    const fastestRate = plan.faults.includes('clockStop') ? Infinity : 1 + plan.skew;
    this.sessions = new SessionLedger({ model, ghost: this.ghost, fastestRate });
    this.#isFair = plan.skew <= 0.01 && !UNFAIR.some((kind) => plan.faults.includes(kind));
    this.holds = new HoldLedger({ model, isFair: this.#isFair });
    this.shards = new ShardLedger({ isFair: this.#isFair });
    for (const { id, name, isObserver } of this.cluster.members) this.ghost.register(id, name, !isObserver);
    this.#setClocks();
  }

  /** Every member serves and counts. */
  get isWhole(): boolean {
    return this.cluster.members.every(({ member, isServing }) => isServing && !member!.health().rejoining);
  }

  /** Whether the others are a quorum without it. */
  isSpare({ isObserver }: ClusterMember): boolean {
    return isObserver || this.plan.voters > 2;
  }

  /** What an exchange between members takes at most while nothing is wrong, several times over. */
  get slowestMs(): number {
    const { latencyMs, jitterMs, syncMs } = this.plan;
    return 20 * (latencyMs + jitterMs + syncMs);
  }

  get now(): number {
    return this.cluster.clock.now();
  }

  note(who: string, what: string): void {
    this.cluster.trace?.note(who, what);
  }

  /** A client on a machine of its own, whose every packet is read along. */
  enter(): Actor {
    const { plan, cluster, random } = this;
    const name = `c${this.actors.length + 1}`;
    let actor: Actor | null = null;
    const granted = (credentials: Credentials): void => {
      if (actor !== null) actor.credentials = credentials;
    };
    const made = cluster.client({
      sessionTimeoutMs: plan.sessionMs,
      clock: { rate: 1 + between(random, -plan.skew, plan.skew) },
      wrap: (connection) => this.tap(name, connection, granted),
    });
    actor = new Actor(this, made, new SeededRandom(Math.floor(random.next() * 2 ** 32)));
    this.actors.push(actor);
    return actor;
  }

  /** Somebody who comes with the session of a client. */
  rival(): Rival {
    const random = new SeededRandom(Math.floor(this.random.next() * 2 ** 32));
    const rival = new Rival(this, this.rivals.length + 1, random);
    this.rivals.push(rival);
    return rival;
  }

  /** The connection, with all that goes over it read along; `granted` is told of the session that is given to it. */
  tap(name: string, connection: Connection, granted?: (credentials: Credentials) => void): Connection {
    const { ghost, model, sessions, ends, referee } = this;
    const now = (): number => this.now;
    const wasEndProposed = (sessionId: bigint): boolean => this.#ends.has(sessionId);
    // Without a clock a leader that was replaced does not notice, and goes on answering pings.
    const isTimed = (): boolean => this.#at(connection.remoteAddress)?.process?.hasLostTime !== true;
    const known = { ghost, model, sessions, ends, now, wasEndProposed, isTimed, ...(granted && { granted }) };
    return tapped(connection, new Conversation(name, known), referee);
  }

  #at(address: string): ClusterMember | undefined {
    return this.cluster.members.find((member) => member.address === address);
  }

  /** Calls `spring` in the midst of what the member does, so many steps from now. */
  setTrap(id: number, steps: number, spring: () => void): void {
    this.#traps.set(id, { stepsLeft: steps, spring });
  }

  forgetTraps(): void {
    this.#traps.clear();
  }

  /** Where clocks agree, a client has given its session up before it can be expired: what it holds ends before others may have it. */
  #checkGivenUp({ txn }: Delivered): void {
    if (txn?.op !== OpCode.closeSession || txn.cxid !== 0) return;
    const { sessionId } = txn;
    for (const { name, client, process } of this.actors) {
      const { id, signal } = client.session;
      check(
        !this.#isFair || process.state === 'dead' || id !== sessionId || signal.aborted,
        () =>
          `${name} relies on its session ${hex(sessionId)}, which has expired, though all clocks are right`,
      );
    }
  }

  #setClocks(): void {
    const { skew } = this.plan;
    for (const member of this.cluster.members)
      member.setClock({
        rate: 1 + between(this.random, -skew, skew),
        wallAheadMs: Math.floor(between(this.random, -1000, 1000)),
      });
  }

  #probe(member: ClusterMember): MemberProbe {
    const { id, starts } = member;
    const { ghost, referee } = this;
    /** A member that died in the midst of something does not really do the rest of it. */
    const watch = (look: () => void): void => {
      if (member.process === null || member.starts !== starts) return;
      referee.watch(look);
      this.#step(id);
    };
    return {
      started: (machine) => {
        this.machines.set(id, machine);
        this.roles.started(id);
        watch(() => ghost.started(id, machine));
      },
      installed: (machine) => {
        this.machines.set(id, machine);
        watch(() => ghost.installed(id, machine));
      },
      proposed: (zxid, payload) => watch(() => this.#proposed(id, zxid, payload)),
      sent: (_to, message) => watch(() => ghost.sent(id, message)),
      applied: (entry, machine) => watch(() => ghost.applied(id, entry, machine)),
      turned: (gauges) => {
        watch(() => {
          ghost.turned(id, gauges, () => member.member?.health().readOnly === true);
          this.roles.turned(id, member.name, gauges.status);
          checkBounds(member.name, { gauges, timers: member.process!.pendingTimers }, this.plan.bounds);
        });
        this.gauges.set(id, gauges);
        const phase = `${gauges.status.state} ${gauges.status.phase}`;
        if (this.#phases.get(id) === phase) return;
        this.#phases.set(id, phase);
        this.phaseChanged(member, gauges.status.phase);
      },
    };
  }

  #proposed(id: number, zxid: bigint, payload: Uint8Array): void {
    this.ghost.proposed(id, zxid, payload);
    const txn = decodeTxn(payload);
    if (txn.op !== OpCode.closeSession) return;
    this.#ends.add(txn.sessionId);
    if (txn.cxid === 0) this.sessions.expiryProposed(zxid, this.now);
  }

  #step(id: number): void {
    const trap = this.#traps.get(id);
    if (trap === undefined) return;
    trap.stepsLeft -= 1;
    if (trap.stepsLeft > 0) return;
    this.#traps.delete(id);
    trap.spring();
  }
}
