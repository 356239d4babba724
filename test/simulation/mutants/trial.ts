import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Focus } from '../plan.js';

/** What a worker says. */
export type Report =
  | { readonly type: 'begun'; readonly seed: number; readonly mode: string }
  | { readonly type: 'found'; readonly seed: number; readonly mode: string; readonly finding: string }
  | { readonly type: 'survived' };

/** Which seeds are played, in a row. */
export interface Seeds {
  readonly from: number;
  readonly seeds: number;
  readonly shownBy?: Focus | undefined;
}

/** What became of one mutant. */
export interface Verdict {
  /** Seeds that were played, or test files that ran, up to and with the one that found something; a seed counts once for both modes. */
  readonly seeds: number;
  /** Null if it has survived. */
  readonly finding: string | null;
  readonly mode: string;
  readonly seconds: number;
}

/** A seed takes a second or two; a mutant that stands still for so long runs in a circle. */
const SILENCE_MS = 120_000;
const ERROR_LENGTH = 2_000;

/** Runs test files on the compiled code at `root`, one after the other, until one fails or has not ended in time. */
export async function runTests(root: string, files: readonly string[]): Promise<Verdict> {
  const startedAt = performance.now();
  for (const [index, file] of files.entries()) {
    const output = await failureOf(join(root, 'test', `${file}.test.js`));
    if (output === null) continue;
    const seconds = (performance.now() - startedAt) / 1000;
    return { seeds: index + 1, finding: output, mode: file, seconds };
  }
  const seconds = (performance.now() - startedAt) / 1000;
  return { seeds: files.length, finding: null, mode: '', seconds };
}

/** The title of the first test that failed, or how the process ended; null if everything passed. */
function failureOf(path: string): Promise<string | null> {
  const child = spawn(process.execPath, ['--unhandled-rejections=strict', path], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, NO_COLOR: '1', FORCE_COLOR: '0' },
  });
  let output = '';
  let isStuck = false;
  const stuck = setTimeout(() => (isStuck = child.kill('SIGKILL')), SILENCE_MS);
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (bytes: Buffer) => (output += bytes.toString()));
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => {
      clearTimeout(stuck);
      if (code === 0) return resolve(null);
      const failed = /^\s*FAIL\s+(.*)$/m.exec(output)?.[1];
      resolve(failed ?? (isStuck ? 'the tests do not end' : `the process ends with ${code}`));
    });
  });
}

/** Plays seeds on the compiled code at `root`, in a process of its own, until one finds something. */
export function tryOut(root: string, { from, seeds, shownBy = {} }: Seeds): Promise<Verdict> {
  const startedAt = performance.now();
  const script = join(root, 'test/simulation/mutants/worker.js');
  const worker = spawn(process.execPath, [script, String(from), String(seeds), JSON.stringify(shownBy)], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let last: Report = { type: 'begun', seed: from, mode: 'safety' };
  let errors = '';
  let isStuck = false;
  const stuck = setTimeout(() => (isStuck = worker.kill('SIGKILL')), SILENCE_MS);
  createInterface(worker.stdout).on('line', (line) => {
    last = JSON.parse(line) as Report;
    stuck.refresh();
  });
  worker.stderr.on('data', (bytes: Buffer) => (errors = (errors + bytes.toString()).slice(-ERROR_LENGTH)));
  return new Promise((resolve, reject) => {
    worker.on('error', reject);
    worker.on('close', (code) => {
      clearTimeout(stuck);
      const seconds = (performance.now() - startedAt) / 1000;
      if (last.type === 'survived') return resolve({ seeds, finding: null, mode: '', seconds });
      const { seed, mode } = last;
      const died = isStuck ? 'it runs in a circle' : `the process ends with ${code}: ${errors}`;
      const finding = last.type === 'found' ? last.finding : died;
      resolve({ seeds: seed - from + 1, finding, mode, seconds });
    });
  });
}
