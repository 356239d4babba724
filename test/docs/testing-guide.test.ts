import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { projectRoot } from '../house/imports.js';
import { compileAndRun, snippetsOf } from './snippet.js';

// Inside the checkout, so that `quorate` resolves to the package itself.
const scratch = join(projectRoot, 'dist', 'testing-guide');
const guide = 'framework/testing/README.md';

test.after(() => rmSync(scratch, { recursive: true, force: true }));

test('the first test of the guide passes under uvu', async () => {
  const output = await compileAndRun(scratch, snippetsOf(guide)[0]!);
  assert.match(output, /Passed: +1/);
});

test('the other tests of the guide pass under node:test', async () => {
  const others = snippetsOf(guide).slice(1);
  assert.ok(others.length > 1);
  for (const snippet of others)
    assert.match(await compileAndRun(scratch, snippet), /pass 1\b[\s\S]*fail 0\b/);
});

test.run();
