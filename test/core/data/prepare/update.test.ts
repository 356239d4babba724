import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type Acl, ErrorCode, OPEN_ACL, OpCode, type Stat } from '../../../../core/protocol/index.js';
import { bytes, type Caller, EnsembleOfOne } from '../ensemble-of-one.js';

const ANN = { scheme: 'digest', id: 'ann:h' };
const SUPER = { scheme: 'super', id: '' };
const only = (perms: number): readonly Acl[] => [{ perms, id: { scheme: 'world', id: 'anyone' } }];

const remove = (ensemble: EnsembleOfOne, path: string, version = -1, caller: Caller = {}): number =>
  ensemble.error({ op: OpCode.delete, body: { path, version } }, caller);
const setData = (
  ensemble: EnsembleOfOne,
  path: string,
  data: string,
  version = -1,
  caller: Caller = {},
): number => ensemble.error({ op: OpCode.setData, body: { path, data: bytes(data), version } }, caller);
const setAcl = (
  ensemble: EnsembleOfOne,
  path: string,
  acl: readonly Acl[],
  version = -1,
  caller: Caller = {},
): number => ensemble.error({ op: OpCode.setAcl, body: { path, acl, version } }, caller);

test('setData changes data, version, mzxid and mtime, and nothing else', () => {
  const ensemble = new EnsembleOfOne();
  ensemble.create('/a', { data: bytes('one') });
  ensemble.create('/a/b');
  const before = ensemble.stat('/a');
  ensemble.wallMs += 500;

  const reply = ensemble.reply({
    op: OpCode.setData,
    body: { path: '/a', data: bytes('three'), version: 0 },
  });

  const after: Stat = {
    ...before,
    version: 1,
    mzxid: ensemble.machine.lastZxid,
    mtime: before.mtime + 500,
    dataLength: 5,
  };
  assert.equal(ensemble.stat('/a'), after);
  assert.equal(reply, { op: OpCode.setData, body: { stat: after } });
  assert.is(ensemble.data('/a'), 'three');
});

test('setAcl changes the ACL and its version, and nothing else', () => {
  const ensemble = new EnsembleOfOne();
  ensemble.create('/a');
  const before = ensemble.stat('/a');

  const reply = ensemble.reply({ op: OpCode.setAcl, body: { path: '/a', acl: only(17), version: 0 } });

  assert.equal(ensemble.stat('/a'), { ...before, aversion: 1 });
  assert.equal(reply, { op: OpCode.setAcl, body: { stat: { ...before, aversion: 1 } } });
});

test('delete takes the znode away, and its parent remembers when', () => {
  const ensemble = new EnsembleOfOne();
  ensemble.create('/a');
  ensemble.create('/a/b');

  assert.is(ensemble.reply({ op: OpCode.delete, body: { path: '/a/b', version: 0 } }), null);

  assert.equal(ensemble.children('/a'), []);
  assert.is(ensemble.stat('/a').pzxid, ensemble.machine.lastZxid);
  assert.is(ensemble.stat('/a').cversion, 2);
});

test('a version that is not the present one is refused, -1 is any', () => {
  const ensemble = new EnsembleOfOne();
  ensemble.create('/a');
  assert.is(setData(ensemble, '/a', 'x', 1), ErrorCode.badVersion);
  assert.is(setData(ensemble, '/a', 'x', 0), ErrorCode.ok);
  assert.is(setData(ensemble, '/a', 'x', -1), ErrorCode.ok);
  assert.is(
    setAcl(ensemble, '/a', OPEN_ACL, 2),
    ErrorCode.badVersion,
    'the version of the ACL, not of the data',
  );
  assert.is(setAcl(ensemble, '/a', OPEN_ACL, 0), ErrorCode.ok);
  assert.is(remove(ensemble, '/a', 1), ErrorCode.badVersion);
  assert.is(remove(ensemble, '/a', 2), ErrorCode.ok);
});

test('versions are signed 32-bit: behind the highest comes the lowest', () => {
  const ensemble = new EnsembleOfOne();
  ensemble.create('/a');
  ensemble.force({ type: 'setData', path: '/a', data: null, version: 2_147_483_647 });

  setData(ensemble, '/a', 'x', 2_147_483_647);
  assert.is(ensemble.stat('/a').version, -2_147_483_648);
  setData(ensemble, '/a', 'x', -2_147_483_648);
  assert.is(ensemble.stat('/a').version, -2_147_483_647);

  ensemble.force({ type: 'setAcl', path: '/a', acl: OPEN_ACL, aversion: 2_147_483_647 });
  setAcl(ensemble, '/a', OPEN_ACL);
  assert.is(ensemble.stat('/a').aversion, -2_147_483_648);
});

test('a znode with children is not deleted, pending ones included', () => {
  const ensemble = new EnsembleOfOne();
  ensemble.create('/a');
  ensemble.create('/a/b');
  assert.is(remove(ensemble, '/a'), ErrorCode.notEmpty);

  ensemble.propose({ op: OpCode.delete, body: { path: '/a/b', version: -1 } });
  ensemble.propose({ op: OpCode.delete, body: { path: '/a', version: -1 } });
  ensemble.propose({ op: OpCode.delete, body: { path: '/a', version: -1 } });
  assert.equal(
    [ensemble.commit(), ensemble.commit(), ensemble.commit()].map(({ error }) => error),
    [ErrorCode.ok, ErrorCode.ok, ErrorCode.noNode],
  );
});

test('the znodes of the system cannot be deleted, not even by super', () => {
  const ensemble = new EnsembleOfOne();
  for (const path of ['/', '/zookeeper', '/zookeeper/quota', '/zookeeper/config']) {
    assert.is(remove(ensemble, path, -1, { identities: [SUPER] }), ErrorCode.badArguments, path);
  }
});

test('only super writes the configuration, everybody reads it', () => {
  const ensemble = new EnsembleOfOne();
  assert.is(setData(ensemble, '/zookeeper/config', 'x'), ErrorCode.noAuth);
  assert.is(setData(ensemble, '/zookeeper/config', 'x', -1, { identities: [SUPER] }), ErrorCode.ok);
  assert.is(ensemble.data('/zookeeper/config'), 'x');
});

test('each operation asks for its own permission, a delete for one on the parent', () => {
  const ensemble = new EnsembleOfOne();
  ensemble.create('/a', { acl: only(4 | 16) });
  ensemble.create('/a/b', { acl: only(2) });

  assert.is(setData(ensemble, '/a', 'x'), ErrorCode.noAuth);
  assert.is(setData(ensemble, '/a/b', 'x'), ErrorCode.ok);
  assert.is(setAcl(ensemble, '/a/b', OPEN_ACL), ErrorCode.noAuth);
  assert.is(remove(ensemble, '/a/b'), ErrorCode.noAuth);
  assert.is(setAcl(ensemble, '/a', only(8)), ErrorCode.ok);
  assert.is(remove(ensemble, '/a/b'), ErrorCode.ok);
  assert.is(remove(ensemble, '/a'), ErrorCode.ok, 'its own ACL does not matter');
});

test('an identity counts only for who has it', () => {
  const ensemble = new EnsembleOfOne();
  ensemble.create('/a', { acl: [{ perms: 31, id: ANN }] });
  assert.is(setData(ensemble, '/a', 'x'), ErrorCode.noAuth);
  assert.is(setData(ensemble, '/a', 'x', -1, { identities: [ANN] }), ErrorCode.ok);
  assert.is(setData(ensemble, '/a', 'x', -1, { identities: [SUPER] }), ErrorCode.ok);
});

test('of several errors the first in the order of ZooKeeper is told', () => {
  const ensemble = new EnsembleOfOne({ enforceQuota: true, maxDataBytes: 20 });
  ensemble.create('/readable', { acl: only(1) });
  ensemble.create('/a');
  ensemble.create('/a/b');
  ensemble.create('/zookeeper/quota/a');
  ensemble.create('/zookeeper/quota/a/zookeeper_limits', { data: bytes('byteHardLimit=1') });
  const gone = { sessionId: 0x999n };

  assert.is(remove(ensemble, '/', -1, gone), ErrorCode.sessionExpired);
  assert.is(remove(ensemble, '/no/parent'), ErrorCode.noNode);
  assert.is(
    remove(ensemble, '/readable/none'),
    ErrorCode.noAuth,
    'permission on the parent before existence',
  );
  assert.is(remove(ensemble, '/a/none', 7), ErrorCode.noNode);
  assert.is(remove(ensemble, '/a', 7), ErrorCode.badVersion, 'version before children');

  assert.is(setData(ensemble, '/a/', 'x', -1, gone), ErrorCode.sessionExpired);
  assert.is(setData(ensemble, '/a/', 'x'), ErrorCode.badArguments);
  assert.is(setData(ensemble, '/none', 'longer than twenty bytes'), ErrorCode.badArguments);
  assert.is(setData(ensemble, '/readable', 'x', 7), ErrorCode.noAuth);
  assert.is(setData(ensemble, '/a', 'xx', 7), ErrorCode.quotaExceeded, 'quota before version');
  assert.is(setData(ensemble, '/a', 'x', 7), ErrorCode.badVersion);

  assert.is(setAcl(ensemble, '/a/', [], -1, gone), ErrorCode.sessionExpired);
  assert.is(setAcl(ensemble, '/a/', []), ErrorCode.badArguments);
  assert.is(setAcl(ensemble, '/none', []), ErrorCode.invalidAcl);
  assert.is(setAcl(ensemble, '/none', OPEN_ACL, 7), ErrorCode.noNode);
  assert.is(setAcl(ensemble, '/readable', OPEN_ACL, 7), ErrorCode.noAuth);
});

test('what cannot be put into the log is refused by a transaction, never by an exception', () => {
  const ensemble = new EnsembleOfOne();
  assert.is(ensemble.error({ op: OpCode.check, body: { path: '/', version: -1 } }), ErrorCode.unimplemented);
  assert.is(ensemble.error({ op: OpCode.ping, body: {} }), ErrorCode.unimplemented);
  assert.is(
    ensemble.error({ op: OpCode.getData, body: { path: '/', watch: false } }),
    ErrorCode.unimplemented,
  );
  const reconfig = { joiningServers: '', leavingServers: '', newMembers: '', curConfigId: -1n };
  assert.is(ensemble.error({ op: OpCode.reconfig, body: reconfig }), ErrorCode.reconfigDisabled);
});

test('a refusal takes a zxid and changes nothing else', () => {
  const ensemble = new EnsembleOfOne();
  const { digest, lastZxid } = ensemble.machine;

  const applied = ensemble.write({ op: OpCode.delete, body: { path: '/none', version: -1 } });

  assert.is(applied.zxid, lastZxid + 1n);
  assert.is(ensemble.machine.lastZxid, lastZxid + 1n);
  assert.is(ensemble.machine.digest, digest);
  assert.equal(applied.changes, []);
  assert.is(ensemble.machine.replyTo(applied), null);
});

test('a transaction with a place in the state already changes nothing', () => {
  const ensemble = new EnsembleOfOne();
  const applied = ensemble.write({
    op: OpCode.create,
    body: { path: '/a', data: null, acl: OPEN_ACL, flags: 0, ttlMs: 0 },
  });
  remove(ensemble, '/a');

  const again = ensemble.machine.apply(applied.zxid, applied.txn);

  assert.equal(again.changes, []);
  assert.not(ensemble.exists('/a'));
});

test('a transaction that does not fit the state stops the member that sees it', () => {
  const ensemble = new EnsembleOfOne();
  const isInvariantError = (error: Error): boolean => error.name === 'InvariantError';
  const create = { type: 'create', data: null, acl: OPEN_ACL, storedOwner: 0n, parentCreates: 1 } as const;
  assert.throws(() => ensemble.force({ type: 'delete', path: '/none' }), isInvariantError);
  assert.throws(() => ensemble.force({ type: 'delete', path: '/zookeeper' }), isInvariantError);
  assert.throws(
    () => ensemble.force({ type: 'setData', path: '/none', data: null, version: 1 }),
    isInvariantError,
  );
  assert.throws(() => ensemble.force({ ...create, path: '/no/parent' }), isInvariantError);
  assert.throws(() => ensemble.force({ ...create, path: '/zookeeper' }), isInvariantError);
});

test('an epoch marker moves the zxid and nothing else', () => {
  const ensemble = new EnsembleOfOne();
  const { digest } = ensemble.machine;
  ensemble.machine.advanceTo(0x2_0000_0000n);
  assert.is(ensemble.machine.lastZxid, 0x2_0000_0000n);
  ensemble.machine.advanceTo(5n);
  assert.is(ensemble.machine.lastZxid, 0x2_0000_0000n);
  assert.is(ensemble.machine.digest, digest);
});

test('the changes tell watches which znode changed how, and whose ACLs decide who hears of it', () => {
  const ensemble = new EnsembleOfOne();
  ensemble.create('/a', { acl: only(31) });
  const acl = [{ perms: 31, id: ANN }];

  const created = ensemble.write({
    op: OpCode.create,
    body: { path: '/a/b', data: null, acl, flags: 0, ttlMs: 0 },
  });
  const changed = ensemble.write(
    { op: OpCode.setData, body: { path: '/a/b', data: null, version: -1 } },
    { identities: [ANN] },
  );
  const secret = ensemble.write(
    { op: OpCode.setAcl, body: { path: '/a/b', acl: only(8), version: -1 } },
    { identities: [ANN] },
  );
  const deleted = ensemble.write({ op: OpCode.delete, body: { path: '/a/b', version: -1 } });

  assert.equal(created.changes, [{ type: 1, path: '/a/b', acl, parentAcl: only(31) }]);
  assert.equal(changed.changes, [{ type: 3, path: '/a/b', acl, parentAcl: only(31) }]);
  assert.equal(secret.changes, []);
  assert.equal(deleted.changes, [{ type: 2, path: '/a/b', acl: only(8), parentAcl: only(31) }]);
});

test.run();
