import { OpCode } from '../../core/protocol/index.js';
import type { Actor } from './actor.js';
import { checkDisk } from './checkers/bounds.js';
import { check, hex, Violation } from './checkers/referee.js';
import { areDivided } from './checkers/shard-ledger.js';
import { isSameData, isSameStat } from './checkers/request-rules.js';
import { statOf } from './checkers/tree-model.js';
import { Faults } from './faults/faults.js';
import { planFor, type Focus, type Mode, type Plan } from './plan.js';
import { setUp, workloads, OPENING_BALANCE } from './workloads/index.js';
import { readZnode } from './workloads/subtrees.js';
import { accountsAt } from './workloads/znodes.js';
import { World } from './world.js';

/** What a run came to. */
export interface Outcome {
  readonly plan: Plan;
  /** Null if every promise was kept. */
  readonly finding: Error | null;
  readonly transactions: number;
  readonly epochs: number;
  /** Milliseconds of virtual time. */
  readonly virtualMs: number;
  readonly counts: Readonly<Record<string, number>>;
}

export interface RunOptions {
  readonly seed: number;
  readonly mode: Mode;
  /** What the plan is made to have. */
  readonly focus?: Focus | undefined;
  /** Gets what happens in readable lines. */
  readonly trace?: ((line: string) => void) | undefined;
}

/** Longest time that a healed ensemble may take for anything, in ticks, and in any case in milliseconds. */
const PATIENCE_TICKS = 300;
const PATIENCE_MS = 120_000;

/** Plays one seed to its end. Never rejects: what goes wrong is the outcome. */
export async function run({ seed, mode, focus, trace }: RunOptions): Promise<Outcome> {
  const plan = { ...planFor(seed, mode), ...focus, mode };
  const world = new World(plan, trace ?? null);
  const unhandled = (error: unknown): void => world.referee.report(error);
  process.on('unhandledRejection', unhandled);
  try {
    await new Run(world).play();
  } catch (error) {
    world.referee.report(error);
  } finally {
    process.off('unhandledRejection', unhandled);
  }
  const { finding } = world.referee;
  if (finding !== null) world.note('all', `FINDING: ${finding.message}`);
  return {
    plan,
    finding,
    transactions: world.ghost.list.length,
    epochs: world.ghost.epochs,
    virtualMs: world.now,
    counts: {
      staleReads: world.sessions.staleReads,
      holds: world.holds.granted,
      lateUses: world.holds.rejected,
      shards: world.shards.begun,
      jobs: world.jobs.enqueued,
      repeatedJobs: world.jobs.repeated,
      registerOperations: world.registers.length,
      unsureHistories: world.registers.unsure,
    },
  };
}

class Run {
  readonly #world: World;
  readonly #faults: Faults;
  readonly #working: Promise<void>[] = [];

  constructor(world: World) {
    this.#world = world;
    this.#faults = new Faults(world, () => this.#enter());
  }

  get world(): World {
    return this.#world;
  }

  async play(): Promise<void> {
    const { world } = this;
    const { cluster, plan, referee } = world;
    world.note('all', `begin: ${JSON.stringify(plan)}`);
    cluster.start();
    await this.#until(() => cluster.members.every(({ isServing }) => isServing), 'everybody serves');
    const first = world.enter();
    await this.#wait(setUp(first), 'the workloads are set up');
    this.#work(first);
    while (world.actors.length < plan.clients) this.#enter();
    this.#faults.begin();
    await this.#pass(plan.strikeMs);
    this.#faults.end();
    if (plan.mode === 'liveness') await this.#demandProgress();
    else await this.#pass(10 * plan.tickMs);
    if (referee.finding !== null) return;
    this.#conclude();
  }

  #enter(): void {
    this.#work(this.#world.enter());
  }

  #work(actor: Actor): void {
    const { plan, referee } = this.#world;
    const chosen = plan.workloads.filter(() => plan.workloads.length === 1 || actor.chance(0.7));
    for (const name of chosen)
      this.#working.push(workloads[name](actor).catch((error: unknown) => referee.report(error)));
  }

  /** What must come once the faults have stopped: everybody serves, agrees, and has answered everything. */
  async #demandProgress(): Promise<void> {
    const { world } = this;
    const { cluster, plan } = world;
    const isAgreed = (): boolean => {
      const healths = cluster.members.map(({ member }) => member?.health());
      return (
        healths.every((health) => health?.isServing) &&
        new Set(healths.map((health) => `${health?.zxid} ${health?.digest}`)).size === 1
      );
    };
    await this.#until(() => cluster.members.every(({ isServing }) => isServing), 'everybody serves again');
    await this.#pass(10 * plan.tickMs);
    world.isOver = true;
    const living = world.actors.filter(({ isAlive }) => isAlive);
    await this.#until(
      () => living.every(({ client, pending }) => pending.size === 0 && client.state === 'connected'),
      'everything is answered',
    );
    const probe = world.enter();
    await this.#wait(
      probe.attempt('create /last', () => probe.client.create('/last', null, { mode: 'ephemeral' })),
      'a write is answered',
    );
    await this.#until(() => this.#abandoned().length === 0, 'the ephemerals of dead clients are gone');
    await this.#until(
      () => living.every((actor) => this.#isFollowed(actor)),
      'the caches show what is there',
    );
    await this.#until(
      () => areDivided(living.flatMap(({ shards }) => shards ?? [])),
      'every shard is owned, and nobody owns two more than another',
    );
    await this.#until(
      () => isAgreed() && this.#isIdle(living.length + 1),
      'everybody has applied the same, and no request and no connection is left over',
    );
    await this.#wait(this.#checkSubtrees(probe), 'what each client alone wrote is read');
    this.#compareTrees();
    this.#checkLeaks();
    await this.#wait(this.#leave(), 'everybody closes in order');
  }

  /** Ephemerals whose owners nobody keeps alive any more. */
  #abandoned(): readonly string[] {
    const { model, ghost, actors } = this.world;
    const living = new Set(actors.filter(({ isAlive }) => isAlive).map(({ client }) => client.session.id));
    return [...model.sessions]
      .filter(([id, { closedAt }]) => closedAt === null && !living.has(id))
      .flatMap(([id]) => model.ephemeralsOf(id, ghost.end));
  }

  #isFollowed({ caches }: Actor): boolean {
    const { model, ghost } = this.world;
    return caches.every((cache) =>
      [...model.paths()]
        .filter((path) => path === cache.path || path.startsWith(`${cache.path}/`))
        .every((path) => isSameData(cache.get(path)?.data ?? null, model.at(path, ghost.end)?.data ?? null)),
    );
  }

  /** What each client alone wrote is there, as it knows it: the model of the members is not asked. */
  async #checkSubtrees(probe: Actor): Promise<void> {
    const { actors, referee } = this.world;
    await probe.client.sync('/');
    for (const znode of actors.flatMap(({ subtree }) => subtree)) {
      const found = await readZnode(probe, znode.path);
      referee.watch(() => znode.checkFinal(found));
    }
  }

  async #leave(): Promise<void> {
    this.#faults.stop();
    await this.world.cluster.close();
    const { clock, network } = this.world.cluster;
    await this.#passQuietly();
    check(clock.pendingTimers === 0, () => `${clock.pendingTimers} timers are left behind`);
    check(network.connections === 0, () => `${network.connections} connections are left behind`);
  }

  /** Lets what is on its way at the end arrive. */
  #passQuietly(): Promise<void> {
    return this.world.cluster.sleep(10_000);
  }

  #conclude(): void {
    const { sessions, registers, referee, model, ghost, jobs, plan } = this.world;
    referee.watch(() => sessions.conclude());
    referee.watch(() => registers.conclude());
    referee.watch(() => {
      const sum = accountsAt((path) => model.at(path, ghost.end)?.data);
      const accounts = 3 * OPENING_BALANCE;
      check(sum === accounts, () => `the accounts hold ${sum}, not ${accounts}`);
      const count = model.at('/n', ghost.end);
      const text = new TextDecoder().decode(count?.data ?? new Uint8Array());
      check(text === String(count?.version), () => `the counter says ${text} after ${count?.version} steps`);
      if (plan.mode === 'liveness' && jobs.enqueued > 0 && this.#hasWorkers())
        check(jobs.left.length === 0, () => `the jobs ${jobs.left.join()} were acknowledged and never done`);
    });
  }

  #hasWorkers(): boolean {
    return this.world.actors.some(({ isAlive }) => isAlive);
  }

  /** Every member's tree, znode by znode, is the model's. */
  #compareTrees(): void {
    const { cluster, model, ghost, referee } = this.world;
    const everything = { sessionId: 0n, identities: [{ scheme: 'super', id: '' }] };
    for (const { id, name } of cluster.members) {
      const machine = this.world.machines.get(id);
      if (machine === undefined) continue;
      referee.watch(() => {
        check(machine.lastZxid === ghost.end, () => `${name} ends at ${hex(machine.lastZxid)}`);
        for (const path of model.paths()) {
          const node = model.at(path, ghost.end);
          const { reply } = machine.read({ op: OpCode.getData, body: { path, watch: false } }, everything);
          const isSame =
            reply?.op === OpCode.getData
              ? node !== null &&
                isSameData(reply.body.data, node.data) &&
                isSameStat(reply.body.stat, statOf(node))
              : node === null;
          check(isSame, () => `${name} has another ${path} than the model`);
        }
        const open = [...model.sessions]
          .filter(([, { closedAt }]) => closedAt === null)
          .map(([session]) => session);
        const own = [...machine.sessions.keys()];
        check(
          new Set([...open, ...own]).size === open.length && open.length === own.length,
          () => `${name} has the sessions ${own.map(hex).join()}, the model ${open.map(hex).join()}`,
        );
      });
    }
  }

  /** Every client has one connection, and nobody else has any. */
  #isIdle(clients: number): boolean {
    const all = [...this.world.gauges.values()];
    const connections = all.reduce((sum, gauges) => sum + gauges.connections, 0);
    return connections === clients && all.every(({ requests }) => requests === 0);
  }

  /** Nothing is left of what is over. */
  #checkLeaks(): void {
    const { cluster, snapshotsKept, referee } = this.world;
    for (const { name, disk } of cluster.members)
      referee.watch(() => checkDisk(name, disk.names(), snapshotsKept));
  }

  /** Lets time pass, or less if something is found. */
  async #pass(ms: number): Promise<void> {
    const { cluster, referee } = this.world;
    let isOver = false;
    const timer = cluster.clock.setTimer(ms, () => (isOver = true));
    await cluster.clock.runUntil(() => isOver || referee.finding !== null, ms + 1);
    timer.cancel();
    this.#throwFinding();
  }

  async #until(holds: () => boolean, what: string): Promise<void> {
    const { cluster, referee, plan } = this.world;
    const maxMs = PATIENCE_MS + PATIENCE_TICKS * plan.tickMs;
    try {
      await cluster.clock.runUntil(() => holds() || referee.finding !== null, maxMs);
    } catch (error) {
      throw new Violation(`not within ${maxMs} ms: ${what}\n${this.#describe()}`, { cause: error });
    }
    this.#throwFinding();
  }

  async #wait(promise: Promise<unknown>, what: string): Promise<void> {
    let isSettled = false;
    const settled = promise.finally(() => (isSettled = true));
    settled.catch(() => undefined);
    await this.#until(() => isSettled, what);
    await settled;
  }

  #throwFinding(): void {
    if (this.world.referee.finding !== null) throw this.world.referee.finding;
  }

  #describe(): string {
    const { cluster, actors } = this.world;
    const members = cluster.members.map(({ name, member, state, failure }) => {
      const health = member?.health();
      return `${name}: ${state} ${health === undefined ? (failure?.message ?? '') : `${health.state} ${health.phase} of ${health.leader} epoch ${health.epoch} zxid ${health.zxid} logged ${health.lastLogged} peers ${health.peers.join()}`}`;
    });
    const clients = actors.map(({ name, client, process, pending }) => {
      return `${name}: ${process.state} ${client.state} session ${hex(client.session.id)} waits for ${[...pending.values()].join('; ')}`;
    });
    return [...members, ...clients].join('\n');
  }
}
