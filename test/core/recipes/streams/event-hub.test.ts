import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { EventHub } from '../../../../core/recipes/streams/event-hub.js';

interface Sum {
  readonly key: string;
  readonly value: number;
}

function hub(): EventHub<Sum> {
  return new EventHub<Sum>(
    ({ key }) => key,
    (earlier, later) => {
      const value = earlier.value + later.value;
      return value === 0 ? null : { key: later.key, value };
    },
  );
}

test('every iterator gets every event from when it was asked for', async () => {
  const sums = hub();
  const early = sums.events();
  sums.emit({ key: 'a', value: 1 });
  const late = sums.events();
  sums.emit({ key: 'b', value: 2 });

  assert.equal((await early.next()).value, { key: 'a', value: 1 });
  assert.equal((await early.next()).value, { key: 'b', value: 2 });
  assert.equal((await late.next()).value, { key: 'b', value: 2 });
});

test('an iterator that waits is woken', async () => {
  const sums = hub();
  const events = sums.events();
  const waiting = events.next();
  sums.emit({ key: 'a', value: 1 });
  assert.equal((await waiting).value, { key: 'a', value: 1 });
});

test('a backlog has one event for each key, and none where events cancel each other', async () => {
  const sums = hub();
  const events = sums.events();
  for (let round = 0; round < 1000; round++) sums.emit({ key: 'a', value: 1 });
  sums.emit({ key: 'b', value: 1 });
  sums.emit({ key: 'b', value: -1 });
  sums.end();

  assert.equal((await events.next()).value, { key: 'a', value: 1000 });
  assert.ok((await events.next()).done);
});

test('the end comes after the backlog, for iterators of before and after; an error is thrown', async () => {
  const sums = hub();
  const before = sums.events();
  sums.emit({ key: 'a', value: 1 });
  sums.end({ error: new Error('over') });
  sums.end();

  assert.equal((await before.next()).value, { key: 'a', value: 1 });
  for (const events of [before, sums.events()]) {
    const error: unknown = await events.next().catch((thrown: unknown) => thrown);
    assert.is((error as Error).message, 'over');
  }
});

test('a signal, or leaving the loop, ends an iterator and nothing else', async () => {
  const sums = hub();
  const stop = new AbortController();
  const stopped = sums.events({ signal: stop.signal });
  const left = sums.events();
  const other = sums.events();
  const waiting = stopped.next();
  sums.emit({ key: 'a', value: 1 });
  await waiting;

  for await (const _ of left) break;
  stop.abort();

  assert.ok((await stopped.next()).done);
  assert.ok((await left.next()).done);
  assert.ok((await sums.events({ signal: AbortSignal.abort() }).next()).done);
  assert.equal((await other.next()).value, { key: 'a', value: 1 });
});

test('calls of next that wait at the same time are each answered', async () => {
  const sums = hub();
  const events = sums.events();
  const waiting = [events.next(), events.next(), events.next()];
  sums.emit({ key: 'a', value: 1 });
  sums.emit({ key: 'b', value: 2 });
  sums.end();
  const answers = await Promise.all(waiting);
  assert.equal(
    answers.map(({ value, done }) => (done === true ? 'end' : value.key)),
    ['a', 'b', 'end'],
  );
});

test.run();
