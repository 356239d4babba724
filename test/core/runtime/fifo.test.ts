import * as fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Fifo } from '../../../core/runtime/fifo.js';

test('a queue gives back what it was given, in order, whatever is pushed and taken in between', () => {
  const steps = fc.array(fc.oneof(fc.integer({ min: 1, max: 3_000 }), fc.integer({ min: -3_000, max: -1 })));
  fc.assert(
    fc.property(steps, (counts) => {
      const [queue, model] = [new Fifo<number>(), [] as number[]];
      let next = 0;
      for (const count of counts) {
        for (let left = count; left > 0; left--) {
          queue.push(next);
          model.push(next++);
        }
        for (let left = count; left < 0; left++) {
          assert.is(queue.peek(), model[0]);
          assert.is(queue.shift(), model.shift());
        }
        assert.is(queue.length, model.length);
      }
    }),
    { numRuns: 50 },
  );
});

test('a queue gives out and replaces its contents in order, wherever they begin', () => {
  const queue = new Fifo<number>();
  for (let first = 0; first < 9; first++) {
    queue.push(0);
    queue.shift();
    for (let item = 1; item <= first; item++) queue.push(item);
    const items = Array.from({ length: first }, (_, index) => index + 1);
    assert.equal(queue.toArray(), items);
    assert.equal(queue.drain(), items);
    queue.reset([7, 8]);
    assert.equal([queue.shift(), queue.shift(), queue.peek(), queue.length], [7, 8, undefined, 0]);
  }
});

test('a queue that was cleared is empty', () => {
  const queue = new Fifo<number>();
  queue.push(1);
  queue.clear();
  assert.equal([queue.length, queue.shift()], [0, undefined]);
});

test.run();
