import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { OpCode } from '../../../core/protocol/index.js';
import { StateMachine } from '../../../core/data/index.js';
import { EnsembleOfOne } from './ensemble-of-one.js';

const remove = (ensemble: EnsembleOfOne, path: string): unknown =>
  ensemble.write({ op: OpCode.delete, body: { path, version: -1 } });

test('the preset znodes have the stats that a fresh ZooKeeper shows', () => {
  const ensemble = new EnsembleOfOne();
  const zeros = { czxid: 0n, mzxid: 0n, ctime: 0, mtime: 0, version: 0, aversion: 0, pzxid: 0n };
  const empty = { ...zeros, ephemeralOwner: 0n, dataLength: 0 };
  assert.equal(ensemble.stat('/'), { ...empty, cversion: -1, numChildren: 1 });
  assert.equal(ensemble.stat('/zookeeper'), { ...empty, cversion: -2, numChildren: 2 });
  assert.equal(ensemble.stat('/zookeeper/quota'), { ...empty, cversion: 0, numChildren: 0 });
  const config = { ...empty, aversion: -1, cversion: 0, numChildren: 0 };
  assert.equal(ensemble.stat('/zookeeper/config'), config);
  assert.is(ensemble.data('/zookeeper/config'), '', 'empty data, not none');
});

test('two new machines are in the same state', () => {
  assert.is(new StateMachine().digest, new StateMachine().digest);
  assert.is(new StateMachine().lastZxid, 0n);
});

test('cversion counts creates and deletes of children', () => {
  const ensemble = new EnsembleOfOne();
  ensemble.create('/p');
  ensemble.create('/p/a');
  assert.is(ensemble.stat('/p').cversion, 1);
  remove(ensemble, '/p/a');
  assert.is(ensemble.stat('/p').cversion, 2);
  assert.is(ensemble.create('/p/', { flags: 2 }), '/p/0000000001');
  assert.is(ensemble.stat('/p').cversion, 3);
});

test('a child that comes or goes moves its parent’s pzxid, a grandchild or a changed child does not', () => {
  const ensemble = new EnsembleOfOne();
  ensemble.create('/p');
  assert.is(ensemble.stat('/p').pzxid, ensemble.stat('/p').czxid);
  ensemble.create('/p/a');
  assert.is(ensemble.stat('/p').pzxid, ensemble.stat('/p/a').czxid);
  ensemble.create('/p/a/b');
  ensemble.write({ op: OpCode.setData, body: { path: '/p/a', data: null, version: -1 } });
  assert.is(ensemble.stat('/p').pzxid, ensemble.stat('/p/a').czxid);
  remove(ensemble, '/p/a/b');
  remove(ensemble, '/p/a');
  assert.is(ensemble.stat('/p').pzxid, ensemble.machine.lastZxid);
});

test('children do not touch their parent’s data version, mzxid or mtime', () => {
  const ensemble = new EnsembleOfOne();
  ensemble.create('/p');
  const { version, mzxid, mtime } = ensemble.stat('/p');
  ensemble.wallMs += 100;
  ensemble.create('/p/a');
  const after = ensemble.stat('/p');
  assert.equal([after.version, after.mzxid, after.mtime], [version, mzxid, mtime]);
});

test('the reply to a write has the stat as that write left it', () => {
  const ensemble = new EnsembleOfOne();
  ensemble.create('/a');
  const setData = { op: OpCode.setData, body: { path: '/a', data: null, version: -1 } } as const;
  ensemble.propose(setData);
  ensemble.propose(setData);
  const first = ensemble.machine.replyTo(ensemble.commit());
  assert.is((first!.body as { stat: { version: number } }).stat.version, 1);
});

test.run();
