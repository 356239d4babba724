import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ErrorCode, OpCode } from '../../../core/protocol/index.js';
import { parseLimits, pathLimitedBy } from '../../../core/data/quota.js';
import { bytes, createBody, EnsembleOfOne } from './ensemble-of-one.js';

const STATS = '/zookeeper/quota/a/zookeeper_stats';
const LIMITS = '/zookeeper/quota/a/zookeeper_limits';

/** As ZooKeeper's shell does it. */
function setQuota(ensemble: EnsembleOfOne, limits: string): void {
  ensemble.create('/zookeeper/quota/a');
  ensemble.create(LIMITS, { data: bytes(limits) });
  ensemble.create(STATS, { data: bytes('count=0,bytes=0') });
}

const setData = (ensemble: EnsembleOfOne, path: string, data: string): number =>
  ensemble.error({ op: OpCode.setData, body: { path, data: bytes(data), version: -1 } });
const create = (ensemble: EnsembleOfOne, path: string, data = ''): number =>
  ensemble.error({ op: OpCode.create, body: createBody(path, { data: bytes(data) }) });
const remove = (ensemble: EnsembleOfOne, path: string): number =>
  ensemble.error({ op: OpCode.delete, body: { path, version: -1 } });

/** Counts how often data are rewritten in place from now on. */
function countedRewrites({ machine }: EnsembleOfOne): () => number {
  const { tree } = machine.state;
  const rewrite = tree.rewriteData.bind(tree);
  let count = 0;
  tree.rewriteData = (node, data) => {
    count += 1;
    rewrite(node, data);
  };
  return () => count;
}

test('the statistics show the subtree from the moment the quota is set, its top included', () => {
  const ensemble = new EnsembleOfOne();
  create(ensemble, '/a', '12');
  create(ensemble, '/a/b', '345');
  create(ensemble, '/ab', 'not below /a');
  setQuota(ensemble, 'count=10,bytes=100');
  assert.is(ensemble.data(STATS), 'count=2,bytes=5');

  create(ensemble, '/a/b/c', '6789');
  assert.is(ensemble.data(STATS), 'count=3,bytes=9');
  setData(ensemble, '/a/b', '3');
  assert.is(ensemble.data(STATS), 'count=3,bytes=7');
  remove(ensemble, '/a/b/c');
  assert.is(ensemble.data(STATS), 'count=2,bytes=3');
});

test('the statistics change in place: the stat of their znode stays, and no watch fires', () => {
  const ensemble = new EnsembleOfOne();
  create(ensemble, '/a');
  setQuota(ensemble, 'count=10,bytes=100');
  const before = ensemble.stat(STATS);

  const applied = ensemble.write({
    op: OpCode.create,
    body: createBody('/a/b', { data: bytes('1234567890') }),
  });

  assert.equal(ensemble.stat(STATS), { ...before, dataLength: before.dataLength + 1 });
  assert.equal(
    applied.changes.map(({ path }) => path),
    ['/a/b'],
  );
});

test('the statistics are part of the digest', () => {
  const ensemble = new EnsembleOfOne();
  create(ensemble, '/a');
  setQuota(ensemble, 'count=10,bytes=100');
  const { digest } = ensemble.machine;
  const node = ensemble.machine.state.tree.find(STATS)!;
  ensemble.machine.state.tree.rewriteData(node, bytes('count=9,bytes=9'));
  assert.is.not(ensemble.machine.digest, digest);
});

test('whatever a client writes into the statistics, they show the usage', () => {
  const ensemble = new EnsembleOfOne();
  create(ensemble, '/a');
  setQuota(ensemble, 'count=10,bytes=100');
  setData(ensemble, STATS, 'nonsense');
  assert.is(ensemble.data(STATS), 'count=1,bytes=0');
});

test('a quota ends with its limits', () => {
  const ensemble = new EnsembleOfOne();
  create(ensemble, '/a');
  setQuota(ensemble, 'count=10,bytes=100');
  remove(ensemble, LIMITS);
  create(ensemble, '/a/b');
  assert.is(ensemble.data(STATS), 'count=1,bytes=0');
  assert.is(ensemble.machine.state.quotas.quotas.size, 0);
});

test('a quota may be set before its subtree is there', () => {
  const ensemble = new EnsembleOfOne();
  setQuota(ensemble, 'count=10,bytes=100');
  assert.is(ensemble.data(STATS), 'count=0,bytes=0');
  create(ensemble, '/a', 'x');
  assert.is(ensemble.data(STATS), 'count=1,bytes=1');
});

test('a quota can be set 64 levels deep and no deeper, and a transaction writes the statistics of each once', () => {
  const ensemble = new EnsembleOfOne();
  let [path, quota] = ['', '/zookeeper/quota'];
  for (let level = 1; level <= 65; level++) {
    path += '/a';
    quota += '/a';
    create(ensemble, path);
    create(ensemble, quota);
    const expected = level <= 64 ? ErrorCode.ok : ErrorCode.badArguments;
    assert.is(create(ensemble, `${quota}/zookeeper_limits`, 'count=9'), expected, `${level}`);
    create(ensemble, `${quota}/zookeeper_stats`);
  }
  const written = countedRewrites(ensemble);
  const ops = ['x', 'y', 'z'].map((name) => ({
    op: OpCode.create,
    body: createBody(`${path}/${name}`, { data: bytes('12') }),
  }));
  assert.is(ensemble.error({ op: OpCode.multi, body: { ops } }), ErrorCode.ok);
  assert.is(written(), 64);
  assert.is(ensemble.data(STATS), 'count=68,bytes=6');
});

test('a quota that ends within a transaction shows what was charged before, and nothing behind', () => {
  const ensemble = new EnsembleOfOne();
  create(ensemble, '/a');
  setQuota(ensemble, 'count=10,bytes=100');
  const created = (path: string) =>
    ({ op: OpCode.create, body: createBody(path, { data: bytes('12') }) }) as const;
  const removed = { op: OpCode.delete, body: { path: LIMITS, version: -1 } } as const;
  const ops = [created('/a/b'), removed, created('/a/c')];
  assert.is(ensemble.error({ op: OpCode.multi, body: { ops } }), ErrorCode.ok);
  assert.is(ensemble.data(STATS), 'count=2,bytes=2');
});

test('soft limits refuse nothing, and what exceeds them is told', () => {
  const ensemble = new EnsembleOfOne({ enforceQuota: true });
  create(ensemble, '/a');
  setQuota(ensemble, 'count=2,bytes=5');
  assert.equal(ensemble.write({ op: OpCode.create, body: createBody('/a/b') }).breaches, []);

  const data = bytes('123456');
  const applied = ensemble.write({ op: OpCode.create, body: createBody('/a/c', { data }) });

  assert.is(applied.error, ErrorCode.ok);
  assert.equal(applied.breaches, [
    { path: '/a', kind: 'count', usage: 3, limit: 2 },
    { path: '/a', kind: 'bytes', usage: 6, limit: 5 },
  ]);
  assert.equal(ensemble.write({ op: OpCode.delete, body: { path: '/a/b', version: -1 } }).breaches, []);
});

test('hard limits refuse what exceeds them, where they are enforced', () => {
  const limits = 'count=1,bytes=1=;byteHardLimit=5;countHardLimit=3';
  const strict = new EnsembleOfOne({ enforceQuota: true });
  create(strict, '/a', '12');
  setQuota(strict, limits);
  assert.is(create(strict, '/a/b', '3456'), ErrorCode.quotaExceeded, 'bytes');
  assert.is(create(strict, '/a/b', '345'), ErrorCode.ok, 'up to the limit');
  assert.is(setData(strict, '/a/b', '3456'), ErrorCode.quotaExceeded);
  assert.is(create(strict, '/a/c'), ErrorCode.ok);
  assert.is(create(strict, '/a/d'), ErrorCode.quotaExceeded, 'count');
  assert.is(setData(strict, '/a', '21'), ErrorCode.ok, 'what does not grow is not refused');
  assert.is(create(strict, '/elsewhere', 'as much as one likes'), ErrorCode.ok);

  const lenient = new EnsembleOfOne();
  create(lenient, '/a', '12');
  setQuota(lenient, limits);
  assert.is(create(lenient, '/a/b', '3456'), ErrorCode.ok);
});

test('in a subtree that exceeds its limits everything is allowed that does not grow it', () => {
  const ensemble = new EnsembleOfOne({ enforceQuota: true });
  for (const [path, data] of [
    ['/a', '12'],
    ['/a/b', '345'],
    ['/a/c', '678'],
  ] as const)
    create(ensemble, path, data);
  setQuota(ensemble, 'byteHardLimit=5;countHardLimit=2');
  assert.is(create(ensemble, '/a/d'), ErrorCode.quotaExceeded, 'count');
  assert.is(setData(ensemble, '/a/b', '3456'), ErrorCode.quotaExceeded, 'bytes');
  assert.is(setData(ensemble, '/a/b', '543'), ErrorCode.ok, 'the same length');
  assert.is(setData(ensemble, '/a/b', '5'), ErrorCode.ok, 'shorter');
  const setLimits = setData(ensemble, LIMITS, 'byteHardLimit=5;countHardLimit=-1');
  assert.is(setLimits, ErrorCode.ok);
  assert.is(create(ensemble, '/a/d'), ErrorCode.ok, 'a znode without data adds no bytes');
  assert.is(remove(ensemble, '/a/c'), ErrorCode.ok);
});

test('a failed multi, a refused write and a deleted znode are charged to no quota', () => {
  const ensemble = new EnsembleOfOne({ enforceQuota: true });
  create(ensemble, '/a');
  setQuota(ensemble, 'byteHardLimit=10;countHardLimit=3');
  const createOp = (path: string, data: string) =>
    ({ op: OpCode.create, body: createBody(path, { data: bytes(data) }) }) as const;
  const check = { op: OpCode.check, body: { path: '/missing', version: -1 } } as const;
  for (let round = 0; round < 3; round++) {
    ensemble.propose({
      op: OpCode.multi,
      body: { ops: [createOp('/a/b', '12345678'), createOp('/a/c', ''), check] },
    });
    ensemble.propose(createOp('/a/d', '12345678901'));
    ensemble.propose(createOp('/a/e', '12345678'));
    ensemble.propose({ op: OpCode.delete, body: { path: '/a/e', version: -1 } });
  }
  ensemble.propose({
    op: OpCode.multi,
    body: { ops: [createOp('/a/b', '12345'), createOp('/a/c', '12345')] },
  });
  ensemble.propose(createOp('/a/f', ''));
  const errors = Array.from({ length: 14 }, () => ensemble.commit().error);
  const { quotaExceeded, ok } = ErrorCode;
  // The header of a failed multi says ok.
  const round = [ok, quotaExceeded, ok, ok];
  assert.equal(errors, [...round, ...round, ...round, ok, quotaExceeded]);
  assert.ok(ensemble.machine.state.tree.find('/a/c') !== undefined, 'the last multi took effect');
});

test('a pipeline cannot overshoot a hard limit', () => {
  const ensemble = new EnsembleOfOne({ enforceQuota: true });
  create(ensemble, '/a');
  setQuota(ensemble, 'countHardLimit=3');
  for (let index = 0; index < 4; index++) {
    ensemble.propose({ op: OpCode.create, body: createBody('/a/n-', { flags: 2 }) });
  }
  ensemble.propose({ op: OpCode.delete, body: { path: '/a/n-0000000000', version: -1 } });
  ensemble.propose({ op: OpCode.create, body: createBody('/a/last') });
  const errors = Array.from({ length: 6 }, () => ensemble.commit().error);
  const { quotaExceeded } = ErrorCode;
  assert.equal(errors, [0, 0, quotaExceeded, quotaExceeded, 0, 0]);
});

test('pipelined writes of one znode count by what it grows only', () => {
  const ensemble = new EnsembleOfOne({ enforceQuota: true });
  create(ensemble, '/a');
  setQuota(ensemble, 'byteHardLimit=10');
  create(ensemble, '/a/b', '12345678');
  for (let count = 0; count < 5; count++)
    ensemble.propose({ op: OpCode.setData, body: { path: '/a/b', data: bytes('87654321'), version: -1 } });
  ensemble.propose({ op: OpCode.setData, body: { path: '/a/b', data: bytes('1'), version: -1 } });
  ensemble.propose({ op: OpCode.create, body: createBody('/a/c', { data: bytes('123456789') }) });
  ensemble.propose({ op: OpCode.create, body: createBody('/a/d', { data: bytes('12') }) });
  const errors = Array.from({ length: 8 }, () => ensemble.commit().error);
  assert.equal(errors, [0, 0, 0, 0, 0, 0, 0, ErrorCode.quotaExceeded]);
});

test('a quota holds from the moment its limits are proposed', () => {
  const ensemble = new EnsembleOfOne({ enforceQuota: true });
  create(ensemble, '/a');
  create(ensemble, '/zookeeper/quota/a');
  ensemble.propose({ op: OpCode.create, body: createBody('/a/b') });
  ensemble.propose({ op: OpCode.create, body: createBody(LIMITS, { data: bytes('countHardLimit=2') }) });
  ensemble.propose({ op: OpCode.create, body: createBody('/a/c') });
  ensemble.propose({ op: OpCode.delete, body: { path: LIMITS, version: -1 } });
  ensemble.propose({ op: OpCode.create, body: createBody('/a/c') });
  const errors = Array.from({ length: 5 }, () => ensemble.commit().error);
  assert.equal(errors, [0, 0, ErrorCode.quotaExceeded, 0, 0]);
});

test('limits are read as written by the shell, and what is missing is no limit', () => {
  const none = { count: -1, bytes: -1, countHardLimit: -1, byteHardLimit: -1 };
  assert.equal(parseLimits(bytes('count=5,bytes=10=;byteHardLimit=20;countHardLimit=7')), {
    count: 5,
    bytes: 10,
    countHardLimit: 7,
    byteHardLimit: 20,
  });
  assert.equal(parseLimits(bytes('count=-1,bytes=7')), { ...none, bytes: 7 });
  assert.equal(parseLimits(null), none);
  assert.equal(parseLimits(bytes('')), none);
  assert.equal(parseLimits(bytes('count=many;bytes')), none);
});

test('neither the root nor the znodes of the system can be put under a quota', () => {
  assert.is(pathLimitedBy('/zookeeper/quota/a/b/zookeeper_limits'), '/a/b');
  assert.is(pathLimitedBy('/zookeeper/quota/zookeeper_limits'), null);
  assert.is(pathLimitedBy('/zookeeper/quota/zookeeper/quota/zookeeper_limits'), null);
  assert.is(pathLimitedBy('/a/zookeeper_limits'), null);
  assert.is(pathLimitedBy('/zookeeper/quota/zookeepers/zookeeper_limits'), '/zookeepers');
});

test.run();
