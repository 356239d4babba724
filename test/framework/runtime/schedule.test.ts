import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Duration } from '../../../framework/decorators/leader-only.js';
import { durationMs, scheduleOf } from '../../../framework/runtime/schedule.js';

/** The next moments of a calendar after one of them, in UTC. */
function occurrences(cron: string, timezone: string, from: string, count: number): string[] {
  const schedule = scheduleOf({ name: 'job', cron, timezone });
  assert.is(schedule.kind, 'cron');
  const next = schedule.kind === 'cron' ? schedule.next : () => null;
  const found: string[] = [];
  for (let at: number | null = Date.parse(from); found.length < count;) {
    at = next(at);
    if (at === null) break;
    found.push(new Date(at).toISOString());
  }
  return found;
}

test('durations are milliseconds or a whole number with a unit', () => {
  const cases: readonly (readonly [Duration, number])[] = [
    [250, 250],
    ['500ms', 500],
    ['30s', 30_000],
    ['5m', 300_000],
    ['1h', 3_600_000],
    ['7d', 604_800_000],
  ];
  for (const [duration, ms] of cases) assert.is(durationMs(duration), ms);
});

test('what is no duration is refused', () => {
  for (const odd of [0, -1, NaN, Infinity, '0s', '', '5', 's', '1.5h', '5 s'])
    assert.throws(() => durationMs(odd as Duration), RangeError);
});

test('three in the morning is three in the morning of its time zone, before and after the clocks change', () => {
  assert.equal(occurrences('0 3 * * *', 'Europe/Berlin', '2025-03-28T12:00:00Z', 3), [
    '2025-03-29T02:00:00.000Z',
    '2025-03-30T01:00:00.000Z',
    '2025-03-31T01:00:00.000Z',
  ]);
});

test('a time that the clocks skip runs once that day, and one that they repeat runs once', () => {
  assert.equal(occurrences('30 2 * * *', 'Europe/Berlin', '2025-03-29T12:00:00Z', 2), [
    '2025-03-30T01:00:00.000Z',
    '2025-03-31T00:30:00.000Z',
  ]);
  assert.equal(occurrences('30 2 * * *', 'Europe/Berlin', '2025-10-25T12:00:00Z', 2), [
    '2025-10-26T00:30:00.000Z',
    '2025-10-27T01:30:00.000Z',
  ]);
});

test('the moment itself is not its own next one', () => {
  assert.equal(occurrences('*/5 * * * *', 'UTC', '2025-01-01T00:05:00Z', 2), [
    '2025-01-01T00:10:00.000Z',
    '2025-01-01T00:15:00.000Z',
  ]);
});

test('with six fields the first one is the seconds', () => {
  assert.equal(occurrences('*/20 * * * * *', 'UTC', '2025-01-01T00:00:01Z', 2), [
    '2025-01-01T00:00:20.000Z',
    '2025-01-01T00:00:40.000Z',
  ]);
});

test('a calendar that never comes round has no next moment', () => {
  assert.equal(occurrences('0 0 30 2 *', 'UTC', '2025-01-01T00:00:00Z', 1), []);
});

test('without every and cron the schedule is the election', () => {
  assert.equal(scheduleOf({ name: 'job' }), { kind: 'once' });
  assert.equal(scheduleOf({ name: 'job', every: '1m' }), {
    kind: 'every',
    intervalMs: 60_000,
    overlap: 'wait',
  });
});

test.run();
