import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { SimulatedProcess, VirtualClock } from '../../../core/testing/index.js';

test('while the clock of a process stands still no timer fires, and afterwards each waits what was left', async () => {
  const clock = new VirtualClock();
  const process = new SimulatedProcess(clock);
  const fired: string[] = [];
  process.setTimer(100, () => fired.push('early'));
  await clock.advance(40);
  process.stopClock();
  process.setTimer(10, () => fired.push('set while it stands still'));
  await clock.advance(1000);
  assert.is(process.now(), 40);
  assert.equal(fired, []);
  process.startClock();
  await clock.advance(10);
  assert.equal(fired, ['set while it stands still']);
  await clock.advance(50);
  assert.equal(fired, ['set while it stands still', 'early']);
  assert.is(process.now(), 100);
  assert.is(process.pendingTimers, 0);
});

test('a timer that is cancelled while the clock of its process stands still never fires', async () => {
  const clock = new VirtualClock();
  const process = new SimulatedProcess(clock, { rate: 2 });
  let hasFired = false;
  const timer = process.setTimer(100, () => (hasFired = true));
  process.stopClock();
  process.stopClock();
  timer.cancel();
  process.startClock();
  process.startClock();
  await clock.advance(1000);
  assert.not(hasFired);
  assert.is(process.now(), 2000);
});

test.run();
