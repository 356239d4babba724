import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { QuorumRounds } from '../../../core/zab/quorum-rounds.js';
import { MajorityQuorum } from '../../../core/zab/quorum.js';

function rounds(): QuorumRounds {
  return new QuorumRounds(new MajorityQuorum([1, 2, 3]), 3);
}

function answered(self: QuorumRounds, committed = 100n): number[] {
  return self.takeAnswers(committed).map(({ token }) => token);
}

test('a question is answered by a round that began after it, and by no earlier one', () => {
  const self = rounds();
  const before = self.begin(true);
  self.ask(7, 5n);
  assert.ok(self.isWanted);
  self.echo(1, before);
  assert.equal(answered(self), []);
  const after = self.begin(true);
  assert.not.ok(self.isWanted);
  self.echo(1, after);
  assert.equal(answered(self, 4n), [], 'what it covers is not committed');
  assert.equal(answered(self, 5n), [7]);
  assert.equal(answered(self, 5n), [], 'it is answered once');
});

test('a leader whose own copy does not count is confirmed by a quorum of the others alone', () => {
  const self = rounds();
  self.ask(7, 5n);
  const round = self.begin(false);
  self.echo(1, round);
  assert.equal(answered(self), []);
  self.echo(2, round);
  assert.equal(answered(self), [7]);
});

test('an echo of a round that has not begun confirms nothing', () => {
  const self = rounds();
  self.ask(7, 5n);
  self.echo(1, 1);
  self.echo(2, 1);
  assert.equal(answered(self), []);
  self.begin(true);
  assert.equal(answered(self), []);
  self.echo(1, 1);
  assert.equal(answered(self), [7]);
});

test('a leader in doubt is confirmed by a round that begins later, and wants one', () => {
  const self = rounds();
  self.echo(1, self.begin(true));
  assert.ok(self.isConfirmed);
  self.doubt();
  assert.not.ok(self.isConfirmed);
  assert.ok(self.isWanted);
  self.echo(1, 1);
  assert.not.ok(self.isConfirmed);
  self.echo(1, self.begin(true));
  assert.ok(self.isConfirmed);
});

test('questions of several rounds are answered as far as the rounds are confirmed, in their order', () => {
  const self = rounds();
  self.ask(1, 5n);
  const first = self.begin(true);
  self.ask(2, 6n);
  const second = self.begin(true);
  self.ask(3, 6n);
  self.echo(1, first);
  assert.equal(answered(self), [1]);
  self.echo(2, second);
  assert.equal(answered(self), [2]);
  self.echo(2, self.begin(true));
  assert.equal(answered(self), [3]);
});

test.run();
