import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { OpCode, type Request } from '../../../core/protocol/index.js';
import { CloseCode } from '../../../core/transport/index.js';
import { EndLedger, type EndingConnection } from './end-ledger.js';

const connection = (): EndingConnection => ({ closeCode: null });

function write(value: string): Request {
  return { op: OpCode.setData, body: { path: '/a', data: new TextEncoder().encode(value), version: -1 } };
}

test('a write that is sent again after the code that nothing was taken is accepted', () => {
  const ends = new EndLedger();
  const first = connection();
  ends.sent('c1', first, write('c1-7'));
  ends.ended('c1', first, CloseCode.notTaken, '');
  ends.sent('c1', connection(), write('c1-7'));
  ends.sent('c1', connection(), write('c1-8'));
  assert.is(ends.counts.get(CloseCode.notTaken), 1);
});

test('a write that is sent again after any other end, or on an open connection, is found', () => {
  const ends = new EndLedger();
  const first = connection();
  ends.sent('c1', first, write('c1-7'));
  assert.throws(() => ends.sent('c1', connection(), write('c1-7')), /on a connection that is open/);
  ends.ended('c1', first, CloseCode.goingAway, '');
  assert.throws(() => ends.sent('c1', connection(), write('c1-7')), /that ended with 1001/);
});

test('a write that is sent again though it was answered is found', () => {
  const ends = new EndLedger();
  const first = connection();
  ends.sent('c1', first, write('c1-7'))();
  ends.ended('c1', first, CloseCode.notTaken, '');
  assert.throws(() => ends.sent('c1', connection(), write('c1-7')), /c1-7, which was answered/);
});

test('values that are not unique may be written again and again', () => {
  const ends = new EndLedger();
  for (const value of ['', '7', 'c2-7']) {
    ends.sent('c1', connection(), write(value));
    ends.sent('c1', connection(), write(value));
  }
});

test('an end by a broken protocol is found', () => {
  const ends = new EndLedger();
  assert.throws(
    () => ends.ended('c1', connection(), CloseCode.protocolError, 'bad length'),
    /a connection of c1 ends with 1002: bad length/,
  );
});

test.run();
