import { Writable } from 'node:stream';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { SLICE_BYTES, sliceWrites } from '../../../core/transport/sliced-writes.js';

interface Recorded {
  readonly stream: Writable;
  /** What the system was given, each at once. */
  readonly given: Buffer[];
  /** Turns of the loop that began meanwhile. */
  readonly turns: () => number;
}

function recorded(fail: (count: number) => Error | null = () => null): Recorded {
  const given: Buffer[] = [];
  let turns = 0;
  const take = (chunk: Buffer, done: (error?: Error | null) => void): void => {
    given.push(Buffer.from(chunk));
    setImmediate(() => {
      turns += 1;
      done(fail(given.length));
    });
  };
  const stream = new Writable({
    write: (chunk: Buffer, _encoding, done) => take(chunk, done),
    writev: (chunks, done) => take(Buffer.concat(chunks.map(({ chunk }) => chunk as Buffer)), done),
  });
  sliceWrites(stream);
  return { stream, given, turns: () => turns };
}

test('a large write is passed on in slices over several turns, and small ones keep their place', async () => {
  const { stream, given, turns } = recorded();
  const large = Buffer.alloc(5 * SLICE_BYTES + 7, 1);
  const order: string[] = [];
  const note = (name: string) => () => void order.push(name);
  stream.write(Buffer.from('first'), note('first'));
  stream.write(large, note('large'));
  stream.write(Buffer.from('last'), note('last'));
  await new Promise<void>((resolve) => stream.end(resolve));

  assert.equal(order, ['first', 'large', 'last']);
  assert.ok(given.every(({ length }) => length <= SLICE_BYTES));
  assert.ok(turns() >= 6, `${turns()}`);
  const expected = Buffer.concat([Buffer.from('first'), large, Buffer.from('last')]);
  assert.ok(Buffer.concat(given).equals(expected));
});

test('small writes of one turn still leave together', async () => {
  const { stream, given } = recorded();
  for (const text of ['a', 'b', 'c', 'd']) stream.write(Buffer.from(text));
  await new Promise<void>((resolve) => stream.end(resolve));
  assert.equal(given.map(String), ['a', 'bcd']);
});

test('many small writes that wait together leave in as few slices as they fit into, in order', async () => {
  const { stream, given } = recorded();
  const pieces = Array.from({ length: 10 * 64 }, (_, at) => Buffer.alloc(SLICE_BYTES / 64, at));
  for (const piece of [Buffer.from('first'), ...pieces]) stream.write(piece);
  await new Promise<void>((resolve) => stream.end(resolve));
  assert.equal(
    given.map(({ length }) => length),
    [5, ...Array.from({ length: 10 }, () => SLICE_BYTES)],
  );
  assert.ok(Buffer.concat(given.slice(1)).equals(Buffer.concat(pieces)));
});

test('a write that fails in its middle ends with that error, and nothing behind it is passed on', async () => {
  const failure = new Error('gone');
  const { stream, given } = recorded((count) => (count === 2 ? failure : null));
  stream.on('error', () => undefined);
  const error = await new Promise((resolve) => stream.write(Buffer.alloc(5 * SLICE_BYTES), resolve));
  assert.is(error, failure);
  assert.is(given.length, 2);
});

test.run();
