import { test } from 'uvu';
import * as assert from 'uvu/assert';
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

function lengthIn({ identity, versions = ALL, unapplied = [], isBlank = false }: Situation): number {
  const payload = markerPayloadOf({
    id: 1,
    voters: [1, 2, 3],
    random: new SeededRandom(1),
    state: { identity: identity ?? null },
    links: { versions: new Map(versions) },
  });
  return payload({ unapplied, isBlank }).length;
}

test('a new ensemble gets an id, whoever is linked, unless a linked member cannot apply it', () => {
  assert.is(lengthIn({ isBlank: true, versions: [] }), 16);
  assert.is(lengthIn({ isBlank: true, versions: [[2, 3]] }), 16);
  assert.is(lengthIn({ isBlank: true, versions: [[2, 2]] }), 0);
});

test('an ensemble with a history and without an id gets one when every voter has shown that it can apply it', () => {
  assert.is(lengthIn({}), 16);
  assert.is(lengthIn({ versions: [[2, 3]] }), 0);
  assert.is(lengthIn({ versions: [...ALL, [4, 2]] }), 0);
});

test('an ensemble gets no second id, whether the first is applied or only in the log', () => {
  assert.is(lengthIn({ identity: { id: 'a'.repeat(32), since: 1n } }), 0);
  assert.is(lengthIn({ unapplied: [new Uint8Array(0), new Uint8Array(16)] }), 0);
  assert.is(lengthIn({ unapplied: [new Uint8Array(0)] }), 16);
});

test('a member that stands alone gives its ensemble an id', () => {
  const alone = { id: 1, voters: [1], random: new SeededRandom(1), state: { identity: null }, links: null };
  assert.is(markerPayloadOf(alone)({ unapplied: [], isBlank: false }).length, 16);
});

test.run();
