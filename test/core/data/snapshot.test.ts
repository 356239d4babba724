import * as fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { MarshallingError, OpCode } from '../../../core/protocol/index.js';
import { type Snapshot, SnapshotReader, type StateMachine } from '../../../core/data/index.js';
import { bytes, EnsembleOfOne } from './ensemble-of-one.js';
import { assertWellFormed, describe } from './examine.js';
import { type Step, steps } from './random-operations.js';

function drain(snapshot: Snapshot, maxBytes = 100): Uint8Array[] {
  const pieces: Uint8Array[] = [];
  for (let piece = snapshot.next(maxBytes); piece !== null; piece = snapshot.next(maxBytes))
    pieces.push(piece);
  return pieces;
}

function restore(pieces: readonly Uint8Array[]): StateMachine {
  const reader = new SnapshotReader();
  for (const piece of pieces) reader.push(piece);
  return reader.finish();
}

function carryOut(ensemble: EnsembleOfOne, step: Step): void {
  if (step.type === 'commit') {
    for (let count = 0; count < step.count && ensemble.applied < ensemble.log.length; count++)
      ensemble.commit();
    return;
  }
  ensemble.wallMs += step.passedMs;
  ensemble.propose(step.request, step);
}

function populated(): EnsembleOfOne {
  const ensemble = new EnsembleOfOne();
  for (let index = 0; index < 20; index++) {
    ensemble.create(`/n${index}`, { data: bytes(`data of ${index}`), flags: index % 2 });
  }
  return ensemble;
}

interface Taken {
  readonly snapshot: Snapshot;
  readonly zxid: bigint;
  readonly digest: bigint;
  readonly state: readonly string[];
  readonly pieces: Uint8Array[];
}

test('time goes on from a snapshot, though the clock of the leader was set back', () => {
  const ensemble = new EnsembleOfOne();
  ensemble.wallMs = 5_000;
  ensemble.create('/a');
  const next = new EnsembleOfOne({}, restore(drain(ensemble.machine.snapshot())));
  assert.is(next.machine.lastTime, 5_000);
  next.wallMs = 3_000;
  next.create('/b');
  assert.is(next.stat('/b').ctime, 5_000);
});

test('a snapshot is exactly the state it was opened at, whatever is applied while it is written', () => {
  const action = fc.oneof(
    { weight: 1, arbitrary: fc.constant('open' as const) },
    { weight: 6, arbitrary: fc.integer({ min: 1, max: 400 }) },
  );
  fc.assert(
    fc.property(steps(60), fc.array(action, { maxLength: 60, size: 'max' }), (script, actions) => {
      const ensemble = new EnsembleOfOne();
      const { machine } = ensemble;
      const taken: Taken[] = [];
      const open = (): void => {
        const { lastZxid: zxid, digest } = machine;
        taken.push({ snapshot: machine.snapshot(), zxid, digest, state: describe(machine), pieces: [] });
      };
      open();
      for (const [index, step] of script.entries()) {
        carryOut(ensemble, step);
        const act = actions[index] ?? 50;
        if (act === 'open') open();
        else {
          const one = taken[act % taken.length]!;
          const piece = one.snapshot.next(act);
          if (piece !== null) one.pieces.push(piece);
        }
      }
      for (const { snapshot, zxid, digest, state, pieces } of taken) {
        const restored = restore([...pieces, ...drain(snapshot)]);
        assert.is(snapshot.zxid, zxid);
        assert.is(restored.lastZxid, zxid);
        assert.is(restored.digest, digest);
        assert.equal(describe(restored), state);
        assertWellFormed(restored);
      }
      assert.is(machine.state.views.count, 0);
    }),
    { numRuns: 500 },
  );
});

test('a restored machine goes on exactly as the one that was snapshotted', () => {
  fc.assert(
    fc.property(steps(30), steps(30), (before, after) => {
      const ensemble = new EnsembleOfOne({ enforceQuota: true });
      for (const step of before) carryOut(ensemble, step);
      while (ensemble.applied < ensemble.log.length) ensemble.commit();
      const restored = restore(drain(ensemble.machine.snapshot()));
      const other = new EnsembleOfOne({ enforceQuota: true }, restored);
      const shared = ensemble.log.length;

      for (const step of after) {
        ensemble.wallMs = 0;
        carryOut(ensemble, step);
        other.wallMs = 0;
        carryOut(other, step);
      }

      assert.equal(ensemble.log.slice(shared), other.log);
      while (ensemble.applied < ensemble.log.length) ensemble.commit();
      while (other.applied < other.log.length) other.commit();
      assert.is(restored.digest, ensemble.machine.digest);
    }),
    { numRuns: 300 },
  );
});

test('pieces may be cut anywhere', () => {
  const { machine } = populated();
  const whole = Buffer.concat(drain(machine.snapshot()));
  for (const size of [1, 3, 7, 64, whole.length]) {
    const pieces: Uint8Array[] = [];
    for (let at = 0; at < whole.length; at += size) pieces.push(whole.subarray(at, at + size));
    assert.is(restore(pieces).digest, machine.digest);
  }
});

test('no piece is longer than asked for, even where one znode is', () => {
  const ensemble = populated();
  ensemble.create('/large', { data: new Uint8Array(300_000).fill(7) });

  const pieces = drain(ensemble.machine.snapshot(), 1_000);

  assert.ok(pieces.every(({ length }) => length <= 1_000));
  assert.is(restore(pieces).digest, ensemble.machine.digest);
});

test('while nothing changes an open snapshot keeps no znode, and then only those that change', () => {
  const ensemble = populated();
  const snapshot = ensemble.machine.snapshot();
  assert.is(snapshot.keptCount, 0);

  for (let round = 0; round < 5; round++) {
    ensemble.write({ op: OpCode.setData, body: { path: '/n1', data: bytes('new'), version: -1 } });
  }
  assert.is(snapshot.keptCount, 1);
  ensemble.create('/later');
  ensemble.write({ op: OpCode.delete, body: { path: '/later', version: -1 } });
  assert.is(snapshot.keptCount, 2, 'the root is the second');

  drain(snapshot);
  ensemble.create('/later-still');
  assert.is(snapshot.keptCount, 0);
});

test('a closed snapshot hands out nothing more and keeps nothing', () => {
  const ensemble = populated();
  const snapshot = ensemble.machine.snapshot();
  snapshot.next(10);

  snapshot.close();
  snapshot.close();

  assert.is(snapshot.next(10), null);
  assert.is(ensemble.machine.state.views.count, 0);
});

test('the clock of the replicas survives in a snapshot', () => {
  const ensemble = new EnsembleOfOne();
  ensemble.wallMs = 9_000_000_000_000;
  ensemble.create('/a');

  const restored = new EnsembleOfOne({}, restore(drain(ensemble.machine.snapshot())));
  restored.create('/b');

  assert.is(restored.stat('/b').ctime, 9_000_000_000_000);
});

test('bytes that are no snapshot, or not all of one, are refused', () => {
  const whole = Buffer.concat(drain(populated().machine.snapshot()));
  assert.throws(() => restore([]), isMarshallingError);
  for (let length = 0; length < whole.length; length += 11) {
    assert.throws(() => restore([whole.subarray(0, length)]), isMarshallingError);
  }
  assert.throws(() => restore([whole, whole]), isMarshallingError);
  assert.throws(() => restore([whole, new Uint8Array(1)]), isMarshallingError);
});

test('a changed bit anywhere in a snapshot never passes for the state that was written', () => {
  const { machine } = populated();
  const whole = Buffer.concat(drain(machine.snapshot()));
  let accepted = 0;
  for (let bit = 0; bit < whole.length * 8; bit += 13) {
    const damaged = Buffer.from(whole);
    damaged[bit >> 3]! ^= 1 << (bit & 7);
    try {
      const restored = restore([damaged]);
      accepted++;
      assert.equal(describe(restored), describe(machine));
    } catch (error) {
      assert.ok(isMarshallingError(error as Error), String(error));
    }
  }
  assert.ok(accepted < 30, 'only zxid and clock of the opening are not part of the digest');
});

function isMarshallingError(error: Error): boolean {
  return error instanceof MarshallingError;
}

test.run();
