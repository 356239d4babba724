import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { projectRoot } from '../house/imports.js';

/** An example that takes longer is no small program any more. */
const LONGEST_MS = 20_000;

const examples = readdirSync(join(projectRoot, 'examples')).filter((file) => file.endsWith('.ts'));

/** What the header of an example says that it prints. */
function promisedOutput(file: string): string[] {
  const source = readFileSync(join(projectRoot, 'examples', file), 'utf8');
  const header = /^\/\*\*\n([\s\S]*?)\n \*\//.exec(source)?.[1] ?? '';
  const lines = header.split('\n').map((line) => line.replace(/^ \* ?/, ''));
  return lines
    .slice(lines.indexOf('Prints:') + 1)
    .filter((line) => line.startsWith('  '))
    .map((line) => line.slice(2));
}

test('there is an example for every declaration', () => {
  const expected = ['config.ts', 'leader-only.ts', 'locked.ts', 'recipes.ts', 'service.ts', 'worker.ts'];
  assert.equal(
    expected.filter((file) => !examples.includes(file)),
    [],
  );
});

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
    assert.is(stderr, '');
    assert.equal(left, [], 'it leaves nothing behind');
  });
}

test.run();
