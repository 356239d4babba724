import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { DRIFT_SHARE, SessionTimer } from '../../../core/client/session-timer.js';
import { VirtualClock } from '../../../core/testing/index.js';

const TIMEOUT_MS = 9000;

function timed(): { readonly clock: VirtualClock; readonly timer: SessionTimer; readonly seen: string[] } {
  const clock = new VirtualClock();
  const seen: string[] = [];
  const note = (what: string) => (): void => void seen.push(`${what}@${clock.now()}`);
  const timer = new SessionTimer(clock, {
    pingDue: note('ping'),
    silent: note('silent'),
    expired: note('expired'),
  });
  return { clock, timer, seen };
}

test('without an answer it asks for a ping, gives up the connection, and ends the session before any server can', async () => {
  const { clock, timer, seen } = timed();
  timer.linked(TIMEOUT_MS, 0);
  await clock.advance(20_000);
  assert.equal(seen, ['ping@3000', 'silent@6000', `expired@${TIMEOUT_MS * (1 - DRIFT_SHARE)}`]);
  assert.is(clock.pendingTimers, 0);
});

test('it counts from when the answered packet was sent, not from when the answer came', async () => {
  const { clock, timer, seen } = timed();
  timer.linked(TIMEOUT_MS, 0);
  await clock.advance(2500);
  timer.heard();
  timer.answered(100);
  await clock.advance(20_000);
  assert.is(seen.at(-1), `expired@${100 + TIMEOUT_MS * (1 - DRIFT_SHARE)}`);
});

test('bytes without an answer keep the connection, not the session', async () => {
  const { clock, timer, seen } = timed();
  timer.linked(TIMEOUT_MS, 0);
  for (let second = 1; second <= 10; second++) {
    await clock.advance(1000);
    timer.heard();
  }
  assert.equal(seen, ['ping@3000', 'ping@6000', `expired@${TIMEOUT_MS * (1 - DRIFT_SHARE)}`]);
});

test('an answer to something older takes nothing back', async () => {
  const { clock, timer } = timed();
  timer.linked(TIMEOUT_MS, 0);
  await clock.advance(1000);
  timer.answered(900);
  timer.answered(200);
  assert.is(timer.remainingMs, 900 + TIMEOUT_MS * (1 - DRIFT_SHARE) - 1000);
});

test('without a connection only the end of the session is waited for', async () => {
  const { clock, timer, seen } = timed();
  timer.linked(TIMEOUT_MS, 0);
  timer.unlinked();
  await clock.advance(20_000);
  assert.equal(seen, [`expired@${TIMEOUT_MS * (1 - DRIFT_SHARE)}`]);
});

test('after a pause of the process, the end is noticed by whatever comes first, before it is acted upon', () => {
  let now = 0;
  const seen: string[] = [];
  const clock = {
    now: () => now,
    wall: () => now,
    setTimer: () => ({ cancel: () => undefined }),
    soon: () => undefined,
  };
  const timer = new SessionTimer(clock, {
    pingDue: () => seen.push('ping'),
    silent: () => seen.push('silent'),
    expired: () => seen.push('expired'),
  });
  timer.linked(TIMEOUT_MS, 0);
  now = 60_000;
  timer.heard();
  timer.check();
  assert.equal(seen, ['expired']);
});

test('stopped, it asks for nothing and leaves no timer', async () => {
  const { clock, timer, seen } = timed();
  timer.linked(TIMEOUT_MS, 0);
  timer.stop();
  await clock.advance(20_000);
  assert.equal(seen, []);
  assert.is(timer.remainingMs, Infinity);
});

test.run();
