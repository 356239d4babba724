import * as fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { SessionTracker } from '../../../core/data/index.js';

const TICK = 100;
const NO_LIMIT = Number.MAX_SAFE_INTEGER;

test('a session expires after its timeout and not more than a tick later', () => {
  for (const start of [0, 1, 50, 99, 100, 12_345]) {
    const tracker = new SessionTracker<string>(TICK);
    tracker.add(1n, 250, start, null);

    assert.equal(tracker.expired(start + 250, NO_LIMIT), [], String(start));
    assert.equal(tracker.expired(start + 250 + TICK, NO_LIMIT), [1n], String(start));
  }
});

test('a touch gives a full timeout from then on', () => {
  const tracker = new SessionTracker<string>(TICK);
  tracker.add(1n, 250, 0, null);

  assert.ok(tracker.touch(1n, 200));

  assert.equal(tracker.expired(450, NO_LIMIT), []);
  assert.equal(tracker.expired(550, NO_LIMIT), [1n]);
});

test('a touch from the past, when a clock ran backwards, takes nothing away', () => {
  const tracker = new SessionTracker<string>(TICK);
  tracker.add(1n, 250, 1000, null);

  assert.ok(tracker.touch(1n, 0));

  assert.equal(tracker.expired(1250, NO_LIMIT), []);
});

test('a session that nobody closed is told as expired again, and a touched one no more', () => {
  const tracker = new SessionTracker<string>(TICK);
  tracker.add(1n, 100, 0, null);
  tracker.add(2n, 100, 0, null);
  assert.equal(tracker.expired(1000, NO_LIMIT), [1n, 2n]);

  tracker.touch(1n, 1000);

  assert.equal(tracker.expired(1000, NO_LIMIT), [2n]);
});

test('expired sessions come oldest first and no more than asked for', () => {
  const tracker = new SessionTracker<string>(TICK);
  tracker.add(3n, 500, 0, null);
  tracker.add(1n, 100, 0, null);
  tracker.add(2n, 300, 0, null);

  assert.equal(tracker.expired(10_000, 2), [1n, 2n]);
  assert.equal(tracker.expired(10_000, 0), []);
  assert.equal(tracker.expired(10_000, NO_LIMIT), [1n, 2n, 3n]);
});

test('a closing session neither expires nor lets itself be touched, nor does adding it bring it back', () => {
  const tracker = new SessionTracker<string>(TICK);
  tracker.add(1n, 100, 0, 'a');

  tracker.setClosing(1n);

  assert.ok(tracker.isClosing(1n));
  assert.not(tracker.touch(1n, 50));
  tracker.add(1n, 100, 60, 'b');
  assert.ok(tracker.isClosing(1n));
  assert.equal(tracker.expired(10_000, NO_LIMIT), []);
  tracker.remove(1n);
  assert.not(tracker.isClosing(1n));
  assert.is(tracker.size, 0);
});

test('adding a known session takes over its new timeout and owner', () => {
  const tracker = new SessionTracker<string>(TICK);
  tracker.add(1n, 1000, 0, 'a');

  tracker.add(1n, 200, 0, null);

  assert.is(tracker.ownerOf(1n), 'a');
  assert.equal(tracker.expired(400, NO_LIMIT), [1n]);
  tracker.add(1n, 200, 300, 'b');
  assert.is(tracker.ownerOf(1n), 'b');
  assert.equal(tracker.expired(400, NO_LIMIT), []);
});

test('an owner is unknown, not yet there, or the last one set', () => {
  const tracker = new SessionTracker<string>(TICK);
  tracker.setOwner(1n, 'early');
  assert.is(tracker.ownerOf(1n), undefined);

  tracker.add(1n, 100, 0, null);
  assert.is(tracker.ownerOf(1n), null);

  tracker.setOwner(1n, 'a');
  tracker.setOwner(1n, 'b');
  assert.is(tracker.ownerOf(1n), 'b');
});

test('an unknown session is not touched, not closing, and can be removed', () => {
  const tracker = new SessionTracker<string>(TICK);

  assert.not(tracker.touch(1n, 0));
  assert.not(tracker.isClosing(1n));
  tracker.remove(1n);
  tracker.setClosing(1n);
  assert.is(tracker.size, 0);
});

function ascending(one: bigint, other: bigint): number {
  return Number(one - other);
}

interface ModelSession {
  timeoutMs: number;
  deadline: number;
  isClosing: boolean;
}

type Step =
  | { readonly type: 'add'; readonly id: bigint; readonly timeoutMs: number }
  | { readonly type: 'touch' | 'close' | 'remove'; readonly id: bigint }
  | { readonly type: 'wait'; readonly ms: number };

const ids = fc.bigInt({ min: 1n, max: 5n });
const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    fc.record({ type: fc.constant('add' as const), id: ids, timeoutMs: fc.integer({ min: 1, max: 900 }) }),
    fc.record({ type: fc.constantFrom('touch' as const, 'close' as const, 'remove' as const), id: ids }),
    fc.record({ type: fc.constant('wait' as const), ms: fc.integer({ min: -150, max: 400 }) }),
  ),
  { maxLength: 60 },
);

/** One session at a time, no buckets: what the tracker has to agree with. */
function stepModel(
  model: Map<bigint, ModelSession>,
  step: Exclude<Step, { type: 'wait' }>,
  now: number,
): void {
  const session = model.get(step.id);
  if (step.type === 'add') {
    const deadline = session?.isClosing ? session.deadline : now + step.timeoutMs;
    model.set(step.id, { timeoutMs: step.timeoutMs, deadline, isClosing: session?.isClosing ?? false });
  } else if (step.type === 'remove') {
    model.delete(step.id);
  } else if (session !== undefined && step.type === 'close') {
    session.isClosing = true;
  } else if (session !== undefined && !session.isClosing) {
    session.deadline = Math.max(session.deadline, now + session.timeoutMs);
  }
}

function stepTracker(
  tracker: SessionTracker<string>,
  step: Exclude<Step, { type: 'wait' }>,
  now: number,
): void {
  if (step.type === 'add') tracker.add(step.id, step.timeoutMs, now, null);
  else if (step.type === 'touch') tracker.touch(step.id, now);
  else if (step.type === 'close') tracker.setClosing(step.id);
  else tracker.remove(step.id);
}

test('whatever happens, exactly the sessions expire whose deadline lies before the tick that has begun', () => {
  fc.assert(
    fc.property(steps, fc.nat(1000), (sequence, start) => {
      const tracker = new SessionTracker<string>(TICK);
      const model = new Map<bigint, ModelSession>();
      let now = start;
      for (const step of sequence) {
        if (step.type === 'wait') {
          now = Math.max(0, now + step.ms);
        } else {
          stepModel(model, step, now);
          stepTracker(tracker, step, now);
        }
        const currentTick = Math.floor(now / TICK);
        const expected = [...model]
          .filter(([, { deadline, isClosing }]) => !isClosing && Math.floor(deadline / TICK) < currentTick)
          .map(([id]) => id)
          .sort(ascending);

        assert.equal([...tracker.expired(now, NO_LIMIT)].sort(ascending), expected);
        assert.is(tracker.size, model.size);
      }
    }),
    { numRuns: 500 },
  );
});

test.run();
