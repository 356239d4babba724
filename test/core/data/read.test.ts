import * as fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  type Acl,
  ErrorCode,
  JuteWriter,
  OpCode,
  type ReplyToWrite,
  type Request,
  writeReply,
} from '../../../core/protocol/index.js';
import { bytes, createBody, EnsembleOfOne, OTHER_SESSION } from './ensemble-of-one.js';

const ANN = { scheme: 'digest', id: 'ann:secret-hash' };
const world = (perms: number): Acl => ({ perms, id: { scheme: 'world', id: 'anyone' } });

const PATH_READS = [
  OpCode.exists,
  OpCode.getData,
  OpCode.getAcl,
  OpCode.getChildren,
  OpCode.getChildren2,
  OpCode.getAllChildrenNumber,
] as const;
const pathRead = (op: (typeof PATH_READS)[number], path: string): Request =>
  ({ op, body: { path, watch: false } }) as Request;

test('every read answers with what its operation promises', () => {
  const ensemble = new EnsembleOfOne();
  ensemble.create('/a', { data: bytes('x') });
  ensemble.create('/a/c');
  ensemble.create('/a/b');
  ensemble.create('/a/b/d');
  const stat = ensemble.stat('/a');
  const bodyOf = (op: (typeof PATH_READS)[number]): unknown => ensemble.read(pathRead(op, '/a')).reply?.body;

  assert.equal(bodyOf(OpCode.exists), { stat });
  assert.equal(Object.keys(bodyOf(OpCode.getData) as object), ['data', 'stat']);
  assert.is(ensemble.data('/a'), 'x');
  assert.equal(bodyOf(OpCode.getAcl), { acl: [world(31)], stat });
  assert.equal(bodyOf(OpCode.getChildren), { children: ['b', 'c'] });
  assert.equal(bodyOf(OpCode.getChildren2), { children: ['b', 'c'], stat });
  assert.equal(bodyOf(OpCode.getAllChildrenNumber), { totalNumber: 3 });
});

test('children come in ascending order, however they were created', () => {
  const ensemble = new EnsembleOfOne();
  ensemble.create('/a');
  for (const name of ['m', 'z', 'a', '0', 'é', 'Z']) ensemble.create(`/a/${name}`);
  ensemble.write({ op: OpCode.delete, body: { path: '/a/z', version: -1 } });
  assert.equal(ensemble.children('/a'), ['0', 'Z', 'a', 'm', 'é']);
  assert.equal(ensemble.children('/'), ['a', 'zookeeper']);
});

test('the root counts every znode but itself', () => {
  const ensemble = new EnsembleOfOne();
  ensemble.create('/a');
  const { reply } = ensemble.read(pathRead(OpCode.getAllChildrenNumber, '/'));
  assert.equal(reply!.body, { totalNumber: 4 });
});

test('who may not read hears so, and of a missing znode that it is missing', () => {
  const ensemble = new EnsembleOfOne();
  ensemble.create('/closed', { acl: [world(2 | 4 | 8)] });
  for (const op of PATH_READS) {
    assert.equal(
      ensemble.read(pathRead(op, '/closed')),
      { error: ErrorCode.noAuth, reply: null },
      String(op),
    );
    assert.equal(
      ensemble.read(pathRead(op, '/closed/x')),
      { error: ErrorCode.noNode, reply: null },
      String(op),
    );
    const asSuper = ensemble.read(pathRead(op, '/closed'), { identities: [{ scheme: 'super', id: '' }] });
    assert.is(asSuper.error, ErrorCode.ok);
  }
});

test('a path that cannot be has no znode; only exists minds a NUL', () => {
  const ensemble = new EnsembleOfOne();
  for (const op of PATH_READS) {
    for (const path of ['', 'a', '//', '/a/', '/..', '/\u{1f600}']) {
      assert.is(ensemble.read(pathRead(op, path)).error, ErrorCode.noNode, `${op} ${path}`);
    }
    const expected = op === OpCode.exists ? ErrorCode.badArguments : ErrorCode.noNode;
    assert.is(ensemble.read(pathRead(op, '/a\0')).error, expected);
  }
});

test('no read throws, whatever the path', () => {
  const ensemble = new EnsembleOfOne();
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.constantFrom(...PATH_READS), (path, op) => {
      const { error } = ensemble.read(pathRead(op, path));
      assert.ok(error === ErrorCode.noNode || error === ErrorCode.badArguments || path === '/');
    }),
  );
});

test('the ACL is shown to readers and to administrators, hashes only to the latter', () => {
  const ensemble = new EnsembleOfOne();
  const own: Acl = { perms: 16, id: ANN };
  ensemble.create('/a', { acl: [own, world(1)] });
  const aclFor = (path: string, identities: readonly (typeof ANN)[]): unknown =>
    (ensemble.read({ op: OpCode.getAcl, body: { path } }, { identities }).reply!.body as { acl: unknown })
      .acl;

  assert.equal(aclFor('/a', []), [{ perms: 16, id: { scheme: 'digest', id: 'ann:x' } }, world(1)]);
  assert.equal(aclFor('/a', [ANN]), [own, world(1)]);

  ensemble.create('/admin', { acl: [own] });
  assert.equal(aclFor('/admin', [ANN]), [own]);
});

test('a session sees its own ephemerals, by the beginning of their path', () => {
  const ensemble = new EnsembleOfOne();
  ensemble.create('/a');
  for (const path of ['/a/y', '/a/x', '/ab']) ensemble.create(path, { flags: 1 });
  ensemble.create('/a/other', { flags: 1 }, { sessionId: OTHER_SESSION });
  const below = (prefixPath: string): unknown =>
    ensemble.read({ op: OpCode.getEphemerals, body: { prefixPath } }).reply?.body;

  assert.equal(below(''), { ephemerals: ['/a/x', '/a/y', '/ab'] });
  assert.equal(below('/'), { ephemerals: ['/a/x', '/a/y', '/ab'] });
  assert.equal(below('/a/'), { ephemerals: ['/a/x', '/a/y'] });
  assert.equal(below('/nothing'), { ephemerals: [] });
});

test('in a multiRead every part succeeds or fails by itself', () => {
  const ensemble = new EnsembleOfOne();
  ensemble.create('/a');
  ensemble.create('/closed', { acl: [world(2)] });

  const { error, reply } = ensemble.read({
    op: OpCode.multiRead,
    body: {
      ops: [
        { op: OpCode.getData, body: { path: '/a', watch: true } },
        { op: OpCode.getData, body: { path: '/none', watch: false } },
        { op: OpCode.getChildren, body: { path: '/closed', watch: false } },
        { op: OpCode.getChildren, body: { path: '/', watch: false } },
      ],
    },
  });

  assert.is(error, ErrorCode.ok);
  assert.equal(reply, {
    op: OpCode.multiRead,
    body: {
      results: [
        { reply: { op: OpCode.getData, body: { data: null, stat: ensemble.stat('/a') } } },
        { error: ErrorCode.noNode },
        { error: ErrorCode.noAuth },
        { reply: { op: OpCode.getChildren, body: { children: ['a', 'closed', 'zookeeper'] } } },
      ],
    },
  });
});

test('what is no read of the tree is unimplemented here', () => {
  const ensemble = new EnsembleOfOne();
  assert.equal(ensemble.read({ op: OpCode.whoAmI, body: {} }), {
    error: ErrorCode.unimplemented,
    reply: null,
  });
});

test('what was read does not change when the znode does, nor the znode with what was read', () => {
  const ensemble = new EnsembleOfOne();
  ensemble.create('/a', { data: bytes('one') });
  const { reply } = ensemble.read({ op: OpCode.getData, body: { path: '/a', watch: false } });
  const body = reply!.body as { data: Uint8Array };

  ensemble.write({ op: OpCode.setData, body: { path: '/a', data: bytes('two'), version: -1 } });
  assert.equal([...body.data], [...bytes('one')]);
  body.data.fill(0);
  assert.is(ensemble.data('/a'), 'two');
});

test('the number of znodes below one follows every create and delete, asked as often as one likes', () => {
  const ensemble = new EnsembleOfOne();
  const count = (path: string): number => {
    const { tree } = ensemble.machine.state;
    return tree.descendantsOf(tree.find(path)!);
  };
  for (const path of ['/top', '/top/a', '/top/a/b', '/other']) {
    assert.is(ensemble.error({ op: OpCode.create, body: createBody(path) }), ErrorCode.ok);
  }
  assert.equal([count('/top'), count('/top'), count('/top/a'), count('/other')], [2, 2, 1, 0]);
  assert.is(count('/'), ensemble.machine.nodeCount - 1);
  assert.is(ensemble.error({ op: OpCode.delete, body: { path: '/top/a/b', version: -1 } }), ErrorCode.ok);
  assert.equal([count('/top'), count('/top/a')], [1, 0]);
  assert.is(ensemble.error({ op: OpCode.create, body: createBody('/top/c') }), ErrorCode.ok);
  assert.is(count('/top'), 2);
});

test('a reply that is only written takes the same bytes as one that is looked at, whatever the data', () => {
  const ensemble = new EnsembleOfOne();
  const all = Uint8Array.from({ length: 256 }, (_, byte) => byte);
  const data = [
    null,
    new Uint8Array(0),
    all,
    new Uint8Array(4_096).fill(0xe9),
    new Uint8Array(5_000).fill(7),
  ];
  const reads = data.map((content, index) => {
    ensemble.create(`/n${index}`, { data: content });
    return { op: OpCode.getData, body: { path: `/n${index}`, watch: false } } as const;
  });
  const written = (reply: ReplyToWrite | null): Uint8Array => {
    const writer = new JuteWriter();
    writeReply(writer, { xid: 1, zxid: 2n, err: ErrorCode.ok }, reply);
    return writer.take();
  };
  for (const request of [...reads, { op: OpCode.multiRead, body: { ops: reads } } as const]) {
    const context = { sessionId: 1n, identities: [] };
    const seen = ensemble.machine.read(request, context).reply;
    const unseen = ensemble.machine.readToWrite(request, context, Infinity).reply;
    assert.equal(written(unseen), written(seen));
  }
});

test.run();
