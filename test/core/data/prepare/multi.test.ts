import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ErrorCode, type MultiRequest, OpCode } from '../../../../core/protocol/index.js';
import type { CreateOp } from '../../../../core/data/prepare/create.js';
import { bytes, createBody, EnsembleOfOne } from '../ensemble-of-one.js';

type Member = MultiRequest['ops'][number];

const create = (path: string, flags = 0, op: CreateOp = OpCode.create): Member => ({
  op,
  body: createBody(path, { flags, ttlMs: 50 }),
});
const remove = (path: string, version = -1): Member => ({ op: OpCode.delete, body: { path, version } });
const setData = (path: string, data: string, version = -1): Member => ({
  op: OpCode.setData,
  body: { path, data: bytes(data), version },
});
const check = (path: string, version = -1): Member => ({ op: OpCode.check, body: { path, version } });

test('each part sees what the parts before it did, and all of it happens under one zxid', () => {
  const ensemble = new EnsembleOfOne();
  ensemble.create('/old');

  const results = ensemble.multi([
    create('/a'),
    create('/a/n-', 2),
    create('/a/n-', 2, OpCode.create2),
    check('/a', 0),
    setData('/a', 'one', 0),
    setData('/a', 'three', 1),
    remove('/old'),
    create('/old', 0, OpCode.create2),
  ]);

  const zxid = ensemble.machine.lastZxid;
  const bodies = results.map((result) => (result.error === undefined ? result.reply.body : result.error));
  assert.equal(bodies.slice(0, 2), [{ path: '/a' }, { path: '/a/n-0000000000' }]);
  assert.equal(bodies[2], { path: '/a/n-0000000001', stat: ensemble.stat('/a/n-0000000001') });
  assert.equal([bodies[3], bodies[6]], [{}, {}]);
  assert.is((bodies[4] as { stat: { version: number } }).stat.version, 1, 'the stat right after that part');
  assert.equal(bodies[5], { stat: ensemble.stat('/a') });
  for (const path of ['/a', '/a/n-0000000000', '/a/n-0000000001', '/old']) {
    const { czxid, mzxid, pzxid, ctime } = ensemble.stat(path);
    assert.equal([czxid, mzxid, pzxid, ctime], [zxid, zxid, zxid, 1_000]);
  }
});

test('a znode may be created and deleted in the same multi, and its stat still be told', () => {
  const ensemble = new EnsembleOfOne();
  const before = ensemble.machine.nodeCount;

  const results = ensemble.multi([create('/a', 1, OpCode.create2), remove('/a')]);

  assert.is(results.length, 2);
  const first = results[0]!;
  assert.ok(first.error === undefined && 'stat' in first.reply.body);
  assert.is(ensemble.machine.nodeCount, before);
  assert.is(ensemble.machine.ephemeralCount, 0);
});

test('a multi of which one part fails does nothing, and says which part it was', () => {
  const ensemble = new EnsembleOfOne();
  ensemble.create('/q');
  const { digest } = ensemble.machine;

  const results = ensemble.multi([
    create('/q/n-', 2),
    create('/e', 1),
    setData('/q', 'x'),
    remove('/none'),
    remove('/q'),
    check('/q'),
  ]);

  const { ok, noNode, runtimeInconsistency } = ErrorCode;
  assert.equal(
    results.map(({ error }) => error),
    [ok, ok, ok, noNode, runtimeInconsistency, runtimeInconsistency],
  );
  assert.is(ensemble.machine.digest, digest);
});

test('a failed multi moves no number of a sequential name, however much is proposed around it (ZOOKEEPER-1624)', () => {
  const ensemble = new EnsembleOfOne();
  ensemble.create('/q');
  const propose = (ops: MultiRequest['ops']): void => ensemble.propose({ op: OpCode.multi, body: { ops } });

  propose([create('/q/n-', 2)]);
  propose([create('/q/n-', 2), create('/q/n-', 2), check('/none')]);
  propose([create('/q/n-', 2)]);
  for (let index = 0; index < 3; index++) ensemble.commit();

  assert.equal(ensemble.children('/q'), ['n-0000000000', 'n-0000000001']);
  assert.is(ensemble.preparer.pendingCount, 0);
});

test('the header of a failed multi says ok, and so does that of an empty one', () => {
  const ensemble = new EnsembleOfOne();
  assert.is(ensemble.error({ op: OpCode.multi, body: { ops: [remove('/none')] } }), ErrorCode.ok);
  assert.equal(ensemble.multi([]), []);
});

test('the parts are answered with the operation that was asked for', () => {
  const ensemble = new EnsembleOfOne();
  const results = ensemble.multi([
    create('/a'),
    create('/b', 0, OpCode.create2),
    create('/c', 4, OpCode.createContainer),
    create('/t', 5, OpCode.createTtl),
    remove('/a'),
    check('/b'),
    setData('/b', ''),
  ]);
  assert.equal(
    results.map((result) => (result.error === undefined ? result.reply.op : null)),
    [1, 15, 19, 21, 2, 13, 5],
  );
});

test('a closed session and an operation that is no member refuse the multi as a whole', () => {
  const ensemble = new EnsembleOfOne();
  const request = { op: OpCode.multi, body: { ops: [check('/')] } } as const;
  assert.is(ensemble.error(request, { sessionId: 0x999n }), ErrorCode.sessionExpired);
  const foreign = { op: OpCode.setAcl, body: { path: '/', acl: [], version: -1 } } as unknown as Member;
  assert.is(
    ensemble.error({ op: OpCode.multi, body: { ops: [check('/'), foreign] } }),
    ErrorCode.marshallingError,
  );
});

test('flags that are no mode, or one that needs a time to live, fail only their part', () => {
  const ensemble = new EnsembleOfOne();
  for (const flags of [7, -1, 5]) {
    const results = ensemble.multi([check('/'), create('/a', flags)]);
    assert.equal(
      results.map(({ error }) => error),
      [ErrorCode.ok, ErrorCode.badArguments],
    );
  }
});

test('a create in a multi is answered by its mode: with a Stat if it makes a container', () => {
  const ensemble = new EnsembleOfOne();
  const results = ensemble.multi([create('/a', 4), create('/b', 0, OpCode.createContainer)]);
  assert.equal(
    results.map((result) => (result.error === undefined ? result.reply.op : null)),
    [OpCode.createContainer, OpCode.create],
  );
});

test('permissions are checked against the state that the parts before left', () => {
  const ensemble = new EnsembleOfOne();
  const acl = [{ perms: 1, id: { scheme: 'world', id: 'anyone' } }];
  const closed: Member = { op: OpCode.create, body: createBody('/closed', { acl }) };

  const results = ensemble.multi([closed, create('/closed/x')]);

  assert.equal(
    results.map(({ error }) => error),
    [ErrorCode.ok, ErrorCode.noAuth],
  );
});

test('watches hear of the parts in order, and of a failed multi nothing', () => {
  const ensemble = new EnsembleOfOne();
  const applied = ensemble.write({
    op: OpCode.multi,
    body: { ops: [create('/a'), setData('/a', 'x'), create('/a/b'), remove('/a/b')] },
  });
  assert.equal(
    applied.changes.map(({ type, path }) => `${type} ${path}`),
    ['1 /a', '3 /a', '1 /a/b', '2 /a/b'],
  );
  const failed = ensemble.write({ op: OpCode.multi, body: { ops: [remove('/a'), remove('/a')] } });
  assert.equal(failed.changes, []);
});

test.run();
