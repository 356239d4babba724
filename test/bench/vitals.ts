/** What a process holds: memory behind a collection of garbage, descriptors, timers. */
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { descriptorsOf, residentBytesOf } from './machine.js';

export interface Vitals {
  /** Bytes that are reachable: the heap, and buffers beside it. */
  readonly heapBytes: number;
  /** Timers that are set, if `countTimers` was called before. */
  readonly timers: number;
  /** What keeps the process alive: sockets, servers, requests to the system. */
  readonly handles: number;
}

export interface ProcessVitals extends Vitals {
  readonly pid: number;
  readonly residentBytes: number;
  readonly descriptors: number;
}

const POLL_MS = 10;
const PATIENCE_MS = 20_000;

let collect: (() => void) | null = null;
const timers = new Set<NodeJS.Timeout>();

/** From here on, of this thread. The system's own list leaves out those that do not keep the process alive. */
export function countTimers(): void {
  const { setTimeout: set, clearTimeout: clear, setInterval: repeat, clearInterval: end } = globalThis;
  const setCounted = (
    task: (...args: unknown[]) => void,
    ms?: number,
    ...args: unknown[]
  ): NodeJS.Timeout => {
    const timer = set(() => {
      timers.delete(timer);
      task(...args);
    }, ms);
    timers.add(timer);
    return timer;
  };
  const repeatCounted = (...args: Parameters<typeof repeat>): NodeJS.Timeout => {
    const timer = repeat(...args);
    timers.add(timer);
    return timer;
  };
  const counting =
    (cancel: typeof clear) =>
    (timer?: NodeJS.Timeout | string | number): void => {
      timers.delete(timer as NodeJS.Timeout);
      cancel(timer);
    };
  Object.assign(globalThis, {
    // What `util.promisify` looks for comes along.
    setTimeout: Object.assign(setCounted, set),
    clearTimeout: counting(clear),
    setInterval: Object.assign(repeatCounted, repeat),
    clearInterval: counting(end),
  });
}

/**
 * Of this process; collects garbage first, which takes tens of milliseconds. Twice: buffers that the first collection has found to be
 * garbage are given back beside the program, and count until then; the second waits for that.
 */
export function ownVitals(): Vitals {
  if (collect === null) {
    setFlagsFromString('--expose-gc');
    collect = runInNewContext('gc') as () => void;
  }
  collect();
  collect();
  const { heapUsed, external } = process.memoryUsage();
  const handles = process.getActiveResourcesInfo().filter((name) => name !== 'Timeout').length;
  return { heapBytes: heapUsed + external, timers: timers.size, handles };
}

/** Of a process that has `programs/vitals.js` loaded and writes into `directory`; null if it ends meanwhile. */
export async function vitalsOf(pid: number, directory: string): Promise<ProcessVitals | null> {
  const file = join(directory, `${pid}.json`);
  rmSync(file, { force: true });
  try {
    process.kill(pid, 'SIGUSR2');
    const deadline = performance.now() + PATIENCE_MS;
    while (!existsSync(file)) {
      process.kill(pid, 0);
      if (performance.now() > deadline) throw new Error(`process ${pid} does not tell of itself`);
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
    const vitals = JSON.parse(readFileSync(file, 'utf8')) as Vitals;
    return { ...vitals, pid, residentBytes: residentBytesOf(pid), descriptors: descriptorsOf(pid) };
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ESRCH' || code === 'ENOENT') return null;
    throw error;
  }
}

/** By how much a value grows from the first to the last of these moments, if it grows on a straight line: least squares. */
export function growth(points: readonly { readonly x: number; readonly y: number }[]): number {
  const mean = (values: readonly number[]): number =>
    values.reduce((sum, value) => sum + value, 0) / values.length;
  const [x, y] = [mean(points.map((point) => point.x)), mean(points.map((point) => point.y))];
  const over = points.reduce((sum, point) => sum + (point.x - x) * (point.y - y), 0);
  const under = points.reduce((sum, point) => sum + (point.x - x) ** 2, 0);
  const all = points.map((point) => point.x);
  return under === 0 ? 0 : (over / under) * (Math.max(...all) - Math.min(...all));
}
