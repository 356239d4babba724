import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { growthPercent } from '../../../plugins/cli/heap-headroom.js';

const MIB = 1024 * 1024;

test('a small heap may grow by the headroom, or to four times what is alive, and a large one is left to V8', () => {
  assert.is(growthPercent(8 * MIB), 300);
  assert.is(growthPercent(32 * MIB), 200);
  assert.is(growthPercent(64 * MIB), 100);
  assert.is(growthPercent(65 * MIB), 0);
  assert.is(growthPercent(2_000 * MIB), 0);
});

/** Prints how many MB are kept before V8 first collects the old generation of a process that was quiet with 13 MiB alive. */
const PROGRAM = `
  import { constants, PerformanceObserver } from 'node:perf_hooks';
  import { keepHeapHeadroom } from '${new URL('../../../plugins/cli/heap-headroom.js', import.meta.url).href}';
  keepHeapHeadroom();
  const alive = [];
  const keep = () => alive.push(Buffer.alloc(1000).latin1Slice());
  for (let kept = 0; kept < 10_000; kept++) keep();
  for (let times = 0; times < 15; times++) {
    gc();
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  let isCollected = false;
  new PerformanceObserver((list) => {
    isCollected ||= list.getEntries().some(({ detail }) => detail.kind === constants.NODE_PERFORMANCE_GC_MAJOR);
  }).observe({ entryTypes: ['gc'] });
  let kept = 0;
  for (; !isCollected; kept++) {
    keep();
    if (kept % 20 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  console.log(kept / 1000);
`;

test('a process that was quiet for a while is not collected before its heap has grown by twice what was alive', async () => {
  const run = promisify(execFile);
  const known = await run(process.execPath, ['--v8-options'], { maxBuffer: 64 * MIB });
  assert.match(known.stdout, /--heap-growing-percent/, 'this V8 has no such flag any more');
  const { stdout } = await run(process.execPath, ['--expose-gc', '--input-type=module', '--eval', PROGRAM]);
  assert.ok(Number(stdout) > 26, `collected after ${stdout.trim()} MB`);
});

test.run();
