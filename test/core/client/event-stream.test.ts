import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { onAbort } from '../../../core/runtime/index.js';
import { EventStream } from '../../../core/client/event-stream.js';

const keepLast = <T>(_: readonly T[], value: T): T[] => [value];

test('values come in order, whether pushed before they are asked for or after', async () => {
  const stream = new EventStream<number>({ limit: 3, overflow: keepLast });
  stream.push(1);
  stream.push(2);
  const third = [stream.next(), stream.next(), stream.next()];
  stream.push(3);
  assert.equal(
    (await Promise.all(third)).map(({ value }) => value as number),
    [1, 2, 3],
  );
});

test('what is buffered can be taken at once, and is handed out only once', async () => {
  const stream = new EventStream<number>({ limit: 3, overflow: keepLast });
  const first = stream.next();
  for (const value of [1, 2, 3]) stream.push(value);
  assert.is((await first).value, 1);
  assert.equal(stream.take(), [2, 3]);
  assert.equal(stream.take(), []);
  stream.push(4);
  assert.is((await stream.next()).value, 4);
});

test('beyond its limit the stream does what it was told to, and stays bounded', async () => {
  const stream = new EventStream<number>({ limit: 2, overflow: keepLast });
  for (const value of [1, 2, 3]) stream.push(value);
  assert.is((await stream.next()).value, 3);
});

test('the end lets buffered values out first, then is final', async () => {
  const stream = new EventStream<number>({ limit: 2, overflow: keepLast });
  stream.push(1);
  stream.end();
  stream.push(2);
  const seen: number[] = [];
  for await (const value of stream) seen.push(value);
  assert.equal(seen, [1]);
  assert.is((await stream.next()).done, true);
});

test('a failure reaches the consumer once', async () => {
  const stream = new EventStream<number>({ limit: 2, overflow: keepLast });
  const waiting = stream.next().catch((error: unknown) => error);
  stream.fail(new Error('broken'));
  assert.match(((await waiting) as Error).message, 'broken');
  assert.is((await stream.next()).done, true);
});

test('the signal and leaving the loop end it, drop what is buffered, and say so once', async () => {
  const stop = new AbortController();
  let ends = 0;
  const options = { limit: 2, overflow: keepLast, ended: (): void => void (ends += 1) };
  const aborted = new EventStream<number>({ ...options, signal: stop.signal });
  aborted.push(1);
  stop.abort();
  stop.abort();
  assert.is((await aborted.next()).done, true);
  assert.is(ends, 1);

  const left = new EventStream<number>(options);
  left.push(1);
  for await (const value of left) if (value === 1) break;
  left.end();
  assert.is(ends, 2);
});

test('one signal may serve any number of waiters: a single listener stands on it, none when nobody waits', () => {
  const stop = new AbortController();
  const calls: string[] = [];
  const listeners: string[] = [];
  const { signal } = stop;
  const original = signal.addEventListener.bind(signal);
  signal.addEventListener = (type: string, ...rest: [() => void]) => {
    listeners.push(type);
    original(type, ...rest);
  };

  const stops = Array.from({ length: 100 }, (_, index) => onAbort(signal, () => calls.push(String(index))));
  assert.is(listeners.length, 1);
  stops.slice(1).forEach((stopWaiting) => stopWaiting());
  stops[1]!();
  onAbort(signal, () => calls.push('late'));
  stop.abort();

  assert.equal(calls, ['0', 'late']);
});

test.run();
