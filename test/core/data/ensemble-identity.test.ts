import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  decodeTxn,
  encodeTxn,
  ensembleIdBytes,
  ensembleIdOf,
  identifyTxn,
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

/** As a reader of a log has it: each entry with bytes is a transaction. */
function apply(machine: StateMachine, zxid: bigint, payload: Uint8Array): void {
  if (payload.length === 0) machine.advanceTo(zxid);
  else machine.apply(zxid, decodeTxn(payload));
}

test('an id has 16 bytes, and anything else is refused, in a transaction too', () => {
  assert.is(ensembleIdOf(ensembleIdBytes(ID)), ID);
  assert.throws(() => ensembleIdOf(null), isMalformed);
  for (const length of [0, 1, 15, 17]) assert.throws(() => ensembleIdOf(new Uint8Array(length)), isMalformed);
  const payload = Buffer.from(encodeTxn(identifyTxn(ID)));
  payload.writeInt32BE(15, payload.length - 20);
  assert.throws(() => decodeTxn(payload.subarray(0, -1)), isMalformed);
});

test('a state gets its identity from a transaction, keeps it over later entries, and has another digest by it', () => {
  const machine = new StateMachine();
  const empty = machine.digest;
  apply(machine, MARKER, encodeTxn(identifyTxn(ID)));
  assert.equal(machine.identity, { id: ID, since: MARKER });
  assert.equal([machine.lastZxid, machine.lastTime, machine.sessions.size], [MARKER, 0, 0]);
  assert.is.not(machine.digest, empty);
  const { digest } = machine;
  apply(machine, 2n * MARKER, new Uint8Array(0));
  apply(machine, MARKER, encodeTxn(identifyTxn('f'.repeat(32))));
  assert.equal([machine.identity!.id, machine.digest], [ID, digest]);
});

test('a snapshot carries the identity, and a recount and a verifier count it', () => {
  const machine = new StateMachine();
  machine.apply(MARKER, identifyTxn(ID));
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
  machine.apply(MARKER, identifyTxn(ID));
  const bytes = Uint8Array.from(bytesOf(machine));
  const at = Buffer.from(bytes).indexOf(ensembleIdBytes(ID));
  bytes[at]! ^= 1;
  const reader = new SnapshotReader();
  reader.push(bytes);
  assert.throws(() => reader.finish(), isMalformed);
});

test.run();
