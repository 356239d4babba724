import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { decodeTxn } from '../../../../core/data/index.js';
import { SeededRandom } from '../../../../core/runtime/index.js';
import { markerPayloadOf } from '../../../../core/server/member/marker-payload.js';

interface Situation {
  readonly identity?: { readonly id: string; readonly since: bigint };
  readonly versions?: readonly (readonly [number, number])[];
  readonly unapplied?: readonly Uint8Array[];
  readonly isBlank?: boolean;
}

const ALL = [
  [2, 3],
  [3, 3],
] as const;

function givesIdIn({ identity, versions = ALL, unapplied = [], isBlank = false }: Situation): boolean {
  const payload = markerPayloadOf({
    id: 1,
    voters: [1, 2, 3],
    random: new SeededRandom(1),
    state: { identity: identity ?? null },
    links: { versions: new Map(versions) },
  });
  return isId(payload({ unapplied, isBlank }));
}

/** Whether the payload is the transaction that gives an id, and not empty. */
function isId(payload: Uint8Array): boolean {
  if (payload.length === 0) return false;
  const { outcome } = decodeTxn(payload);
  assert.match(outcome.type === 'identify' ? outcome.ensembleId : '', /^[0-9a-f]{32}$/);
  return true;
}

test('a new ensemble gets an id, whoever is linked, unless a linked member cannot apply it', () => {
  assert.ok(givesIdIn({ isBlank: true, versions: [] }));
  assert.ok(givesIdIn({ isBlank: true, versions: [[2, 3]] }));
  assert.not(givesIdIn({ isBlank: true, versions: [[2, 2]] }));
});

test('an ensemble with a history and without an id gets one when every voter has shown that it can apply it', () => {
  assert.ok(givesIdIn({}));
  assert.not(givesIdIn({ versions: [[2, 3]] }));
  assert.not(givesIdIn({ versions: [...ALL, [4, 2]] }));
});

test('an ensemble gets no second id, whether the first is applied or only in the log', () => {
  assert.not(givesIdIn({ identity: { id: 'a'.repeat(32), since: 1n } }));
  assert.not(givesIdIn({ unapplied: [new Uint8Array(0), new Uint8Array(16)] }));
  assert.ok(givesIdIn({ unapplied: [new Uint8Array(0)] }));
});

test('a member that stands alone gives its ensemble an id', () => {
  const alone = { id: 1, voters: [1], random: new SeededRandom(1), state: { identity: null }, links: null };
  assert.ok(isId(markerPayloadOf(alone)({ unapplied: [], isBlank: false })));
});

test.run();
