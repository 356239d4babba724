import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type Acl, ErrorCode, OPEN_ACL, OpCode } from '../../../../core/protocol/index.js';
import type { CreateOp } from '../../../../core/data/prepare/create.js';
import {
  bytes,
  createBody,
  type CreateOptions,
  EnsembleOfOne,
  OTHER_SESSION,
  SESSION,
} from '../ensemble-of-one.js';

const grant = (perms: number, id = 'anyone', scheme = 'world'): Acl => ({ perms, id: { scheme, id } });

function errorOf(
  ensemble: EnsembleOfOne,
  path: string,
  options: CreateOptions = {},
  op: CreateOp = OpCode.create,
  sessionId = SESSION,
): number {
  return ensemble.error({ op, body: createBody(path, options) }, { sessionId });
}

test('an ephemeral shows its owner', () => {
  const ensemble = new EnsembleOfOne();
  ensemble.create('/e', { flags: 1 });
  assert.is(ensemble.stat('/e').ephemeralOwner, SESSION);
});

test('containers and znodes with a time to live show no owner', () => {
  const ensemble = new EnsembleOfOne();
  ensemble.reply({ op: OpCode.createContainer, body: createBody('/c', { flags: 4 }) });
  ensemble.reply({ op: OpCode.createTtl, body: createBody('/t', { flags: 5, ttlMs: 1 }) });
  ensemble.reply({ op: OpCode.createTtl, body: createBody('/s', { flags: 6, ttlMs: 0xff_ffff_ffff }) });

  assert.is(ensemble.stat('/c').ephemeralOwner, 0n);
  assert.is(ensemble.stat('/t').ephemeralOwner, 0n);
  assert.is(ensemble.stat('/s0000000002').ephemeralOwner, 0n);
  assert.is(ensemble.machine.state.tree.find('/s0000000002')!.ttlMs, 0xff_ffff_ffff);
});

test('create answers with the path, the other creates with the stat as well', () => {
  const ensemble = new EnsembleOfOne();
  assert.equal(ensemble.reply({ op: OpCode.create, body: createBody('/a') })!.body, { path: '/a' });
  const ops = [
    [OpCode.create2, 0],
    [OpCode.createContainer, 4],
    [OpCode.createTtl, 5],
  ] as const;
  for (const [op, flags] of ops) {
    const reply = ensemble.reply({ op, body: createBody(`/n${op}`, { flags, ttlMs: 9 }) });
    assert.is(reply!.op, op);
    assert.equal(reply!.body, { path: `/n${op}`, stat: ensemble.stat(`/n${op}`) });
  }
});

test('null data are not empty data', () => {
  const ensemble = new EnsembleOfOne();
  ensemble.create('/null');
  ensemble.create('/empty', { data: bytes('') });
  assert.is(ensemble.data('/null'), null);
  assert.is(ensemble.data('/empty'), '');
  assert.is(ensemble.stat('/null').dataLength, 0);
});

test('sequential names count all creates under the parent, whatever their prefix, and never go back', () => {
  const ensemble = new EnsembleOfOne();
  ensemble.create('/q');

  assert.is(ensemble.create('/q/a-', { flags: 2 }), '/q/a-0000000000');
  ensemble.create('/q/plain');
  assert.is(ensemble.create('/q/b-', { flags: 3 }), '/q/b-0000000002');
  ensemble.write({ op: OpCode.delete, body: { path: '/q/b-0000000002', version: -1 } });
  assert.is(ensemble.create('/q/a-', { flags: 2 }), '/q/a-0000000003');
});

test('a sequential name may consist of its number alone', () => {
  const ensemble = new EnsembleOfOne();
  ensemble.create('/q');
  assert.is(ensemble.create('/q/', { flags: 2 }), '/q/0000000000');
  assert.is(ensemble.create('/', { flags: 2 }), '/0000000001');
});

test('sequential numbers are signed 32-bit: after the highest comes the lowest', () => {
  const ensemble = new EnsembleOfOne();
  ensemble.create('/q');
  const create = { type: 'create', data: null, acl: OPEN_ACL, storedOwner: 0n } as const;
  ensemble.force({ ...create, path: '/q/last', parentCreates: 2_147_483_647 });

  assert.is(ensemble.create('/q/', { flags: 2 }), '/q/2147483647');
  assert.is(ensemble.create('/q/', { flags: 2 }), '/q/-2147483648');
  assert.is(ensemble.create('/q/', { flags: 2 }), '/q/-2147483647');
  ensemble.force({ ...create, path: '/q/x', parentCreates: -5 });
  assert.is(ensemble.create('/q/', { flags: 2 }), '/q/-000000005');
});

test('every operation takes the flags of every mode, but a time to live goes with those that take one', () => {
  const ensemble = new EnsembleOfOne();
  const allowed: readonly (readonly [CreateOp, number, readonly number[]])[] = [
    [OpCode.create, 0, [0, 1, 2, 3, 4]],
    [OpCode.create2, 0, [0, 1, 2, 3, 4]],
    [OpCode.createContainer, 0, [0, 1, 2, 3, 4]],
    [OpCode.createTtl, 1, [5, 6]],
    [OpCode.createTtl, 0, []],
    [OpCode.createTtl, -1, []],
  ];
  for (const [op, ttlMs, modes] of allowed) {
    for (const flags of [-1, 0, 1, 2, 3, 4, 5, 6, 7, 1 << 30]) {
      const expected = modes.includes(flags) ? ErrorCode.ok : ErrorCode.badArguments;
      const path = `/m${op}-${ttlMs}-${flags}`;
      assert.is(errorOf(ensemble, path, { flags, ttlMs }, op), expected, `${op} ${flags} ${ttlMs}`);
    }
  }
});

test('the operation makes a container, whatever its flags say, and no other operation does', () => {
  const ensemble = new EnsembleOfOne();
  const reap = (path: string): unknown => ensemble.error({ op: OpCode.deleteContainer, body: { path } });
  ensemble.create('/plain', { flags: 4 });
  ensemble.reply({ op: OpCode.createContainer, body: createBody('/container', { flags: 1 }) });
  for (const path of ['/plain', '/container']) {
    assert.is(ensemble.stat(path).ephemeralOwner, 0n);
    ensemble.create(`${path}/child`);
    ensemble.write({ op: OpCode.delete, body: { path: `${path}/child`, version: -1 } });
  }

  assert.is(reap('/plain'), ErrorCode.badVersion);
  assert.is(reap('/container'), ErrorCode.ok);
});

test('a time to live is from one millisecond to 40 bits of them', () => {
  const ensemble = new EnsembleOfOne();
  for (const ttlMs of [0, -1, 0x100_0000_0000, 1.5, Number.MAX_SAFE_INTEGER]) {
    assert.is(
      errorOf(ensemble, '/t', { flags: 5, ttlMs }, OpCode.createTtl),
      ErrorCode.badArguments,
      String(ttlMs),
    );
  }
});

test('times to live can be switched off', () => {
  const ensemble = new EnsembleOfOne({ ttlNodes: false });
  assert.is(errorOf(ensemble, '/t', { flags: 5, ttlMs: 5 }, OpCode.createTtl), ErrorCode.unimplemented);
});

test('data of a mebibyte are taken, a byte more is refused', () => {
  const ensemble = new EnsembleOfOne();
  assert.is(errorOf(ensemble, '/a', { data: new Uint8Array(1_048_576) }), ErrorCode.ok);
  assert.is(errorOf(ensemble, '/b', { data: new Uint8Array(1_048_577) }), ErrorCode.badArguments);
  assert.is(
    errorOf(new EnsembleOfOne({ maxDataBytes: 3 }), '/c', { data: bytes('four') }),
    ErrorCode.badArguments,
  );
});

test('a path that no znode can have is refused', () => {
  const ensemble = new EnsembleOfOne();
  ensemble.create('/a');
  for (const path of [
    '',
    'a',
    '//',
    '/a/',
    '/a/.',
    '/a/..',
    '/a/\0',
    '/a/\u0001',
    '/\u{1f600}',
    '/a/\ue000',
  ]) {
    assert.is(errorOf(ensemble, path), ErrorCode.badArguments, JSON.stringify(path));
  }
});

test('below a path that no znode can have there simply is no parent', () => {
  const ensemble = new EnsembleOfOne();
  for (const path of ['/a//b', 'a/b', '/../b']) assert.is(errorOf(ensemble, path), ErrorCode.noNode, path);
});

test('an ephemeral has no children', () => {
  const ensemble = new EnsembleOfOne();
  ensemble.create('/e', { flags: 1 });
  assert.is(errorOf(ensemble, '/e/x'), ErrorCode.noChildrenForEphemerals);
});

test('an ACL is expanded for whoever creates, and what is stored is what is read', () => {
  const ensemble = new EnsembleOfOne();
  const identities = [
    { scheme: 'digest', id: 'ann:h' },
    { scheme: 'ip', id: '10.0.0.1' },
  ];
  const acl = [grant(31, '', 'auth'), grant(1), grant(1)];
  ensemble.create('/a', { acl }, { identities });

  const { reply } = ensemble.read({ op: OpCode.getAcl, body: { path: '/a' } }, { identities });

  assert.equal((reply!.body as { acl: readonly Acl[] }).acl, [grant(31, 'ann:h', 'digest'), grant(1)]);
});

test('of several errors the first in the order of ZooKeeper is told', () => {
  const ensemble = new EnsembleOfOne({ enforceQuota: true });
  ensemble.create('/closed', { acl: [grant(1)] });
  ensemble.create('/eph', { flags: 1 });
  ensemble.create('/full');
  ensemble.create('/full/eph', { flags: 1 });
  ensemble.create('/zookeeper/quota/full');
  ensemble.create('/zookeeper/quota/full/zookeeper_limits', { data: bytes('countHardLimit=2') });
  const invalidAcl: readonly Acl[] = [];
  const gone = 0x999n;

  assert.is(errorOf(ensemble, 'x', { flags: 9 }, OpCode.create, gone), ErrorCode.badArguments, 'flags first');
  assert.is(errorOf(ensemble, 'x', { acl: invalidAcl }, OpCode.create, gone), ErrorCode.sessionExpired);
  assert.is(errorOf(ensemble, 'x', { acl: invalidAcl }), ErrorCode.badArguments);
  assert.is(errorOf(ensemble, '/no/x', { acl: invalidAcl }), ErrorCode.invalidAcl);
  assert.is(errorOf(ensemble, '/no/../x'), ErrorCode.noNode);
  assert.is(errorOf(ensemble, '/closed/..'), ErrorCode.noAuth);
  assert.is(errorOf(ensemble, '/eph/..'), ErrorCode.badArguments);
  assert.is(errorOf(ensemble, '/full/eph'), ErrorCode.nodeExists);
  assert.is(errorOf(ensemble, '/full/eph/x'), ErrorCode.noChildrenForEphemerals);
  assert.is(errorOf(ensemble, '/full/x'), ErrorCode.quotaExceeded);
});

test('a refused create leaves nothing behind, not even a number', () => {
  const ensemble = new EnsembleOfOne();
  ensemble.create('/q');
  const before = ensemble.machine.digest;

  assert.is(errorOf(ensemble, '/q/n-', { flags: 2, acl: [] }), ErrorCode.invalidAcl);

  assert.is(ensemble.machine.digest, before);
  assert.is(ensemble.create('/q/n-', { flags: 2 }), '/q/n-0000000000');
});

test('a create sees what is proposed but not applied yet', () => {
  const ensemble = new EnsembleOfOne();
  const create = (path: string, flags = 0): void =>
    ensemble.propose({ op: OpCode.create, body: createBody(path, { flags }) }, { sessionId: OTHER_SESSION });

  create('/a');
  create('/a/b');
  create('/a/n-', 2);
  create('/a/n-', 2);
  create('/a');

  const applied = Array.from({ length: 5 }, () => ensemble.commit());
  assert.equal(
    applied.map(({ error }) => error),
    [0, 0, 0, 0, ErrorCode.nodeExists],
  );
  assert.equal(ensemble.children('/a'), ['b', 'n-0000000001', 'n-0000000002']);
});

test.run();
