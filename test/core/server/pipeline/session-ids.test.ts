import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { SeededRandom } from '../../../../core/runtime/index.js';
import {
  isLocalSession,
  newLocalSessionId,
  newSessionId,
} from '../../../../core/server/pipeline/session-ids.js';

test('an id has the member in its first byte, also above 127', () => {
  assert.is(BigInt.asUintN(64, newSessionId(0x1_00000002n, 254)), 0xfe00000100000002n);
});

test('the id of a session that one member alone knows is told apart from all others', () => {
  const random = new SeededRandom(1);
  assert.ok(isLocalSession(newLocalSessionId(random, 1)));
  assert.ok(isLocalSession(newLocalSessionId(random, 254)));
  assert.not(isLocalSession(newSessionId(0x1_00000002n, 254)));
});

test.run();
