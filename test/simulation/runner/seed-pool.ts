import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import type { Mode } from '../plan.js';

/** What a worker tells of a run; a finding is told in words. */
export interface SeedReport {
  readonly seed: number;
  readonly mode: Mode;
  readonly finding: string | null;
  readonly transactions: number;
  readonly epochs: number;
  readonly virtualMs: number;
  readonly counts: Readonly<Record<string, number>>;
}

export interface Job {
  readonly seed: number;
  readonly mode: Mode;
}

export interface SeedPoolOptions {
  /** Default: as many as there are processors. */
  readonly workers?: number | undefined;
  /** A run that has not ended by then hangs. Milliseconds of true time, which pass quickly where many others compute. Default five minutes. */
  readonly timeoutMs?: number;
}

const DEFAULT_TIMEOUT_MS = 300_000;

/** Runs seeds on several threads. */
export class SeedPool {
  readonly #workers: number;
  readonly #timeoutMs: number;

  constructor(options: SeedPoolOptions = {}) {
    this.#workers = options.workers ?? availableParallelism();
    this.#timeoutMs = options.timeoutMs ?? DEFAULT_TIMEOUT_MS;
  }

  /** Runs all of them; `report` is called as each ends and may say that it is enough, by returning false. */
  async run(jobs: Iterable<Job>, report: (seed: SeedReport) => boolean): Promise<void> {
    const queue = jobs[Symbol.iterator]();
    let isEnough = false;
    const next = (): Job | undefined => {
      const job = isEnough ? undefined : queue.next();
      return job?.done === false ? job.value : undefined;
    };
    const told = (seed: SeedReport): void => {
      if (!isEnough && !report(seed)) isEnough = true;
    };
    await Promise.all(Array.from({ length: this.#workers }, () => this.#work(next, told)));
  }

  async #work(next: () => Job | undefined, told: (seed: SeedReport) => void): Promise<void> {
    for (let job = next(); job !== undefined; job = next()) {
      const worker = new Worker(new URL('worker.js', import.meta.url));
      try {
        for (; job !== undefined; job = next()) {
          const report: SeedReport = await this.#play(worker, job);
          told(report);
          if (report.finding?.startsWith(HANGS) === true) break;
        }
      } finally {
        await worker.terminate();
      }
    }
  }

  #play(worker: Worker, job: Job): Promise<SeedReport> {
    const lost = (why: string): SeedReport => {
      return { ...job, finding: why, transactions: 0, epochs: 0, virtualMs: 0, counts: {} };
    };
    return new Promise((resolve) => {
      const died = (error: Error): void => end(lost(`${HANGS}: the worker died: ${error.message}`));
      const ended = (): void => end(lost(`${HANGS}: the worker ended`));
      const end = (report: SeedReport): void => {
        clearTimeout(watchdog);
        worker.off('message', end).off('error', died).off('exit', ended);
        resolve(report);
      };
      const silent = (): void => end(lost(`${HANGS}: no end after ${this.#timeoutMs / 1000} s`));
      const watchdog = setTimeout(silent, this.#timeoutMs);
      worker.on('message', end).on('error', died).on('exit', ended);
      worker.postMessage(job, []);
    });
  }
}

const HANGS = 'it hangs';
