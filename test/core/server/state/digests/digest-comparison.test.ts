import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { DigestComparison } from '../../../../../core/server/state/digests/digest-comparison.js';

const at = (zxid: bigint, digest: bigint): { zxid: bigint; digest: bigint } => ({ zxid, digest });

test('members with equal digests at equal zxids are not reported', () => {
  const comparison = new DigestComparison([1, 2, 3]);

  assert.equal(comparison.add(1, at(16n, 7n)), []);
  assert.equal(comparison.add(2, at(16n, 7n)), []);
  assert.equal(comparison.add(3, at(32n, 8n)), [], 'another zxid has another digest');
  assert.equal(comparison.add(3, at(16n, 7n)), []);
});

test('a member that differs from a quorum is reported once for each zxid', () => {
  const comparison = new DigestComparison([1, 2, 3]);
  comparison.add(1, at(16n, 7n));
  comparison.add(2, at(16n, 7n));

  const differs = { type: 'differs', member: 3, digest: 9n, expected: 7n } as const;
  assert.equal(comparison.add(3, at(16n, 9n)), [{ ...differs, zxid: 16n }]);
  assert.equal(comparison.add(3, at(16n, 9n)), []);
  comparison.add(1, at(32n, 7n));
  comparison.add(3, at(32n, 9n));
  assert.equal(comparison.add(2, at(32n, 7n)), [{ ...differs, zxid: 32n }]);
});

test('a leader that differs from a quorum of its followers is the one that is reported', () => {
  const comparison = new DigestComparison([1, 2, 3]);
  comparison.add(1, at(16n, 9n));
  comparison.add(2, at(16n, 7n));

  const findings = comparison.add(3, at(16n, 7n));
  assert.equal(findings, [{ type: 'differs', zxid: 16n, member: 1, digest: 9n, expected: 7n }]);
});

test('two members that differ without a third are reported as undecided, once for each zxid', () => {
  const comparison = new DigestComparison([1, 2, 3]);
  comparison.add(1, at(16n, 7n));

  assert.equal(comparison.add(2, at(16n, 9n)), [{ type: 'undecided', zxid: 16n, members: [1, 2] }]);
  assert.equal(comparison.add(2, at(16n, 9n)), []);
});

test('three members with three digests stay undecided', () => {
  const comparison = new DigestComparison([1, 2, 3]);
  comparison.add(1, at(16n, 7n));
  comparison.add(2, at(16n, 8n));

  assert.equal(comparison.add(3, at(16n, 9n)), []);
});

test('an observer is judged by the voters and decides nothing', () => {
  const comparison = new DigestComparison([1, 2, 3]);
  comparison.add(1, at(16n, 7n));

  assert.equal(comparison.add(4, at(16n, 9n)), [{ type: 'undecided', zxid: 16n, members: [1, 4] }]);
  assert.equal(comparison.add(5, at(16n, 9n)), []);
  const differs = { type: 'differs', zxid: 16n, digest: 9n, expected: 7n } as const;
  assert.equal(comparison.add(2, at(16n, 7n)), [
    { ...differs, member: 4 },
    { ...differs, member: 5 },
  ]);
});

test('answers to points that were replaced by newer ones are ignored', () => {
  const comparison = new DigestComparison([1, 2, 3]);
  for (let zxid = 16n; zxid <= 256n; zxid += 16n) comparison.add(1, at(zxid, 7n));

  assert.equal(comparison.add(2, at(16n, 9n)), []);
  assert.equal(comparison.add(2, at(256n, 9n)).length, 1);
});

test.run();
