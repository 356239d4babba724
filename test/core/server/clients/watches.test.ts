import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { AddWatchMode, ErrorCode, OpCode, WatcherType } from '../../../../core/protocol/index.js';
import type { RawClient } from '../raw-client.js';
import { World } from '../world.js';

const events = (client: RawClient): string[] => client.arrivals.filter((line) => line.startsWith('event'));
const noWatches = { dataWatches: [], existWatches: [], childWatches: [] };
const noMore = { persistentWatches: [], persistentRecursiveWatches: [] };

test('the event of an own write comes before its reply', async () => {
  await using world = await World.start();
  const client = await world.open();
  await world.wait(client.exists('/a', true));
  await world.wait(client.create('/a'));
  assert.equal(client.arrivals, ['connected', 'reply 1', 'event 1 /a', 'reply 2']);
});

test('who reads a change has been told of it before', async () => {
  await using world = await World.start();
  const [writer, reader] = [await world.open(), await world.open()];
  await world.wait(writer.create('/a', '0'));
  for (let round = 1; round <= 20; round++) {
    await world.wait(reader.getData('/a', true));
    const start = reader.arrivals.length;
    const write = writer.setData('/a', String(round));
    const reads = Array.from({ length: 5 }, async (_, turn) => {
      for (let count = 0; count < turn; count++) await Promise.resolve();
      return reader.getData('/a');
    });
    const seen = await world.wait(Promise.all(reads));
    await world.wait(write);

    const arrivals = reader.arrivals.slice(start);
    const old = seen.filter((reply) => Buffer.from(reply.body!.data!).toString() !== String(round));
    assert.is(
      arrivals.indexOf('event 3 /a'),
      old.length,
      'behind what shows the old, before what shows the new',
    );
  }
});

test('deleting a znode whose data and children are watched gives one event', async () => {
  await using world = await World.start();
  const client = await world.open();
  await world.wait(client.create('/a'));
  await world.wait(client.getData('/a', true));
  await world.wait(client.send(OpCode.getChildren2, { path: '/a', watch: true }));
  await world.wait(client.send(OpCode.getChildren, { path: '/', watch: true }));
  await world.wait(client.delete('/a'));
  assert.equal(events(client), ['event 2 /a', 'event 4 /']);
});

test('a one-shot watch fires once, a persistent one again and again, a recursive one never for children lists', async () => {
  await using world = await World.start();
  const [client, other] = [await world.open(), await world.open()];
  await world.wait(client.exists('/a', true));
  const { persistent, persistentRecursive } = AddWatchMode;
  await world.wait(other.send(OpCode.addWatch, { path: '/', mode: persistent }));
  await world.wait(other.send(OpCode.addWatch, { path: '/a', mode: persistentRecursive }));

  await world.wait(client.create('/a'));
  await world.wait(client.setData('/a', 'x'));
  await world.wait(client.create('/a/b'));
  await world.wait(client.delete('/a/b'));
  await world.wait(client.delete('/a'));
  await world.clock.settle();

  assert.equal(events(client), ['event 1 /a']);
  assert.equal(events(other), [
    'event 1 /a',
    'event 4 /',
    'event 3 /a',
    'event 1 /a/b',
    'event 2 /a/b',
    'event 2 /a',
    'event 4 /',
  ]);
});

test('a watch is taken only by a read that succeeds, and by exists of what is missing', async () => {
  await using world = await World.start();
  const client = await world.open();
  assert.is((await world.wait(client.getData('/a', true))).err, ErrorCode.noNode);
  assert.is(
    (await world.wait(client.send(OpCode.getChildren, { path: '/a', watch: true }))).err,
    ErrorCode.noNode,
  );
  await world.wait(client.create('/a'));
  assert.equal(events(client), []);
});

test('nobody hears of what they may not read, and the watch is used up all the same', async () => {
  await using world = await World.start();
  const [owner, stranger] = [await world.open(), await world.open()];
  await world.wait(owner.send(OpCode.auth, { type: 0, scheme: 'digest', auth: Buffer.from('u:p') }));
  await world.wait(stranger.exists('/secret', true));
  const mine = [{ perms: 31, id: { scheme: 'auth', id: '' } }];
  await world.wait(owner.send(OpCode.create, { path: '/secret', data: null, acl: mine, flags: 0, ttlMs: 0 }));
  await world.wait(owner.setData('/secret', 'x'));
  await world.clock.settle();
  assert.equal(events(stranger), []);
});

test('watches go with their connection', async () => {
  await using world = await World.start();
  const [client, other] = [await world.open(), await world.open()];
  await world.wait(client.exists('/a', true));
  client.connection.close();
  await world.wait(client.closed);
  const again = await world.dial();
  await world.wait(again.resume(client));
  await world.wait(other.create('/a'));
  await world.clock.settle();
  assert.equal(events(again), []);
});

test('watches that are taken up again tell at once what was missed, before the reply', async () => {
  await using world = await World.start();
  const client = await world.open();
  for (const path of ['/data', '/parent', '/gone']) await world.wait(client.create(path));
  const { zxid } = await world.wait(client.exists('/'));
  await world.wait(client.setData('/data', 'x'));
  await world.wait(client.create('/parent/child'));
  await world.wait(client.delete('/gone'));
  await world.wait(client.create('/born'));
  const seen = client.arrivals.length;

  await world.wait(
    client.send(
      OpCode.setWatches2,
      {
        ...noMore,
        relativeZxid: zxid,
        dataWatches: ['/data', '/gone', '/parent'],
        existWatches: ['/born', '/unborn'],
        childWatches: ['/parent', '/gone', '/data'],
      },
      100,
    ),
  );
  assert.equal(client.arrivals.slice(seen), [
    'event 3 /data',
    'event 2 /gone',
    'event 1 /born',
    'event 4 /parent',
    'event 2 /gone',
    'reply 100',
  ]);

  await world.wait(client.setData('/parent', 'x'));
  await world.wait(client.create('/unborn'));
  await world.wait(client.create('/data/child'));
  assert.equal(events(client).slice(-3), ['event 3 /parent', 'event 1 /unborn', 'event 4 /data']);
});

test('tens of thousands of watches are taken up in parts, and what comes behind them keeps its place', async () => {
  await using world = await World.start();
  const client = await world.open();
  const paths = Array.from({ length: 30_000 }, (_, index) => `/${index}`);
  const arm = { ...noWatches, ...noMore, relativeZxid: 0n, existWatches: paths };
  const replies = client.sendAll([
    { op: OpCode.setWatches2, body: arm },
    { op: OpCode.exists, body: { path: '/', watch: false } },
  ]);
  await world.wait(Promise.all(replies));
  assert.equal(client.arrivals, ['connected', 'reply 1', 'reply 2']);

  await world.wait(client.create('/29999'));
  assert.equal(events(client), ['event 1 /29999']);
});

test('every watch of a setWatches that takes several turns is set, those at the borders of a turn too', async () => {
  await using world = await World.start({ watchPathsPerTurn: 3 });
  const [watcher, writer] = [await world.open(), await world.open()];
  const existWatches = Array.from({ length: 10 }, (_, index) => `/n${index}`);
  const body = { relativeZxid: 0n, dataWatches: [], existWatches, childWatches: [] };
  await world.wait(watcher.send(OpCode.setWatches, body));

  for (const path of existWatches) await world.wait(writer.create(path));
  await world.wait(watcher.exists('/'));

  const events = watcher.arrivals.filter((arrival) => arrival.startsWith('event'));
  assert.equal(
    events,
    existWatches.map((path) => `event 1 ${path}`),
  );
});

test('events of missed changes carry no zxid, those of changes that are seen carry that of the change', async () => {
  await using world = await World.start();
  const client = await world.open();
  const zxids: bigint[] = [];
  await world.wait(client.create('/a'));
  client.onEvent = (zxid) => zxids.push(zxid);
  const body = { relativeZxid: 0n, dataWatches: ['/a'], existWatches: [], childWatches: [] };
  await world.wait(client.send(OpCode.setWatches, body));
  await world.wait(client.getData('/a', true));
  const { zxid } = await world.wait(client.setData('/a', 'x'));
  assert.equal(zxids, [-1n, zxid]);
});

test('watches can be looked for and taken back', async () => {
  await using world = await World.start();
  const client = await world.open();
  await world.wait(client.exists('/a', true));
  const ask = (
    op: typeof OpCode.checkWatches | typeof OpCode.removeWatches,
    type: number,
    path = '/a',
  ): Promise<ErrorCode> => world.wait(client.send(op, { path, type })).then(({ err }) => err);
  assert.is(await ask(OpCode.checkWatches, WatcherType.data), ErrorCode.ok);
  assert.is(await ask(OpCode.checkWatches, WatcherType.children), ErrorCode.noWatcher);
  assert.is(await ask(OpCode.checkWatches, 99), ErrorCode.marshallingError);
  assert.is(await ask(OpCode.checkWatches, WatcherType.data, 'a'), ErrorCode.marshallingError);
  assert.is(await ask(OpCode.removeWatches, WatcherType.data, 'a'), ErrorCode.noWatcher);
  assert.is(await ask(OpCode.removeWatches, WatcherType.any), ErrorCode.ok);
  assert.is(await ask(OpCode.removeWatches, WatcherType.any), ErrorCode.noWatcher);
  await world.wait(client.create('/a'));
  assert.equal(events(client), []);
  assert.is(
    (await world.wait(client.send(OpCode.addWatch, { path: '/a', mode: 7 }))).err,
    ErrorCode.marshallingError,
  );
});

test('a connection hears of an expiring session in the order of its ephemerals', async () => {
  await using world = await World.start();
  const [dying, watcher] = [await world.open(2_000), await world.open(40_000)];
  for (const path of ['/a', '/b', '/c']) await world.wait(dying.create(path, null, 1));
  await world.wait(watcher.send(OpCode.addWatch, { path: '/', mode: AddWatchMode.persistentRecursive }));
  await world.wait(dying.closed);
  await world.clock.settle();
  assert.equal(events(watcher), ['event 2 /a', 'event 2 /b', 'event 2 /c']);
});

test.run();
