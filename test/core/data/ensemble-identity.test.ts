import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  ensembleIdBytes,
  ensembleIdOf,
  SnapshotReader,
  SnapshotVerifier,
  StateMachine,
} from '../../../core/data/index.js';
import { MarshallingError } from '../../../core/protocol/index.js';

const ID = '000102030405060708090a0b0c0d0eff';
const MARKER = 0x1_0000_0000n;

const isMalformed = (error: unknown): boolean => error instanceof MarshallingError;

function bytesOf(machine: StateMachine): Uint8Array {
  const snapshot = machine.snapshot();
  const pieces: Uint8Array[] = [];
  for (let piece = snapshot.next(1_000); piece !== null; piece = snapshot.next(1_000)) pieces.push(piece);
  return Buffer.concat(pieces);
}

test('a marker has an id or nothing, and anything else is refused', () => {
  assert.is(ensembleIdOf(new Uint8Array(0)), null);
  assert.is(ensembleIdOf(ensembleIdBytes(ID)), ID);
  for (const length of [1, 15, 17]) assert.throws(() => ensembleIdOf(new Uint8Array(length)), isMalformed);
});

test('a state gets its identity from a marker, keeps it over later ones, and has another digest by it', () => {
  const machine = new StateMachine();
  const empty = machine.digest;
  machine.advanceTo(MARKER, ensembleIdBytes(ID));
  assert.equal(machine.identity, { id: ID, since: MARKER });
  assert.is.not(machine.digest, empty);
  const { digest } = machine;
  machine.advanceTo(2n * MARKER);
  machine.advanceTo(MARKER, ensembleIdBytes('f'.repeat(32)));
  assert.equal([machine.identity!.id, machine.digest], [ID, digest]);
});

test('a snapshot carries the identity, and a recount and a verifier count it', () => {
  const machine = new StateMachine();
  machine.advanceTo(MARKER, ensembleIdBytes(ID));
  const bytes = bytesOf(machine);
  const reader = new SnapshotReader();
  reader.push(bytes);
  assert.equal(reader.finish().identity, { id: ID, since: MARKER });
  const verifier = new SnapshotVerifier(machine.nodeCount);
  verifier.push(bytes);
  verifier.finish({ zxid: MARKER, digest: machine.digest, nodeCount: machine.nodeCount });
  assert.ok(machine.recount().next(1_000_000)!.isSound);
});

test('a snapshot with an identity that has changed is refused by its digest', () => {
  const machine = new StateMachine();
  machine.advanceTo(MARKER, ensembleIdBytes(ID));
  const bytes = Uint8Array.from(bytesOf(machine));
  const at = Buffer.from(bytes).indexOf(ensembleIdBytes(ID));
  bytes[at]! ^= 1;
  const reader = new SnapshotReader();
  reader.push(bytes);
  assert.throws(() => reader.finish(), isMalformed);
});

test.run();
