import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { VirtualClock } from '../../../core/testing/index.js';

test('time stands still until it is moved', async () => {
  const clock = new VirtualClock({ wallMs: 1_000_000 });
  await clock.settle();
  assert.is(clock.now(), 0);
  assert.is(clock.wall(), 1_000_000);

  await clock.advance(2500);

  assert.is(clock.now(), 2500);
  assert.is(clock.wall(), 1_002_500);
});

test('timers fire in order of time, and in order of setting at the same moment', async () => {
  const clock = new VirtualClock();
  const fired: string[] = [];
  const note = (name: string) => (): void => void fired.push(`${name}@${clock.now()}`);
  clock.setTimer(20, note('late'));
  clock.setTimer(10, note('first'));
  clock.setTimer(10, note('second'));
  clock.setTimer(30, note('beyond'));

  await clock.advance(20);

  assert.equal(fired, ['first@10', 'second@10', 'late@20']);
  assert.is(clock.pendingTimers, 1);
});

test('promise chains and soon tasks started by one timer end before the next timer fires', async () => {
  const clock = new VirtualClock();
  const seen: string[] = [];
  clock.setTimer(5, () => {
    clock.soon(() => {
      void (async () => {
        for (let step = 0; step < 20; step++) await Promise.resolve();
        clock.soon(() => seen.push(`chain@${clock.now()}`));
      })();
    });
  });
  clock.setTimer(6, () => seen.push('next timer'));

  await clock.advance(10);

  assert.equal(seen, ['chain@5', 'next timer']);
});

test('a timer set while time moves fires in the same advance if it falls due within it', async () => {
  const clock = new VirtualClock();
  const beats: number[] = [];
  const beat = (): void => {
    beats.push(clock.now());
    clock.setTimer(10, beat);
  };
  clock.setTimer(10, beat);

  await clock.advance(35);

  assert.equal(beats, [10, 20, 30]);
});

test('a cancelled timer never fires, and cancelling twice harms no other timer', async () => {
  const clock = new VirtualClock();
  const fired: string[] = [];
  const cancelled = clock.setTimer(1, () => fired.push('cancelled'));
  clock.setTimer(1, () => fired.push('kept'));

  cancelled.cancel();
  cancelled.cancel();
  await clock.advance(5);

  assert.equal(fired, ['kept']);
});

test('settle fires what is due now, a timer of no delay included, and moves no time', async () => {
  const clock = new VirtualClock();
  const fired: string[] = [];
  clock.setTimer(0, () => fired.push('due'));
  clock.setTimer(1, () => fired.push('not due'));

  await clock.settle();

  assert.equal(fired, ['due']);
  assert.is(clock.now(), 0);
});

test('runUntil stops at the timer that makes the condition true', async () => {
  const clock = new VirtualClock();
  let isReady = false;
  clock.setTimer(70, () => (isReady = true));
  clock.setTimer(90, () => (isReady = false));

  await clock.runUntil(() => isReady, 1000);

  assert.is(clock.now(), 70);
});

test('runUntil rejects with the condition and what is pending when time is up', async () => {
  const clock = new VirtualClock();
  clock.setTimer(5000, function expireSession() {});
  let failure: unknown;

  await clock.runUntil(() => clock.now() < 0, 100).catch((error: unknown) => (failure = error));

  assert.instance(failure, Error);
  assert.match((failure as Error).message, 'clock.now() < 0');
  assert.match((failure as Error).message, 'in 4900 ms expireSession');
  assert.is(clock.now(), 100);
});

test('waitFor gives what the promise gives', async () => {
  const clock = new VirtualClock();
  const answer = new Promise<number>((resolve) => clock.setTimer(40, () => resolve(42)));
  const refusal = new Promise<never>((_, reject) => clock.setTimer(60, () => reject(new Error('refused'))));

  assert.is(await clock.waitFor(answer, 100), 42);
  const failure = await clock.waitFor(refusal, 100).catch((error: unknown) => error);

  assert.match((failure as Error).message, 'refused');
});

test('an error thrown by a task rejects the call that ran it, and the clock runs on', async () => {
  const clock = new VirtualClock();
  clock.setTimer(1, () => {
    throw new Error('task failed');
  });

  const failure = await clock.advance(5).catch((error: unknown) => error);
  await clock.advance(5);

  assert.match((failure as Error).message, 'task failed');
  assert.is(clock.now(), 6);
});

test('two calls at the same time are refused', async () => {
  const clock = new VirtualClock();
  const first = clock.advance(5);

  const failure = await clock.advance(5).catch((error: unknown) => error);

  assert.match((failure as Error).message, 'running already');
  await first;
});

test('a jump of wall time leaves timers and monotonic time alone', async () => {
  const clock = new VirtualClock({ wallMs: 1000 });
  let firedAt = -1;
  clock.setTimer(50, () => (firedAt = clock.now()));

  clock.jumpWall(-600);
  await clock.advance(50);

  assert.is(firedAt, 50);
  assert.is(clock.wall(), 450);
});

test('what needs no time happens by itself, if the clock is told so; what needs time waits', async () => {
  const clock = new VirtualClock({ settlesItself: true });
  const happened: string[] = [];
  clock.setTimer(1, () => happened.push('later'));
  await new Promise<void>((resolve) => {
    clock.soon(() => {
      happened.push('soon');
      clock.setTimer(0, () => {
        happened.push('now');
        clock.soon(resolve);
      });
    });
  });
  assert.equal(happened, ['soon', 'now']);
  assert.is(clock.now(), 0);
  await clock.advance(1);
  assert.equal(happened, ['soon', 'now', 'later']);
});

test('what happens by itself and what a call makes happen never overlap', async () => {
  const clock = new VirtualClock({ settlesItself: true });
  const happened: number[] = [];
  clock.soon(() => happened.push(1));
  const moving = clock.advance(10);
  clock.setTimer(5, () => happened.push(2));
  clock.soon(() => happened.push(3));
  await moving;
  assert.equal(happened, [1, 3, 2]);
});

test('moveUntil tells whether the condition holds, and moves no further', async () => {
  const clock = new VirtualClock();
  clock.setTimer(5, () => undefined);
  assert.is(await clock.moveUntil(() => clock.now() >= 5, 10), true);
  assert.is(clock.now(), 5);
  assert.is(await clock.moveUntil(() => false, 10), false);
  assert.is(clock.now(), 15);
});

test('a runner that fakes timers, as vitest can, does not hold the clock up', async () => {
  const { setImmediate, setTimeout } = globalThis;
  const never = (): never => undefined as never;
  Object.assign(globalThis, { setImmediate: never, setTimeout: never });
  try {
    const clock = new VirtualClock();
    let fired = false;
    clock.setTimer(10, () => (fired = true));

    await clock.advance(20);

    assert.ok(fired);
  } finally {
    Object.assign(globalThis, { setImmediate, setTimeout });
  }
});

test.run();
