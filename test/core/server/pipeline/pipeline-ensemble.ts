import { ErrorCode, OpCode, OPEN_ACL, type Id } from '../../../../core/protocol/index.js';
import { SeededRandom, silentLogger } from '../../../../core/runtime/index.js';
import { resolveServerOptions } from '../../../../core/server/index.js';
import { Pipeline, TurnScheduler, type RefusalReason } from '../../../../core/server/pipeline/index.js';
import { ReplicatedState } from '../../../../core/server/state/index.js';
import { StateMachine } from '../../../../core/data/index.js';
import { VirtualClock } from '../../../../core/testing/index.js';
import { Peer, type PeerMessage, type PersistRequest, type Ready } from '../../../../core/zab/index.js';

const NOBODY: readonly Id[] = [];
const EMPTY = { acceptedEpoch: 0, snapshotZxid: 0n, epochs: [], entries: [] } as const;
const TICK_MS = 100;

/** A member without clients, disk and sockets: the peer, the pipeline, and what comes out of it. */
export class PipelineMember {
  readonly id: number;
  readonly peer: Peer;
  readonly state = new ReplicatedState(new StateMachine(), null);
  readonly pipeline: Pipeline<string>;
  /** What came out, oldest first: `token error zxid` of an applied entry (`-` without a token), `type token …` of anything else. */
  readonly outcomes: string[] = [];
  /** While true, nothing becomes durable here. */
  isDiskStopped = false;
  #serving = false;
  #waiting: PersistRequest[] = [];

  constructor(id: number, voters: readonly number[], clock: VirtualClock) {
    this.id = id;
    this.peer = new Peer({ id, voters, tickMs: TICK_MS, seed: id }, EMPTY);
    this.pipeline = new Pipeline<string>({
      peer: this.peer,
      clock,
      random: new SeededRandom(id),
      logger: silentLogger,
      options: resolveServerOptions({ id, tickMs: TICK_MS, readOnly: true }),
      state: this.state,
      hasOthers: voters.length > 1,
      voters,
      turns: new TurnScheduler(clock),
    });
  }

  /** Outcomes since the last call. */
  take(): readonly string[] {
    return this.outcomes.splice(0);
  }

  create(session: bigint, path: string, token: string): RefusalReason | null {
    const body = { path, data: null, acl: OPEN_ACL, flags: 0, ttlMs: 0 };
    return this.submit(session, { op: OpCode.create, body }, token);
  }

  submit(
    sessionId: bigint,
    request: Parameters<Pipeline<string>['submit']>[0]['request'],
    token: string,
  ): RefusalReason | null {
    return this.pipeline.submit({ sessionId, cxid: 1, identities: NOBODY, request }, token);
  }

  openSession(token: string): RefusalReason | null {
    return this.pipeline.openSession(10_000, NOBODY, token);
  }

  /** One turn of a loop. `send` gets what goes to other members. */
  turn(now: number, send: (to: number, link: number, message: PeerMessage) => void): void {
    this.peer.tick(now);
    if (!this.isDiskStopped) for (const { number } of this.#waiting.splice(0)) this.peer.persisted(number);
    this.pipeline.flush();
    for (let ready = this.peer.ready(); ready !== null; ready = this.peer.ready()) {
      this.#carryOut(ready, send);
      this.pipeline.flush();
    }
  }

  /** Ends the role, as when the leader is lost or, `isHandOver`, has handed over. */
  endRole(isHandOver: boolean): readonly string[] {
    this.#serving = false;
    return this.pipeline.end(isHandOver);
  }

  #carryOut(ready: Ready, send: (to: number, link: number, message: PeerMessage) => void): void {
    for (const { to, link, message } of ready.messages) send(to, link, message);
    if (ready.persist !== null) this.#persist(ready.persist);
    for (const { from, bytes } of ready.received) this.pipeline.received(from, bytes);
    this.#settle();
    for (const entry of ready.committed) {
      const applied = this.pipeline.apply(entry);
      if (applied === null) continue;
      const error = Object.entries(ErrorCode).find(([, code]) => code === applied.applied.error)?.[0];
      this.outcomes.push(`${applied.token ?? '-'} ${error} ${entry.zxid & 0xffffffffn}`);
    }
    for (const { token, zxid } of ready.readIndexes) this.pipeline.readIndexAnswered(token, zxid);
    this.#settle();
    if (ready.status === null || ready.status.isServing === this.#serving) return;
    this.#serving = ready.status.isServing;
    if (this.#serving) this.pipeline.begin(ready.status);
    else this.pipeline.end(false);
  }

  #persist(request: PersistRequest): void {
    if (this.isDiskStopped) this.#waiting.push(request);
    else this.peer.persisted(request.number);
  }

  #settle(): void {
    for (let next = this.pipeline.nextOutcome(); next !== undefined; next = this.pipeline.nextOutcome()) {
      if (next.type === 'refused') this.outcomes.push(`refused ${next.token} ${next.reason}`);
      else if (next.type === 'resumed') this.outcomes.push(`resumed ${next.token} ${next.timeoutMs}`);
      else if (next.type === 'confirmed')
        this.outcomes.push(`confirmed ${next.token} ${next.zxid & 0xffffffffn}`);
      else this.outcomes.push(next.type);
    }
  }
}

/** Members whose messages to each other arrive at once and in order, unless a link is cut. */
export class PipelineEnsemble {
  readonly clock = new VirtualClock();
  readonly members: readonly PipelineMember[];
  #now = 0;
  #queue: { from: number; to: number; message: PeerMessage }[] = [];

  constructor(count: number) {
    const voters = Array.from({ length: count }, (_, index) => index + 1);
    this.members = voters.map((id) => new PipelineMember(id, voters, this.clock));
    for (const member of this.members)
      for (const other of voters) if (other !== member.id) member.peer.connected(other, 1);
    this.pass(20 * TICK_MS);
  }

  get leader(): PipelineMember {
    return this.members.find(({ pipeline }) => pipeline.leadership !== null)!;
  }

  get learners(): readonly PipelineMember[] {
    return this.members.filter(({ pipeline }) => pipeline.isServing && pipeline.leadership === null);
  }

  /** Runs turns of all members until nothing is under way, without time passing. */
  run(): void {
    do {
      for (const { from, to, message } of this.#queue.splice(0)) this.#member(to).peer.step(from, 1, message);
      for (const member of this.members) {
        member.turn(this.#now, (to, _link, message) => this.#queue.push({ from: member.id, to, message }));
      }
    } while (this.#queue.length > 0);
  }

  /** Time passes, with a turn every quarter of a tick. */
  pass(ms: number): void {
    for (let passed = 0; passed < ms; passed += TICK_MS / 4) {
      this.#now += TICK_MS / 4;
      this.run();
    }
  }

  #member(id: number): PipelineMember {
    return this.members.find((member) => member.id === id)!;
  }
}
