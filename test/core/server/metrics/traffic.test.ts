import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Extremes, Traffic } from '../../../../core/server/metrics/traffic.js';

test('latency is told as the last, the least, the mean and the most', () => {
  const traffic = new Traffic();
  for (const ms of [0, 3, 9]) traffic.replied(ms, 10 + ms);

  assert.equal(traffic.latency, { lastMs: 9, minMs: 0, avgMs: 4, maxMs: 9 });
  assert.equal([traffic.replyBytes.last, traffic.replyBytes.least, traffic.replyBytes.most], [19, 10, 19]);
  assert.is(traffic.sent, 3);
});

test('nothing is told of replies before the first, nor after a reset', () => {
  const traffic = new Traffic();
  const untouched = { ...traffic.latency };
  traffic.replied(5, 1);
  traffic.received += 1;

  traffic.reset();

  assert.equal(traffic.latency, untouched);
  assert.equal([traffic.received, traffic.sent, traffic.replyBytes.last], [0, 0, -1]);
});

test('a first value equal to the mark of none is a value all the same', () => {
  const extremes = new Extremes(0);
  extremes.add(0);
  extremes.add(7);

  assert.equal([extremes.last, extremes.least, extremes.most], [7, 0, 7]);
});

test.run();
