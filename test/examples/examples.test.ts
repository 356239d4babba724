import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { projectRoot } from '../house/imports.js';
import { promisedOutput } from './promised-output.js';

/** An example that takes longer is no small program any more. */
const LONGEST_MS = 20_000;

const examples = readdirSync(join(projectRoot, 'examples')).filter((file) => file.endsWith('.ts'));

test('there is an example for every declaration', () => {
  const expected = [
    'config.ts',
    'leader-only.ts',
    'locked.ts',
    'recipes.ts',
    'service.ts',
    'sharded.ts',
    'worker.ts',
  ];
  assert.equal(
    expected.filter((file) => !examples.includes(file)),
    [],
  );
});

/** What examples of a refusal or a failure log to stderr by default, whole. */
const WARNINGS: Readonly<Record<string, RegExp>> = {
  'config.ts': /^\[quorate\] error: configuration refused, [^\n]*\n$/,
  'worker.ts': /^\[quorate\] warning: A job failed; it is retried [^\n]*\n(?: {4}[^\n]*\n)+$/,
};

for (const file of examples) {
  test(`examples/${file} prints what its header says, and ends by itself`, () => {
    const promised = promisedOutput(file);
    assert.ok(promised.length > 0, 'its header says what it prints');
    const directory = mkdtempSync(join(tmpdir(), 'quorate-example-'));

    const program = join(projectRoot, 'dist', 'examples', file.replace(/\.ts$/, '.js'));
    const { status, signal, stdout, stderr } = spawnSync(process.execPath, [program], {
      cwd: directory,
      encoding: 'utf8',
      timeout: LONGEST_MS,
    });

    const left = readdirSync(directory);
    rmSync(directory, { recursive: true });
    assert.equal(stdout.trimEnd().split('\n'), promised, stderr);
    assert.is(status, 0, `${signal ?? ''} ${stderr}`);
    assert.match(stderr, WARNINGS[file] ?? /^$/);
    assert.equal(left, [], 'it leaves nothing behind');
  });
}

test.run();
