import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { OpCode, WatcherType } from '../../../core/protocol/index.js';
import { ClientWorld, recordingLogger } from './client-world.js';
import { noting, sent, watching, type RemoveWatches } from './watch-scenes.js';

test('a watch is called once, with what happened', async () => {
  const world = new ClientWorld();
  const client = await world.connected();
  const notices: string[] = [];
  await watching(world, client, notices);

  world.server.link.notify('dataChanged', '/a');
  world.server.link.notify('dataChanged', '/a');
  world.server.link.notify('created', '/b');
  world.server.link.notify('childrenChanged', '/a');
  await world.clock.settle();

  assert.equal(notices, ['data: dataChanged /a', 'exist: created /b', 'child: childrenChanged /a']);
  await world.close();
});

test('a watch stands only if its read succeeded; exists stands also for what is missing', async () => {
  const world = new ClientWorld();
  const client = await world.connected();
  const notices: string[] = [];
  await world.failure(client.getData('/a', { watch: noting(notices) }));
  await world.failure(client.getChildren('/a', { watch: noting(notices) }));
  await world.get(client.exists('/b', { watch: noting(notices) }));

  for (const type of ['created', 'childrenChanged', 'deleted'] as const) {
    world.server.link.notify(type, '/a');
    world.server.link.notify(type, '/b');
  }
  await world.clock.settle();

  assert.equal(notices, ['created /b']);
  await world.close();
});

test('the end of a znode tells everybody who waited at it, each function once', async () => {
  const world = new ClientWorld();
  const client = await world.connected();
  world.world.put('/a');
  const notices: string[] = [];
  const shared = noting(notices, 'shared: ');
  await world.get(client.getData('/a', { watch: shared }));
  await world.get(client.exists('/a', { watch: shared }));
  await world.get(client.getChildren('/a', { watch: shared }));
  await world.get(client.getChildren('/a', { watch: noting(notices, 'other: ') }));

  world.server.link.notify('deleted', '/a');
  await world.clock.settle();

  assert.equal(notices, ['shared: deleted /a', 'other: deleted /a']);
  await world.close();
});

test('a watch is told before the answer that shows the change', async () => {
  const world = new ClientWorld();
  const client = await world.connected();
  world.world.put('/a');
  const order: string[] = [];
  await world.get(client.getData('/a', { watch: () => order.push('event') }));
  world.server.respond = ({ op }, link) => {
    if (op === OpCode.setData) link.notify('dataChanged', '/a');
    return undefined;
  };
  const write = client.setData('/a', 'x').then(() => order.push('answer'));
  await world.get(write);
  assert.equal(order, ['event', 'answer']);
  await world.close();
});

test('an event right behind the answer that registered the watch is not missed', async () => {
  const world = new ClientWorld();
  const client = await world.connected();
  world.world.put('/a');
  const notices: string[] = [];
  world.server.respond = (request, link) => {
    if (request.op !== OpCode.getData) return undefined;
    link.answer(request, world.world.answer(request, 0n));
    link.notify('dataChanged', '/a');
    return null;
  };
  await world.get(client.getData('/a', { watch: noting(notices) }));
  assert.equal(notices, ['dataChanged /a']);
  await world.close();
});

test('what a watch throws is logged and keeps nobody else from being told', async () => {
  const world = new ClientWorld();
  const lines: string[] = [];
  const client = await world.connected({ logger: recordingLogger(lines) });
  world.world.put('/a');
  const notices: string[] = [];
  const broken = (): void => {
    throw new Error('watch');
  };
  await world.get(client.getData('/a', { watch: broken }));
  await world.get(client.getData('/a', { watch: noting(notices) }));
  world.server.link.notify('dataChanged', '/a');
  await world.get(client.exists('/a'));
  assert.equal(notices, ['dataChanged /a']);
  assert.ok(lines.includes('error: a watch callback threw'));
  await world.close();
});

test('a watch taken back is not called, and the server forgets it with the last one at its path', async () => {
  const world = new ClientWorld();
  const client = await world.connected();
  world.world.put('/a');
  const notices: string[] = [];
  const first = noting(notices, 'first: ');
  const second = noting(notices, 'second: ');
  await world.get(client.getData('/a', { watch: first }));
  await world.get(client.exists('/a', { watch: second }));

  await world.get(client.unwatch('/a', first));
  assert.equal(sent(world, OpCode.removeWatches), []);
  await world.get(client.unwatch('/a', second));
  await world.get(client.unwatch('/a', second));

  const removed = sent<RemoveWatches>(world, OpCode.removeWatches).map(({ body }) => body);
  assert.equal(removed, [{ path: '/a', type: WatcherType.data }]);
  world.server.link.notify('dataChanged', '/a');
  await world.clock.settle();
  assert.equal(notices, []);
  await world.close();
});

test('the server keeps a watch that a read under way still needs', async () => {
  const world = new ClientWorld();
  const client = await world.connected();
  world.world.put('/a');
  const notices: string[] = [];
  const first = noting(notices, 'first: ');
  await world.get(client.getData('/a', { watch: first }));
  const read = client.getData('/a', { watch: noting(notices, 'second: ') });
  await Promise.all([world.get(read), client.unwatch('/a', first)]);
  assert.equal(sent(world, OpCode.removeWatches), []);
  world.server.link.notify('dataChanged', '/a');
  await world.clock.settle();
  assert.equal(notices, ['second: dataChanged /a']);
  await world.close();
});

test('a watch taken back while its read is under way never stands', async () => {
  const world = new ClientWorld();
  const client = await world.connected();
  world.world.put('/a');
  const notices: string[] = [];
  const watch = noting(notices);
  const read = client.getData('/a', { watch });
  await Promise.all([client.unwatch('/a', watch), world.get(read)]);
  world.server.link.notify('dataChanged', '/a');
  await world.clock.settle();
  assert.equal(notices, []);
  assert.is(sent(world, OpCode.removeWatches).length, 1);
  await world.close();
});

test.run();
