/**
 * Runs the test files, each in a process of its own so that none can disturb another:
 * `node dist/test/run.js [--jobs N] [words…]`, where a file runs if its path contains any of the words (all do if none is given).
 * What a test measured, lines that begin with `# `, is shown. What failed is named again at the end. The last line is `N passed, N failed, N skipped`;
 * the exit code is 1 if anything failed.
 */
import { spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

/** A file that has not ended by then hangs. */
const FILE_TIMEOUT_MS = 420_000;

/** What takes longest begins first, so that nothing long is left at the end. */
const LONGEST_FIRST = ['simulation/', 'process/kill', 'process/', 'engines/'];

interface Outcome {
  readonly file: string;
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  readonly seconds: number;
  readonly output: string;
}

const testRoot = dirname(fileURLToPath(import.meta.url));

function testFiles(words: readonly string[]): string[] {
  return readdirSync(testRoot, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.test.js'))
    .filter((file) => words.length === 0 || words.some((word) => file.includes(word)))
    .sort((one, other) => rank(one) - rank(other) || (one < other ? -1 : 1));
}

function rank(file: string): number {
  const place = LONGEST_FIRST.findIndex((beginning) => file.startsWith(beginning));
  return place < 0 ? LONGEST_FIRST.length : place;
}

function count(output: string, label: string): number {
  const match = new RegExp(`^\\s*${label}:\\s+(\\d+)\\s*$`, 'm').exec(output);
  return match === null ? 0 : Number(match[1]);
}

function runFile(file: string): Promise<Outcome> {
  const startedAt = performance.now();
  const child = spawn(
    process.execPath,
    ['--enable-source-maps', '--unhandled-rejections=strict', join(testRoot, file)],
    {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, NO_COLOR: '1', FORCE_COLOR: '0' },
    },
  );
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const watchdog = setTimeout(() => {
    output += `\nno end after ${FILE_TIMEOUT_MS / 1000} s: killed\n`;
    child.kill('SIGKILL');
  }, FILE_TIMEOUT_MS);
  return new Promise((resolve) => {
    child.on('close', (code) => {
      clearTimeout(watchdog);
      const total = count(output, 'Total');
      const passed = count(output, 'Passed');
      const skipped = count(output, 'Skipped');
      const brokeOutside = code !== 0 || total + skipped === 0 ? 1 : 0;
      const failed = Math.max(total - passed, brokeOutside);
      resolve({ file, passed, failed, skipped, seconds: (performance.now() - startedAt) / 1000, output });
    });
  });
}

function report(outcome: Outcome): void {
  const mark = outcome.failed === 0 ? 'ok  ' : 'FAIL';
  const skipped = outcome.skipped === 0 ? '' : `, ${outcome.skipped} skipped`;
  console.log(
    `${mark} ${outcome.file} — ${outcome.passed} passed${skipped} (${outcome.seconds.toFixed(1)} s)`,
  );
  for (const measured of outcome.output.matchAll(/^# .+$/gm)) console.log(`     ${measured[0]}`);
  if (outcome.failed > 0) console.log(outcome.output.replace(/^/gm, '     | '));
}

/** The titles of the tests that failed, each with the first line of its error. */
function failuresOf({ file, output }: Outcome): string {
  const failures = [...output.matchAll(/^\s*FAIL\s+(.+)\n(.*)$/gm)];
  const lines = failures.map(([, title = '', error = '']) => `failed: ${file}: ${title}: ${error.trim()}`);
  return lines.length > 0 ? lines.join('\n') : `failed: ${file}: it ended before its last test`;
}

const { values, positionals } = parseArgs({
  // One more than there are cores: many a test waits for a timer or a disk.
  options: { jobs: { type: 'string', default: String(availableParallelism() + 1) } },
  allowPositionals: true,
});
const queue = testFiles(positionals);
const outcomes: Outcome[] = [];
async function work(): Promise<void> {
  for (let file = queue.shift(); file !== undefined; file = queue.shift()) {
    const outcome = await runFile(file);
    outcomes.push(outcome);
    report(outcome);
  }
}
if (queue.length === 0) {
  console.error(`no test file under ${relative(process.cwd(), testRoot)} matches ${positionals.join(' ')}`);
  process.exitCode = 1;
}
await Promise.all(Array.from({ length: Math.max(1, Number(values.jobs)) }, work));
const sum = (pick: (outcome: Outcome) => number): number =>
  outcomes.reduce((total, next) => total + pick(next), 0);
const failed = sum((outcome) => outcome.failed);
if (failed > 0) process.exitCode = 1;
for (const outcome of outcomes.filter((each) => each.failed > 0)) console.log(failuresOf(outcome));
console.log(
  `${sum((outcome) => outcome.passed)} passed, ${failed} failed, ${sum((outcome) => outcome.skipped)} skipped`,
);
