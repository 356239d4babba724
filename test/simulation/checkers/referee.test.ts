import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { check, hex, Referee, Violation } from './referee.js';

test('a check passes what holds, and names what does not', () => {
  check(true, () => 'not asked');
  assert.throws(
    () => check(false, () => 'broken'),
    (error: unknown) => error instanceof Violation && error.message === 'broken',
  );
});

test('a referee keeps what was found first, and who is looked at does not suffer from it', () => {
  const referee = new Referee();
  referee.watch(() => undefined);
  assert.is(referee.finding, null);
  referee.watch(() => check(false, () => 'first'));
  referee.watch(() => check(false, () => 'second'));
  referee.report('third');
  assert.is(referee.finding?.message, 'first');
});

test('an error of a checker is a finding too', () => {
  const referee = new Referee();
  referee.watch(() => {
    throw new TypeError('a checker that is wrong');
  });
  assert.instance(referee.finding, TypeError);
});

test('a zxid is written as it is logged', () => {
  assert.is(hex(0x1_0000_0002n), '0x100000002');
  assert.is(hex(-1n), '0xffffffffffffffff');
});

test.run();
