import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { LeaderSessions } from '../../../../core/server/pipeline/leader-sessions.js';

const TICK_MS = 100;
const GRACE_MS = 600;
const TIMEOUT_MS = 1_000;
const LEADER = 1;
const LEARNER = 2;

function sessions(): LeaderSessions {
  return new LeaderSessions({ tickMs: TICK_MS, id: LEADER, graceMs: GRACE_MS });
}

/** When the session is first told to be expired, looking every ten milliseconds; `at` happens before each look. */
function expiryOf(tracker: LeaderSessions, at: (now: number) => void = () => undefined): number {
  for (let now = 0; now < 20_000; now += 10) {
    at(now);
    if (tracker.expired(now, 10).includes(7n)) return now;
  }
  return Infinity;
}

test('a session of the leader itself expires within a tick after its timeout', () => {
  const tracker = sessions();
  tracker.track(7n, TIMEOUT_MS, LEADER, 0);
  const at = expiryOf(tracker);
  assert.ok(at >= TIMEOUT_MS && at <= TIMEOUT_MS + TICK_MS, `${at}`);
});

test('a session of a learner expires only when the learner has reported up to then', () => {
  const silent = sessions();
  silent.track(7n, TIMEOUT_MS, LEARNER, 0);
  assert.is(expiryOf(silent), Infinity);

  const late = sessions();
  late.track(7n, TIMEOUT_MS, LEARNER, 0);
  const at = expiryOf(late, (now) => late.report(LEARNER, [], now - 300, now));
  assert.ok(at >= TIMEOUT_MS + 300, `${at}`);
});

test('whom a learner reports gets a whole timeout, unless another member speaks for it by now', () => {
  const tracker = sessions();
  tracker.track(7n, TIMEOUT_MS, LEARNER, 0);
  const reported = expiryOf(tracker, (now) => tracker.report(LEARNER, now === 900 ? [7n] : [], now, now));
  assert.ok(reported >= 900 + TIMEOUT_MS);

  const moved = sessions();
  moved.track(7n, TIMEOUT_MS, LEARNER, 0);
  assert.equal(moved.claim(7n, LEADER, 0), { timeoutMs: TIMEOUT_MS, previous: LEARNER });
  assert.ok(expiryOf(moved, (now) => moved.report(LEARNER, [7n], now, now)) <= TIMEOUT_MS + TICK_MS);
});

test('when a learner is lost its sessions live for a timeout from when it must have stopped serving', () => {
  const tracker = sessions();
  tracker.track(7n, TIMEOUT_MS, LEARNER, 0);
  const at = expiryOf(tracker, (now) => {
    if (now < 500) tracker.report(LEARNER, [], now, now);
    if (now === 500) tracker.lost(LEARNER, now);
  });
  assert.ok(at >= 500 + GRACE_MS + TIMEOUT_MS, `${at}`);
  assert.ok(at <= 500 + GRACE_MS + TIMEOUT_MS + TICK_MS, `${at}`);
  assert.not(tracker.isOwner(7n, LEARNER), 'it has to be taken up again');
});

test('under a new leader every session lives for a timeout from when the followers of the old one have stopped', () => {
  const tracker = sessions();
  tracker.begin(new Map([[7n, TIMEOUT_MS]]), 0);
  const at = expiryOf(tracker);
  assert.ok(at >= GRACE_MS + TIMEOUT_MS && at <= GRACE_MS + TIMEOUT_MS + TICK_MS, `${at}`);
});

test('a session that is closing, or unknown, is claimed by nobody and does not expire again', () => {
  const tracker = sessions();
  tracker.track(7n, TIMEOUT_MS, LEADER, 0);
  tracker.setClosing(7n);
  assert.is(tracker.claim(7n, LEARNER, 0), null);
  assert.is(tracker.claim(8n, LEARNER, 0), null);
  assert.is(expiryOf(tracker), Infinity);
});

test('nothing is kept of a session that is closed', () => {
  const tracker = sessions();
  tracker.track(7n, TIMEOUT_MS, LEARNER, 0);
  tracker.claim(7n, LEADER, 0);
  tracker.claim(7n, LEARNER, 0);
  assert.is(tracker.movesOf(7n), 2);
  tracker.setClosing(7n);
  assert.ok(tracker.isClosing(7n));
  tracker.closed(7n);
  assert.is(tracker.movesOf(7n), 0);
  assert.not(tracker.isClosing(7n));
  assert.not(tracker.isOwner(7n, LEARNER));
  assert.not(tracker.touch(7n, 0));
});

test('claiming a session that one has already tells nobody', () => {
  const tracker = sessions();
  tracker.track(7n, TIMEOUT_MS, LEARNER, 0);
  assert.equal(tracker.claim(7n, LEARNER, 0), { timeoutMs: TIMEOUT_MS, previous: null });
});

test.run();
