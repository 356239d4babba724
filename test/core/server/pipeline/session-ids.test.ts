import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { EnsembleIdentity } from '../../../../core/data/index.js';
import { SeededRandom } from '../../../../core/runtime/index.js';
import {
  isLocalSession,
  isOlderThan,
  newLocalSessionId,
  SessionIds,
} from '../../../../core/server/pipeline/session-ids.js';

function newSessionId(
  zxid: bigint,
  member: number,
  identity: EnsembleIdentity | null = null,
  seed = 1,
): bigint {
  return new SessionIds(new SeededRandom(seed)).next(zxid, member, identity);
}

test('an id has the member in its first byte, also above 127', () => {
  assert.is(BigInt.asUintN(64, newSessionId(0x1_00000002n, 254)), 0xfe00000100000002n);
});

test('the id of a session that one member alone knows is told apart from all others', () => {
  const random = new SeededRandom(1);
  assert.ok(isLocalSession(newLocalSessionId(random, 1)));
  assert.ok(isLocalSession(newLocalSessionId(random, 254)));
  assert.not(isLocalSession(newSessionId(0x1_00000002n, 254)));
});

test('ids of two ensembles differ for the same zxid, and from those of the time before there was an id', () => {
  const identities = ['0', '1'].map((digit) => ({ id: digit.repeat(32), since: 0x2_0000_0000n }));
  const seen = new Set<bigint>();
  for (let counter = 1n; counter <= 500n; counter++) {
    const zxid = 0x2_0000_0000n + counter;
    for (const identity of [null, ...identities]) seen.add(newSessionId(zxid, 7, identity));
  }
  assert.is(seen.size, 1_500);
});

test('a session is older than the id of its ensemble if its zxid is', () => {
  const identity = { id: '1'.repeat(32), since: 0x2_0000_0000n };
  assert.ok(isOlderThan(identity, newSessionId(0x1_0000_0009n, 254)));
  assert.not(isOlderThan(identity, newSessionId(0x2_0000_0001n, 254, identity)));
});

test('the id of a session of an ensemble with an id is not taken for that of one member alone', () => {
  for (const digit of ['0', '7', 'f']) {
    const identity = { id: digit.repeat(32), since: 0x1_0000_0000n };
    assert.not(isLocalSession(newSessionId(0x1_00000002n, 254, identity)));
  }
});

test('two terms of one ensemble that use the same zxids issue other session ids', () => {
  const identity = { id: '5'.repeat(32), since: 0x1_0000_0000n };
  const seen = new Set<bigint>();
  for (const seed of [1, 2]) {
    const ids = new SessionIds(new SeededRandom(seed));
    for (let counter = 1n; counter <= 500n; counter++)
      seen.add(ids.next(0x3_0000_0000n + counter, 1, identity));
  }
  assert.is(seen.size, 1_000);
});

test.run();
