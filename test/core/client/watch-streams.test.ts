import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { UnimplementedError, type WatchStreamEvent } from '../../../core/client/index.js';
import { ErrorCode, OpCode, WatcherType } from '../../../core/protocol/index.js';
import { ClientWorld } from './client-world.js';
import { listen, noting, sent, watching, type RemoveWatches, type SetWatches2 } from './watch-scenes.js';

test('a stream says armed first, then what happens at its path', async () => {
  const world = new ClientWorld();
  const client = await world.connected();
  const { seen } = listen(client.watch('/a'));
  await world.clock.settle();
  for (const type of ['created', 'dataChanged', 'childrenChanged', 'deleted'] as const) {
    world.server.link.notify(type, '/a');
  }
  world.server.link.notify('created', '/a/below');
  world.server.link.notify('created', '/other');
  await world.clock.settle();
  assert.equal(seen, ['armed /a', 'created /a', 'dataChanged /a', 'childrenChanged /a', 'deleted /a']);
  await world.close();
});

test('a recursive stream sees everything below its path, and no childrenChanged', async () => {
  const world = new ClientWorld();
  const client = await world.connected();
  const { seen } = listen(client.watch('/a', { recursive: true }));
  const all = listen(client.watch('/', { recursive: true }));
  await world.clock.settle();
  world.server.link.notify('created', '/a/b/c');
  world.server.link.notify('childrenChanged', '/a/b');
  world.server.link.notify('dataChanged', '/a');
  world.server.link.notify('created', '/ab');
  await world.clock.settle();
  assert.equal(seen, ['armed /a', 'created /a/b/c', 'dataChanged /a']);
  assert.equal(all.seen, ['armed /', 'created /a/b/c', 'dataChanged /a', 'created /ab']);
  await world.close();
});

test('an event right behind the answer that armed the stream is not missed', async () => {
  const world = new ClientWorld();
  const client = await world.connected();
  world.server.respond = (request, link) => {
    if (request.op !== OpCode.addWatch) return undefined;
    link.answer(request, { reply: { op: OpCode.addWatch, body: {} } });
    link.notify('created', '/a');
    return null;
  };
  const { seen } = listen(client.watch('/a'));
  await world.clock.settle();
  assert.equal(seen, ['armed /a', 'created /a']);
  await world.close();
});

test('several streams at one path share one registration, which goes with the last of them', async () => {
  const world = new ClientWorld();
  const client = await world.connected();
  const stops = [new AbortController(), new AbortController()];
  const streams = stops.map(({ signal }) => listen(client.watch('/a', { signal })));
  await world.clock.settle();
  const late = listen(client.watch('/a', { signal: stops[0]!.signal }));
  world.server.link.notify('created', '/a');
  await world.clock.settle();
  for (const { seen } of [...streams, late]) assert.equal(seen, ['armed /a', 'created /a']);
  assert.is(sent(world, OpCode.addWatch).length, 1);

  stops[0]!.abort();
  await world.clock.settle();
  assert.is(sent(world, OpCode.removeWatches).length, 0);
  stops[1]!.abort();
  await world.get(Promise.all(streams.map(({ done }) => done)));
  await world.clock.settle();
  const removed = sent<RemoveWatches>(world, OpCode.removeWatches).map(({ body }) => body);
  assert.equal(removed, [{ path: '/a', type: WatcherType.persistent }]);
  await world.close();
});

test('a stream is armed anew on every connection and in every session, because events may have been missed', async () => {
  const world = new ClientWorld();
  const client = await world.connected();
  const plain = listen(client.watch('/a'));
  const recursive = listen(client.watch('/r', { recursive: true }));
  await world.clock.settle();
  world.server.link.cut();
  await world.until(() => plain.seen.length === 2);
  world.world.end(client.session.id);
  world.server.link.cut();
  await world.until(() => plain.seen.length === 3);
  world.server.link.notify('created', '/a');
  world.server.link.notify('created', '/r/x');
  await world.clock.settle();

  assert.equal(plain.seen, ['armed /a', 'armed /a', 'armed /a', 'created /a']);
  assert.equal(recursive.seen, ['armed /r', 'armed /r', 'armed /r', 'created /r/x']);
  const [{ body }] = sent<SetWatches2>(world, OpCode.setWatches2) as [SetWatches2];
  assert.equal([body.persistentWatches, body.persistentRecursiveWatches], [['/a'], ['/r']]);
  await world.close();
});

test('a stream opened while there is no connection is armed by the next', async () => {
  const world = new ClientWorld();
  world.server.down();
  const client = world.client();
  const { seen } = listen(client.watch('/a'));
  await world.clock.advance(500);
  world.server.up();
  await world.until(() => seen.length === 1);
  assert.equal(sent(world, OpCode.addWatch), []);
  await world.close();
});

test('a registration whose answer was lost is made again', async () => {
  const world = new ClientWorld();
  const client = await world.connected();
  world.server.respond = ({ op }, link) => {
    if (op !== OpCode.addWatch) return undefined;
    world.clock.soon(() => link.cut());
    return null;
  };
  const { seen } = listen(client.watch('/a'));
  await world.until(() => seen.length === 1);
  assert.equal(seen, ['armed /a']);
  await world.close();
});

test('a consumer too slow for its stream gets one armed instead of a backlog', async () => {
  const world = new ClientWorld();
  const client = await world.connected();
  const stream = client.watch('/a', { recursive: true })[Symbol.asyncIterator]();
  await world.clock.settle();
  for (let child = 0; child < 20_000; child++) world.server.link.notify('created', `/a/${child}`);
  await world.clock.settle();
  world.server.link.notify('created', '/a/last');
  await world.clock.settle();

  const seen: string[] = [];
  while (!seen.includes('created /a/last')) {
    const { value } = (await stream.next()) as { readonly value: WatchStreamEvent };
    seen.push(`${value.type} ${value.path}`);
  }
  assert.ok(seen.length <= 8_193, `${seen.length} events were kept`);
  assert.is(seen[0], 'armed /a');
  await world.close();
});

test('a server that refuses a persistent watch fails its streams, and the client goes on', async () => {
  const world = new ClientWorld();
  const client = await world.connected();
  world.server.respond = ({ op }) => (op === OpCode.addWatch ? { err: ErrorCode.unimplemented } : undefined);
  const { done } = listen(client.watch('/a'));
  assert.instance(await world.get(done), UnimplementedError);
  await world.get(client.exists('/'));
  await world.close();
});

test('a server that knows no persistent watches fails the streams that come to it, and takes over the other watches', async () => {
  const world = new ClientWorld();
  const client = await world.connected();
  const notices: string[] = [];
  await watching(world, client, notices);
  const { seen, done } = listen(client.watch('/a'));
  await world.until(() => seen.length === 1);
  world.server.respond = ({ op }, link) => {
    if (op !== OpCode.setWatches2) return undefined;
    // As ZooKeeper does with an operation that it does not know.
    world.clock.soon(() => link.end());
    return { err: ErrorCode.unimplemented };
  };
  world.server.link.cut();

  const failure = (await world.get(done)) as UnimplementedError;
  assert.instance(failure, UnimplementedError);
  assert.match(failure.message, /ZooKeeper 3\.6 or newer/);
  await world.until(() => sent(world, OpCode.setWatches).length === 1);
  world.server.link.notify('dataChanged', '/a');
  await world.until(() => notices.length === 1);
  await world.close();
});

test('a server that cannot take back a persistent watch alone is asked to take back all, if nobody else waits there', async () => {
  const world = new ClientWorld();
  const client = await world.connected();
  world.server.respond = (request) =>
    request.op === OpCode.removeWatches && request.body.type > WatcherType.any
      ? { err: ErrorCode.marshallingError }
      : undefined;
  const types = (): number[] => sent<RemoveWatches>(world, OpCode.removeWatches).map(({ body }) => body.type);
  const listenFor = async (path: string): Promise<void> => {
    const stop = new AbortController();
    const { seen, done } = listen(client.watch(path, { signal: stop.signal }));
    await world.until(() => seen.length === 1);
    stop.abort();
    await world.get(done);
    await world.clock.settle();
  };

  await listenFor('/alone');
  assert.equal(types(), [WatcherType.persistent, WatcherType.any]);
  await world.get(client.exists('/shared', { watch: () => undefined }));
  await listenFor('/shared');
  assert.equal(types().slice(2), [WatcherType.persistent]);
  await world.close();
});

test('streams end when the client closes, and when their consumer leaves', async () => {
  const world = new ClientWorld();
  const client = await world.connected();
  const open = listen(client.watch('/a'));
  const leaving = (async () => {
    for await (const { type } of client.watch('/b')) if (type === 'armed') return 'left';
    return 'ended';
  })();
  assert.is(await world.get(leaving), 'left');
  await world.clock.settle();
  assert.is(sent(world, OpCode.removeWatches).length, 1);
  await world.close();
  assert.is(await world.get(open.done), null);
  const late = listen(client.watch('/a'));
  assert.is(await world.get(late.done), null);
  assert.equal(late.seen, []);
});

test('below a chroot events carry the paths of the caller, and others are ignored', async () => {
  const world = new ClientWorld();
  world.world.put('/app');
  const client = await world.connected({ chroot: '/app' });
  const notices: string[] = [];
  await world.get(client.exists('/a', { watch: noting(notices) }));
  await world.get(client.getChildren('/', { watch: noting(notices) }));
  const { seen } = listen(client.watch('/', { recursive: true }));
  await world.clock.settle();
  world.server.link.notify('created', '/app/a');
  world.server.link.notify('childrenChanged', '/app');
  world.server.link.notify('created', '/application');
  await world.clock.settle();
  assert.equal(notices, ['created /a', 'childrenChanged /']);
  assert.equal(seen, ['armed /', 'created /a']);
  world.server.link.cut();
  await world.until(() => seen.length === 3);
  const [{ body }] = sent<SetWatches2>(world, OpCode.setWatches2) as [SetWatches2];
  assert.equal(body.persistentRecursiveWatches, ['/app']);
  await world.close();
});

test.run();
