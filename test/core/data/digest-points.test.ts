import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { DigestPoints } from '../../../core/data/index.js';

const zxid = (epoch: bigint, counter: bigint): bigint => (epoch << 32n) | counter;

function fill(points: DigestPoints, epoch: bigint, last: bigint): void {
  for (let counter = 0n; counter <= last; counter++)
    points.applied(zxid(epoch, counter), { digest: 1_000n * epoch + counter });
}

test('the digest at an epoch marker and at every sixteenth transaction is remembered', () => {
  const points = new DigestPoints();
  fill(points, 3n, 40n);

  assert.is(points.at(zxid(3n, 0n)), 3_000n);
  assert.is(points.at(zxid(3n, 16n)), 3_016n);
  assert.is(points.at(zxid(3n, 32n)), 3_032n);
  assert.is(points.at(zxid(3n, 17n)), null);
  assert.is(points.at(zxid(3n, 48n)), null);
  assert.equal(points.latest, { zxid: zxid(3n, 32n), digest: 3_032n });
});

test('points of several epochs are found, and the oldest are forgotten when the memory is full', () => {
  const points = new DigestPoints(4);
  fill(points, 1n, 32n);
  fill(points, 2n, 32n);

  assert.is(points.at(zxid(1n, 0n)), null);
  assert.is(points.at(zxid(1n, 16n)), null);
  assert.is(points.at(zxid(1n, 32n)), 1_032n);
  assert.is(points.at(zxid(2n, 0n)), 2_000n);
  assert.is(points.at(zxid(2n, 32n)), 2_032n);
});

test('nothing is remembered of a state that was replaced', () => {
  const points = new DigestPoints();
  fill(points, 1n, 32n);
  points.clear();

  assert.is(points.latest, null);
  assert.is(points.at(zxid(1n, 16n)), null);
});

test.run();
