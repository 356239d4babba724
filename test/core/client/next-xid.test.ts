import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { nextXid } from '../../../core/client/next-xid.js';

test('requests are numbered from 1 on, and from 1 again behind the largest positive int', () => {
  assert.is(nextXid(0), 1);
  assert.is(nextXid(1), 2);
  assert.is(nextXid(0x7ffffffe), 0x7fffffff);
  assert.is(nextXid(0x7fffffff), 1);
});

test.run();
