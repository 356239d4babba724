import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { projectRoot } from '../house/imports.js';
import { serveOverTcp } from '../plugins/zookeeper/served.js';
import { compileAndRun, snippetsOf } from './snippet.js';

// Inside the checkout, so that `quorate` resolves to the package itself.
const scratch = join(projectRoot, 'dist', 'readme');

test.after(() => rmSync(scratch, { recursive: true, force: true }));

test('the example of the README compiles, runs, ends by itself, and says hello', async () => {
  const [example] = snippetsOf('README.md');
  const output = await compileAndRun(scratch, example!);
  assert.is(output, 'hello, world\n');
});

test('the example of three engines runs on each by its connect string alone', async () => {
  const [, example] = snippetsOf('README.md');
  await using served = await serveOverTcp();
  const engines = ['embedded:', `${served.member.address}/ws`, `zk://127.0.0.1:${served.port}/zk`];
  for (const engine of engines) {
    const output = await compileAndRun(scratch, example!, { CONNECT: engine });
    assert.is(output, "{ currency: 'USD' }\n", engine);
  }
});

test.run();
