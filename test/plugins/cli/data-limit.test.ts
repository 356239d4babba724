import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { dataBytesFor } from '../../../plugins/cli/data-limit.js';

const MIB = 1024 * 1024;

test('the tree may take half of what the heap limit leaves, and always a little', () => {
  assert.is(dataBytesFor(4_144 * MIB), 2_056 * MIB);
  assert.is(dataBytesFor(112 * MIB), 40 * MIB);
  assert.is(dataBytesFor(20 * MIB), 8 * MIB);
});

test.run();
