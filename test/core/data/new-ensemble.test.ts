import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { beginNewEnsemble, SnapshotReader, type StateMachine } from '../../../core/data/index.js';
import { CreateMode } from '../../../core/protocol/index.js';
import { bytes, EnsembleOfOne, OTHER_SESSION, SESSION, text } from './ensemble-of-one.js';

const OLD = { id: '0123456789abcdef0123456789abcdef', since: 0n };
const NEW = { id: 'fedcba9876543210fedcba9876543210', epoch: 3 * 2 ** 20 };
const MARKER = BigInt(NEW.epoch) << 32n;

function lived(): StateMachine {
  const one = new EnsembleOfOne();
  one.machine.state.identify(OLD);
  one.openSession(SESSION);
  one.openSession(OTHER_SESSION);
  one.create('/a', { data: bytes('kept') });
  one.create('/a/mine', { flags: CreateMode.ephemeral });
  one.create('/a/yours', { flags: CreateMode.ephemeral }, { sessionId: OTHER_SESSION });
  return one.machine;
}

function copyOf(machine: StateMachine): StateMachine {
  const reader = new SnapshotReader();
  const snapshot = machine.snapshot();
  for (let slice = snapshot.next(1000); slice !== null; slice = snapshot.next(1000)) reader.push(slice);
  return reader.finish();
}

test('a state that begins a new ensemble has another id and no session, ephemeral znode or transaction of its own', () => {
  const machine = lived();

  const left = beginNewEnsemble(machine, NEW);

  assert.equal(left, { sessions: 2, ephemerals: 2 });
  assert.equal(machine.identity, { id: NEW.id, since: MARKER });
  assert.is(machine.lastZxid, MARKER);
  assert.is(machine.sessions.size, 0);
  assert.is(machine.ephemeralCount, 0);
  assert.is(machine.state.tree.find('/a/mine'), undefined);
  assert.is(text(machine.state.tree.find('/a')!.data), 'kept');
  assert.is(machine.state.tree.find('/a')!.pzxid, MARKER);
  assert.is(copyOf(machine).digest, machine.digest);
});

test('members that begin a new ensemble apart from copies of one state have the same state', () => {
  const machine = lived();
  const other = copyOf(machine);

  beginNewEnsemble(machine, NEW);
  beginNewEnsemble(other, NEW);

  assert.is(machine.digest, other.digest);
  assert.is(machine.lastZxid, other.lastZxid);
});

test.run();
