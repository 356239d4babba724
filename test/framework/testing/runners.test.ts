import { spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { test } from 'uvu';
import * as assert from 'uvu/assert';

const programs = join(dirname(fileURLToPath(import.meta.url)), 'programs');

/** Runs a program away from the variables by which a runner knows that it is run by another. */
function run(
  program: string,
  ...options: string[]
): { status: number | null; stdout: string; stderr: string } {
  const { NODE_TEST_CONTEXT: _, NODE_OPTIONS: __, ...env } = process.env;
  return spawnSync(process.execPath, [...options, join(programs, program)], {
    encoding: 'utf8',
    timeout: 60_000,
    env,
  });
}

test('the kit works in a file of node:test, with tests side by side', () => {
  const { status, stdout, stderr } = run('with-node-test.js', '--test', '--test-reporter=tap');
  assert.is(status, 0, stdout + stderr);
  assert.match(stdout, /^# pass 2$/m);
});

test('a test that awaits what time would have to move for is told so when its process ends', () => {
  const { status, stderr } = run('standing-still.js');
  assert.is(status, 13);
  assert.match(
    stderr,
    /TestFleetWarning: the test waits for something while the time of its fleet stands still/,
  );
  assert.match(stderr, /application shop: running; connected/);
  assert.match(stderr, /pending: .*in [\d.]+ ms/);
});

test.run();
