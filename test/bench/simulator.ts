/** How fast whole ensembles are simulated. */
import { availableParallelism } from 'node:os';
import { VirtualClock } from '../../core/testing/index.js';
import type { Timer } from '../../core/runtime/index.js';
import { run as play } from '../simulation/run.js';
import { SeedPool } from '../simulation/runner/seed-pool.js';
import type { Bench, BenchRun } from './bench-run.js';
import { table } from './figures.js';
import type { Section } from './results.js';

const MODES = ['safety', 'liveness'] as const;
const FIRST_SEED = 1;
const WARM_UP = 3;
const SEEDS = { full: 100, quick: 5 };

export const simulator: Bench = { name: 'simulator', needsTools: false, run: measure };

async function measure(run: BenchRun): Promise<Section> {
  const seeds = run.isQuick ? SEEDS.quick : SEEDS.full;
  const rows: (string | number)[][] = [
    [
      'mode',
      'steps/s',
      'transactions/s',
      'virtual s in a second',
      'runs in a minute',
      'runs in a minute, all cores',
    ],
  ];
  for (const mode of MODES) {
    run.note(mode);
    const alone = await playAlone(mode, seeds);
    const pooled = await playTogether(mode, seeds * availableParallelism());
    rows.push([mode, alone.steps, alone.transactions, alone.virtual, alone.runs, pooled]);
  }
  return {
    title: 'Simulator',
    about:
      `${seeds} seeds in each mode, one after the other in one thread, and then so many for each of ${availableParallelism()} threads. A step is a task ` +
      'of the virtual clock that was run: a message that arrived, a timer that fired, a turn of a loop.',
    commands: [`npm run bench -- --only simulator${run.isQuick ? ' --quick' : ''}`],
    body: table(rows),
  };
}

interface Pace {
  readonly steps: number;
  readonly transactions: number;
  readonly virtual: number;
  /** In a minute; all else is in a second. */
  readonly runs: number;
}

async function playAlone(mode: (typeof MODES)[number], seeds: number): Promise<Pace> {
  using counter = new StepCounter();
  for (let seed = FIRST_SEED; seed < FIRST_SEED + WARM_UP; seed++) await play({ seed, mode });
  const before = counter.steps;
  let transactions = 0;
  let virtualMs = 0;
  const at = performance.now();
  for (let seed = FIRST_SEED; seed < FIRST_SEED + seeds; seed++) {
    const outcome = await play({ seed, mode });
    if (outcome.finding !== null) throw outcome.finding;
    transactions += outcome.transactions;
    virtualMs += outcome.virtualMs;
  }
  const seconds = (performance.now() - at) / 1000;
  return {
    steps: (counter.steps - before) / seconds,
    transactions: transactions / seconds,
    virtual: virtualMs / 1000 / seconds,
    runs: (60 * seeds) / seconds,
  };
}

/** Runs in a minute, on all cores. */
async function playTogether(mode: (typeof MODES)[number], seeds: number): Promise<number> {
  const at = performance.now();
  const jobs = Array.from({ length: seeds }, (_, index) => ({ seed: FIRST_SEED + index, mode }));
  await new SeedPool().run(jobs, ({ seed, finding }) => {
    if (finding !== null) throw new Error(`seed ${seed} in ${mode} mode: ${finding}`);
    return true;
  });
  return (60_000 * seeds) / (performance.now() - at);
}

/** Sees every task that a virtual clock of this thread is given, and counts those that it runs. */
class StepCounter implements Disposable {
  steps = 0;
  readonly #original = {
    soon: Object.getOwnPropertyDescriptor(VirtualClock.prototype, 'soon')!,
    setTimer: Object.getOwnPropertyDescriptor(VirtualClock.prototype, 'setTimer')!,
  };

  constructor() {
    const soon = this.#original.soon.value as (task: () => void) => void;
    const setTimer = this.#original.setTimer.value as (delayMs: number, task: () => void) => Timer;
    const counted = (task: () => void) => (): void => {
      this.steps += 1;
      task();
    };
    VirtualClock.prototype.soon = function (task): void {
      soon.call(this, counted(task));
    };
    VirtualClock.prototype.setTimer = function (delayMs, task): Timer {
      return setTimer.call(this, delayMs, counted(task));
    };
  }

  [Symbol.dispose](): void {
    Object.defineProperties(VirtualClock.prototype, this.#original);
  }
}
