import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ErrorCode, OpCode } from '../../../../core/protocol/index.js';
import { createBody, EnsembleOfOne, OTHER_SESSION, SESSION } from '../ensemble-of-one.js';

const create = (path: string, flags = 0) =>
  ({ op: OpCode.create, body: createBody(path, { flags }) }) as const;
const close = { op: OpCode.closeSession, body: {} } as const;

test('sessions are replicated with their timeouts', () => {
  const ensemble = new EnsembleOfOne();
  ensemble.openSession(0x300n, 4_000);
  assert.is(ensemble.machine.sessions.get(0x300n), 4_000);
  ensemble.closeSession(0x300n);
  assert.not(ensemble.machine.sessions.has(0x300n));
});

test('a session can write as soon as its create is proposed, and no more once its close is', () => {
  const ensemble = new EnsembleOfOne();
  const caller = { sessionId: 0x300n };
  ensemble.propose({ op: OpCode.createSession, body: { timeoutMs: 5_000 } }, caller);
  ensemble.propose(create('/a', 1), caller);
  ensemble.propose(close, caller);
  ensemble.propose(create('/b', 1), caller);
  const errors = [1, 2, 3, 4].map(() => ensemble.commit().error);

  assert.equal(errors, [0, 0, 0, ErrorCode.sessionExpired]);
  assert.not(ensemble.exists('/a'));
  assert.is(ensemble.machine.ephemeralCount, 0);
});

test('every kind of write of an unknown session is refused', () => {
  const ensemble = new EnsembleOfOne();
  const caller = { sessionId: 0x999n };
  const path = '/zookeeper';
  for (const request of [
    create('/a'),
    { op: OpCode.delete, body: { path, version: -1 } },
    { op: OpCode.setData, body: { path, data: null, version: -1 } },
    { op: OpCode.setAcl, body: { path, acl: [], version: -1 } },
    { op: OpCode.multi, body: { ops: [] } },
  ] as const) {
    assert.is(ensemble.error(request, caller), ErrorCode.sessionExpired, String(request.op));
  }
});

test('a close takes the ephemerals that are applied and those that are pending, but not those deleted meanwhile', () => {
  const ensemble = new EnsembleOfOne();
  ensemble.create('/applied', { flags: 1 });
  ensemble.create('/deleted', { flags: 1 });
  ensemble.propose({ op: OpCode.delete, body: { path: '/deleted', version: -1 } });
  ensemble.propose(create('/pending', 1));
  ensemble.propose(create('/deleted', 1), { sessionId: OTHER_SESSION });
  ensemble.propose(create('/passing', 1));
  ensemble.propose({ op: OpCode.delete, body: { path: '/passing', version: -1 } });

  const applied = ensemble.write(close);

  assert.equal(applied.txn.outcome, { type: 'closeSession', paths: ['/applied', '/pending'] });
  assert.equal(ensemble.children('/'), ['deleted', 'zookeeper']);
  assert.is(ensemble.stat('/deleted').ephemeralOwner, OTHER_SESSION);
});

test('behind a pending close the names of its ephemerals are free again', () => {
  const ensemble = new EnsembleOfOne();
  ensemble.create('/lock', { flags: 1 });
  ensemble.propose(close);
  ensemble.propose(create('/lock', 1), { sessionId: OTHER_SESSION });

  assert.equal([ensemble.commit().error, ensemble.commit().error], [0, 0]);
  assert.is(ensemble.stat('/lock').ephemeralOwner, OTHER_SESSION);
});

test('all ephemerals of a session go under one zxid', () => {
  const ensemble = new EnsembleOfOne();
  ensemble.create('/a');
  ensemble.create('/b');
  ensemble.create('/a/e', { flags: 1 });
  ensemble.create('/b/e', { flags: 1 });

  const { zxid } = ensemble.closeSession(SESSION);

  assert.is(ensemble.stat('/a').pzxid, zxid);
  assert.is(ensemble.stat('/b').pzxid, zxid);
});

test('closing a session twice, or one that never was, is allowed and changes nothing', () => {
  const ensemble = new EnsembleOfOne();
  ensemble.create('/e', { flags: 1 });
  ensemble.propose(close);
  ensemble.propose(close);
  ensemble.commit();
  const { digest } = ensemble.machine;

  const second = ensemble.commit();
  const unknown = ensemble.closeSession(0x999n);

  assert.equal([second.error, unknown.error], [0, 0]);
  assert.equal([...second.changes, ...unknown.changes], []);
  assert.is(ensemble.machine.digest, digest);
});

test('an id that would be taken for a container or a time to live is no session', () => {
  const ensemble = new EnsembleOfOne();
  const request = { op: OpCode.createSession, body: { timeoutMs: 5_000 } } as const;
  for (const sessionId of [0n, -1n, -0x8000_0000_0000_0000n, 0xff00_0000_0000_0001n]) {
    assert.is(ensemble.error(request, { sessionId }), ErrorCode.badArguments, String(sessionId));
  }
});

test('an id with the top bit set is the same session whether written signed or unsigned', () => {
  const ensemble = new EnsembleOfOne();
  ensemble.openSession(0xfe00_0000_0000_0001n);
  ensemble.create('/e', { flags: 1 }, { sessionId: 0xfe00_0000_0000_0001n });
  const signed = BigInt.asIntN(64, 0xfe00_0000_0000_0001n);
  assert.is(ensemble.stat('/e').ephemeralOwner, signed);
  ensemble.closeSession(signed);
  assert.not(ensemble.exists('/e'));
});

test('a timeout that is no positive int is refused', () => {
  const ensemble = new EnsembleOfOne();
  for (const timeoutMs of [0, -1, 1.5, NaN, 0x8000_0000]) {
    const request = { op: OpCode.createSession, body: { timeoutMs } } as const;
    assert.is(ensemble.error(request, { sessionId: 0x300n }), ErrorCode.badArguments, String(timeoutMs));
  }
});

test('time never runs backwards, not even under a new leader with a slower clock', () => {
  const ensemble = new EnsembleOfOne();
  ensemble.wallMs = 5_000;
  ensemble.create('/a');
  ensemble.wallMs = 4_000;
  ensemble.create('/b');
  assert.is(ensemble.stat('/b').ctime, 5_000);

  const next = new EnsembleOfOne({}, ensemble.machine);
  next.wallMs = 3_000;
  next.create('/c');
  assert.is(next.stat('/c').ctime, 5_000);
  assert.is(next.machine.lastTime, 5_000);
});

test.run();
