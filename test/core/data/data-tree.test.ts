import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { OPEN_ACL, OpCode } from '../../../core/protocol/index.js';
import { SnapshotReader } from '../../../core/data/index.js';
import { storeData } from '../../../core/data/stored-data.js';
import { CONTAINER_OWNER, ttlOwner } from '../../../core/data/stored-owner.js';
import { EnsembleOfOne } from './ensemble-of-one.js';

test('a tree ten thousand levels deep is read, counted, snapshotted and taken down again', () => {
  const ensemble = new EnsembleOfOne();
  const paths: string[] = [];
  let path = '';
  for (let level = 0; level < 10_000; level++) paths.push((path += '/d'));
  for (const [index, one] of paths.entries()) {
    ensemble.force({
      type: 'create',
      path: one,
      data: null,
      acl: OPEN_ACL,
      storedOwner: 0n,
      parentCreates: index ? 1 : 2,
    });
  }

  const { reply } = ensemble.read({ op: OpCode.getAllChildrenNumber, body: { path: '/d' } });
  assert.equal(reply!.body, { totalNumber: 9_999 });

  const snapshot = ensemble.machine.snapshot();
  const reader = new SnapshotReader();
  // The deepest first: those that change go before their turn, so children come before their parents.
  for (const one of paths.toReversed())
    ensemble.force({ type: 'setData', path: one, data: null, version: 1 });
  for (let piece = snapshot.next(1 << 20); piece !== null; piece = snapshot.next(1 << 20)) reader.push(piece);
  assert.is(reader.finish().nodeCount, 10_004);

  for (const one of paths.toReversed()) ensemble.force({ type: 'delete', path: one });
  assert.is(ensemble.machine.nodeCount, 4);
});

test('a znode is created below the parent that is there now, not below one that was deleted at its path', () => {
  const ensemble = new EnsembleOfOne();
  ensemble.create('/a');
  ensemble.create('/a/b');
  for (const path of ['/a/b', '/a']) ensemble.force({ type: 'delete', path });
  ensemble.create('/a');
  ensemble.create('/a/c');
  ensemble.create('/ab');
  ensemble.create('/ab/c');

  const childrenOf = (path: string) =>
    ensemble.read({ op: OpCode.getChildren, body: { path, watch: false } });
  assert.equal(childrenOf('/a').reply!.body, { children: ['c'] });
  assert.equal(childrenOf('/ab').reply!.body, { children: ['c'] });
});

test('equal ACLs are kept once, and only as long as a znode has them', () => {
  const ensemble = new EnsembleOfOne();
  const { acls, find } = {
    acls: ensemble.machine.state.tree.acls,
    find: (path: string) => ensemble.machine.state.tree.find(path)!,
  };
  const before = acls.size;
  const acl = () => [{ perms: 31, id: { scheme: 'digest', id: 'a:b' } }];
  ensemble.create('/a', { acl: acl() });
  ensemble.create('/b', { acl: acl() });
  assert.is(find('/a').acl, find('/b').acl);
  assert.is(acls.size, before + 1);

  const caller = { identities: [{ scheme: 'digest', id: 'a:b' }] };
  ensemble.write({ op: OpCode.setAcl, body: { path: '/a', acl: OPEN_ACL, version: -1 } }, caller);
  assert.is(acls.size, before + 1);
  ensemble.write({ op: OpCode.delete, body: { path: '/b', version: -1 } });
  assert.is(acls.size, before);
});

test('short data do not keep the buffer alive that they came in', () => {
  const batch = new Uint8Array(1 << 20);
  const short = storeData(batch.subarray(10, 20));
  const long = storeData(batch.subarray(0, 10_000));
  const most = batch.subarray(0, 600_000);

  assert.ok(typeof short === 'string' || short!.buffer !== batch.buffer);
  assert.ok(long instanceof Uint8Array && long.buffer !== batch.buffer);
  assert.is(storeData(most), most, 'a copy would take more than it frees');
});

test('the bytes of all data are counted', () => {
  const ensemble = new EnsembleOfOne();
  ensemble.create('/a', { data: new Uint8Array(10) });
  ensemble.create('/b', { data: new Uint8Array(10_000) });
  ensemble.write({ op: OpCode.setData, body: { path: '/a', data: new Uint8Array(3), version: -1 } });
  assert.is(ensemble.machine.dataBytes, 10_003);
  ensemble.write({ op: OpCode.delete, body: { path: '/b', version: -1 } });
  assert.is(ensemble.machine.dataBytes, 3);
});

test('the tree keeps nothing of sessions, times to live and containers whose znodes are gone', () => {
  const ensemble = new EnsembleOfOne();
  const { tree } = ensemble.machine.state;
  const create = (path: string, storedOwner: bigint): void => {
    ensemble.force({ type: 'create', path, data: null, acl: OPEN_ACL, storedOwner, parentCreates: 1 });
  };
  for (let session = 1; session <= 20; session++) {
    create(`/e${session}`, BigInt(session));
    create(`/f${session}`, BigInt(session));
  }
  create('/container', CONTAINER_OWNER);
  create('/ttl', ttlOwner(1000));
  assert.equal([tree.ephemeralCount, tree.ephemeralOwnerCount, tree.expirableCount], [40, 20, 2]);

  for (const { path } of [...tree.values()].filter(({ path }) => /^\/[ef]\d|^\/(container|ttl)$/.test(path)))
    ensemble.force({ type: 'delete', path });
  assert.equal([tree.ephemeralCount, tree.ephemeralOwnerCount, tree.expirableCount], [0, 0, 0]);
});

test('data of every length and every byte come back as they were', () => {
  const ensemble = new EnsembleOfOne();
  for (const length of [0, 1, 2, 3, 4, 5, 255, 4095, 4096, 4097, 70_000]) {
    const data = Uint8Array.from({ length }, (_, index) => (index * 7 + length) & 0xff);
    ensemble.create(`/n${length}`, { data });
    const { reply } = ensemble.read({ op: OpCode.getData, body: { path: `/n${length}`, watch: false } });
    assert.ok(Buffer.from(data).equals((reply!.body as { data: Uint8Array }).data), String(length));
  }
});

test.run();
