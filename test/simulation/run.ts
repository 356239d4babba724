import type { Actor } from './actor.js';
import { check } from './checkers/referee.js';
import { Faults } from './faults/faults.js';
import { OldDisk } from './old-disk.js';
import { isEpochEverUsedUp, isOfClients, planFor, type Focus, type Mode, type Plan } from './plan.js';
import { Progress } from './progress.js';
import { TotalLoss } from './total-loss.js';
import { Waiting } from './waiting.js';
import { setUp, workloads, OPENING_BALANCE } from './workloads/index.js';
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
  /** How long what was demanded took, in ticks. */
  readonly times: Readonly<Record<string, number>>;
}

export interface RunOptions {
  readonly seed: number;
  readonly mode: Mode;
  /** What the plan is made to have. */
  readonly focus?: Focus | undefined;
  /** Gets what happens in readable lines. */
  readonly trace?: ((line: string) => void) | undefined;
}

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
      ...Object.fromEntries([...world.ends.counts].map(([code, count]) => [`closed${code}`, count])),
    },
    times: world.times,
  };
}

class Run {
  readonly #world: World;
  readonly #faults: Faults;
  readonly #waiting: Waiting;
  readonly #progress: Progress;

  constructor(world: World) {
    this.#world = world;
    this.#faults = new Faults(world, () => this.#enter());
    this.#waiting = new Waiting(world);
    this.#progress = new Progress(world, this.#waiting);
  }

  async play(): Promise<void> {
    const { cluster, plan, referee } = this.#world;
    this.#world.note('all', `begin: ${JSON.stringify(plan)}`);
    cluster.start();
    if (plan.mode === 'founding') while (this.#world.actors.length < plan.clients) this.#enter();
    else await this.#begin();
    this.#faults.begin();
    await this.#waiting.pass(plan.strikeMs);
    this.#faults.end();
    if (plan.mode !== 'safety') await this.#demandProgress();
    else {
      await this.#waiting.pass(10 * plan.tickMs);
      if (plan.losesVoters) await new TotalLoss(this.#world, this.#waiting).play();
    }
    if (referee.finding !== null) return;
    this.#conclude();
  }

  /** The ensemble is founded, and the clients begin, before any fault. */
  async #begin(): Promise<void> {
    const { cluster, plan, roles } = this.#world;
    await this.#waiting.until(
      () => cluster.members.every(({ isServing }) => isServing),
      'every member serves for the first time',
    );
    if (!isEpochEverUsedUp(plan)) roles.expectCalm('no fault has struck');
    const first = this.#world.enter();
    await this.#waiting.settled(setUp(first), 'the workloads are set up');
    this.#work(first);
    while (this.#world.actors.length < plan.clients) this.#enter();
    if (plan.faults.some((kind) => !isOfClients(kind))) roles.expectCalm(null);
  }

  async #demandProgress(): Promise<void> {
    if (this.#world.plan.isSparse) await this.#progress.demandQuorum();
    await this.#progress.demandLeader();
    if (this.#world.plan.mode === 'founding')
      await this.#waiting.settled(setUp(this.#world.enter()), 'the workloads are set up');
    if (this.#world.plan.returnsDisk) await new OldDisk(this.#world, this.#waiting).play();
    await this.#progress.demandAnswers();
    this.#faults.stop();
    await this.#progress.demandEnd();
  }

  #enter(): void {
    this.#work(this.#world.enter());
  }

  #work(actor: Actor): void {
    const { plan, referee } = this.#world;
    const chosen = plan.workloads.filter(() => plan.workloads.length === 1 || actor.chance(0.7));
    for (const name of chosen) void workloads[name](actor).catch((error: unknown) => referee.report(error));
  }

  #conclude(): void {
    const { sessions, registers, referee, model, ghost, jobs, plan } = this.#world;
    referee.watch(() => sessions.conclude());
    referee.watch(() => registers.conclude());
    referee.watch(() => {
      const sum = accountsAt((path) => model.at(path, ghost.end)?.data);
      const accounts = 3 * OPENING_BALANCE;
      check(sum === accounts, () => `the accounts hold ${sum}, not ${accounts}`);
      const count = model.at('/n', ghost.end);
      const text = new TextDecoder().decode(count?.data ?? new Uint8Array());
      check(text === String(count?.version), () => `the counter says ${text} after ${count?.version} steps`);
      if (plan.mode !== 'safety' && jobs.enqueued > 0 && this.#hasWorkers())
        check(jobs.left.length === 0, () => `the jobs ${jobs.left.join()} were acknowledged and never done`);
    });
  }

  #hasWorkers(): boolean {
    return this.#world.actors.some(({ isAlive }) => isAlive);
  }
}
