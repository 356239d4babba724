import { execFileSync, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Part } from './parts.js';
import type { Row } from './table.js';

const TESTS = fileURLToPath(new URL('../', import.meta.url));
const PROJECT = fileURLToPath(new URL('../../../', import.meta.url));
/** Of the output of a part that failed. */
const LONGEST_REASON = 300;

/** Runs a part in a process of its own, shows what it prints, and says what came of it. */
export async function tryPart(part: Part, commit: string): Promise<Row> {
  const [file, ...args] = part.command;
  const startedAt = performance.now();
  const child = spawn(process.execPath, ['--enable-source-maps', `${TESTS}${file}`, ...args], {
    cwd: PROJECT,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...part.environment, NO_COLOR: '1', FORCE_COLOR: '0' },
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      output += chunk.toString();
      process.stdout.write(chunk);
    });
  }
  const exit = await new Promise<number | string>((resolve) => {
    child.on('close', (code, signal) => resolve(code ?? signal ?? 'unknown'));
  });
  const seconds = (performance.now() - startedAt) / 1000;
  return rowOf(part, { exit, output, seconds, commit, date: new Date() });
}

/** What came of a part that ended so. */
export function rowOf(
  part: Part,
  run: {
    readonly exit: number | string;
    readonly output: string;
    readonly seconds: number;
    readonly commit: string;
    readonly date: Date;
  },
): Row {
  const { name, about, command, environment = {}, figures } = part;
  const { exit, output, ...rest } = run;
  const found = figures(output);
  const isOk = exit === 0 && found !== null;
  const result = found ?? `ended with ${exit} and without figures: ${lastLine(output)}`;
  const settings = Object.entries(environment).map(([key, value]) => `${key}=${value} `);
  return {
    name,
    about,
    isOk,
    result,
    command: `${settings.join('')}node dist/test/${command.join(' ')}`,
    ...rest,
  };
}

/** The short name of the commit, and that the sources differ from it if they do. */
export function commitNow(): string {
  const git = (...args: readonly string[]): string =>
    execFileSync('git', args, { cwd: PROJECT, encoding: 'utf8' }).trim();
  const changed = git('status', '--porcelain', '--', '.', ':!test/PROOF.md');
  return `${git('rev-parse', '--short=10', 'HEAD')}${changed === '' ? '' : ' and changes'}`;
}

function lastLine(output: string): string {
  return (output.trimEnd().split('\n').at(-1) ?? '').slice(0, LONGEST_REASON);
}
