import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { projectRoot } from '../house/imports.js';
import { compileAndRun, snippetsOf } from './snippet.js';

// Inside the checkout, so that `quorate` resolves to the package itself.
const scratch = join(projectRoot, 'dist', 'readme');

test.after(() => rmSync(scratch, { recursive: true, force: true }));

test('the example of the README compiles, runs, ends by itself, and says hello', async () => {
  const [example] = snippetsOf('README.md');
  const output = await compileAndRun(scratch, example!);
  assert.is(output, 'hello, world\n');
});

test.run();
