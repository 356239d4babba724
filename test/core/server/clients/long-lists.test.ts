/** Lists that are too long for one turn of a member. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  AddWatchMode,
  ASKS_FOR_LIMIT,
  CreateMode,
  ErrorCode,
  OPEN_ACL,
  OpCode,
  ServerFeature,
  type ClientOp,
} from '../../../../core/protocol/index.js';
import type { RawClient, RawReply } from '../raw-client.js';
import { World } from '../world.js';

const CHILDREN = 60;
const LIST = { path: '/list', watch: false };

async function worldWithList(options = {}, flags: number = CreateMode.persistent): Promise<World> {
  const world = await World.start({ listNamesPerTurn: 50, ...options });
  const client = await world.open();
  await world.wait(client.create('/list'));
  await fill(world, client, CHILDREN, flags);
  return world;
}

function fill(
  world: World,
  client: RawClient,
  count: number,
  flags: number = CreateMode.persistent,
): Promise<unknown> {
  const ops = Array.from({ length: count }, (_, index) => ({
    op: OpCode.create,
    body: { path: `/list/${index}`, data: null, acl: OPEN_ACL, flags, ttlMs: 0 },
  }));
  return world.wait(client.send(OpCode.multi, { ops }));
}

/** Every turn of the member takes a millisecond from now on, in which others are heard. */
function slowDown({ clock }: World): void {
  clock.soon = (task) => void clock.setTimer(1, task);
}

/** Turns until the list is there. Another client is served meanwhile. */
async function turnsOf(world: World, list: Promise<unknown>, other: RawClient): Promise<number> {
  const order: string[] = [];
  const begin = world.clock.now();
  const others = other.exists('/').then(() => order.push('other'));
  await world.wait(list.then(() => order.push('list')));
  const turns = world.clock.now() - begin;
  await world.wait(others);
  assert.equal(order, ['other', 'list']);
  return turns;
}

test('other clients are served between the turns that a long list takes', async () => {
  await using world = await World.start();
  const [reader, other] = [await world.open(), await world.open()];
  await world.wait(reader.create('/list'));
  for (let part = 0; part < 10; part++) {
    const ops = Array.from({ length: 2_000 }, (_, index) => ({
      op: OpCode.create,
      body: { path: `/list/${part}-${index}`, data: null, acl: OPEN_ACL, flags: 0, ttlMs: 0 },
    }));
    await world.wait(reader.send(OpCode.multi, { ops }));
  }
  slowDown(world);
  // 20,000 names, of which a turn looks at 2,000.
  assert.ok((await turnsOf(world, reader.send(OpCode.getChildren2, LIST), other)) >= 10);
  // A page of 10,000 at most.
  const page = { ...LIST, after: -1n, lastName: '', most: 1_000_000 };
  assert.ok((await turnsOf(world, reader.send(OpCode.getChildrenPage, page), other)) >= 5);
  const ops = Array.from({ length: 4 }, () => ({ op: OpCode.getChildren, body: LIST }) as const);
  assert.ok((await turnsOf(world, reader.send(OpCode.multiRead, { ops }), other)) >= 40);
});

test('a session with many ephemeral znodes is listed over several turns', async () => {
  await using world = await World.start({ listNamesPerTurn: 50 });
  const [owner, other] = [await world.open(), await world.open()];
  await world.wait(owner.create('/list'));
  await fill(world, owner, 500, CreateMode.ephemeral);
  slowDown(world);
  const list = owner.send(OpCode.getEphemerals, { prefixPath: '/list' });
  assert.ok((await turnsOf(world, list, other)) >= 10);
  assert.is((await list).body!.ephemerals.length, 500);
});

test('a change during a long list is reported behind it, and the list is the one before the change', async () => {
  await using world = await worldWithList({ listNamesPerTurn: 1 });
  const [reader, writer] = [await world.open(), await world.open()];
  slowDown(world);
  const list = reader.send(OpCode.getChildren2, { path: '/list', watch: true });
  // The list takes 60 turns, and this is applied within a few.
  const change = await world.wait(writer.delete('/list/59'));
  void reader.send(OpCode.ping, {});
  const { body, zxid } = await world.wait(list);
  await world.wait(reader.exists('/'));
  assert.is(body!.children.length, CHILDREN);
  assert.is(body!.stat.numChildren, CHILDREN);
  assert.ok(zxid < change.zxid);
  assert.equal(reader.arrivals, ['connected', 'pong', 'reply 1', 'event 4 /list', 'reply 2']);
});

test('an event of another watch that comes during a long list, or a page, follows it', async () => {
  await using world = await worldWithList({ listNamesPerTurn: 1 });
  const [reader, writer] = [await world.open(), await world.open()];
  await world.wait(reader.send(OpCode.addWatch, { path: '/list', mode: AddWatchMode.persistentRecursive }));
  slowDown(world);
  const page = { ...LIST, after: -1n, lastName: '', most: 1_000 };
  const reads = [
    () => reader.send(OpCode.getChildren2, LIST),
    () => reader.send(OpCode.getChildrenPage, page),
  ] as const;
  for (const [index, read] of reads.entries()) {
    const list = read();
    const change = await world.wait(writer.delete(`/list/${index}`));
    const { body, zxid } = await world.wait<RawReply<ClientOp>>(list);
    assert.is((body as { children: string[] }).children.length, CHILDREN - index);
    assert.ok(zxid < change.zxid);
    await world.wait(reader.exists('/'));
    assert.match(reader.arrivals.slice(-3).join(), /^reply \d+,event 2 \/list\/\d,reply \d+$/);
  }
});

test('a multiRead of several turns shows no state older than an event that came before it, and none newer than its zxid', async () => {
  await using world = await worldWithList({ listNamesPerTurn: 1 });
  const [reader, writer] = [await world.open(), await world.open()];
  await world.wait(reader.send(OpCode.getData, { path: '/list/0', watch: true }));
  slowDown(world);
  const first = { op: OpCode.getData, body: { path: '/list/0', watch: false } } as const;
  const last = { op: OpCode.getData, body: { path: '/list/1', watch: false } } as const;
  const ops = [
    first,
    ...Array.from({ length: 2 }, () => ({ op: OpCode.getChildren, body: LIST }) as const),
    last,
  ];
  const read = reader.send(OpCode.multiRead, { ops });
  await world.wait(writer.exists('/'));
  await world.wait(writer.setData('/list/0', 'new'));
  const change = await world.wait(writer.setData('/list/1', 'new'));
  const { body, zxid } = await world.wait(read);
  const shown = [body!.results[0]!, body!.results.at(-1)!].map((result) =>
    Buffer.from((result as { reply: { body: { data: Uint8Array } } }).reply.body.data ?? []).toString(),
  );
  assert.equal(shown, ['new', 'new']);
  assert.ok(zxid >= change.zxid);
  assert.match(reader.arrivals.slice(-2).join(), /^event 3 \/list\/0,reply \d+$/);
});

test('a multiRead that events outdate again and again does more in each turn, and is refused if that is not enough', async () => {
  await using world = await worldWithList({ listNamesPerTurn: 1 });
  const [reader, writer] = [await world.open(), await world.open()];
  await world.wait(reader.send(OpCode.addWatch, { path: '/list', mode: AddWatchMode.persistentRecursive }));
  slowDown(world);
  const errorUnderChanges = async (count: number): Promise<number> => {
    const ops = Array.from({ length: count }, () => ({ op: OpCode.getData, body: LIST }) as const);
    const over = new AbortController();
    const read = reader.send(OpCode.multiRead, { ops }).finally(() => over.abort());
    for (let changes = 0; !over.signal.aborted && changes < 200; changes++)
      await world.wait(writer.setData('/list/0', String(changes)));
    return (await world.wait(read)).err;
  };
  // Sixteen results fit into the longest turn.
  assert.is(await errorUnderChanges(12), ErrorCode.ok);
  assert.is(await errorUnderChanges(300), ErrorCode.throttledOp);
  const ops = Array.from({ length: 300 }, () => ({ op: OpCode.getData, body: LIST }) as const);
  assert.is((await world.wait(reader.send(OpCode.multiRead, { ops }))).err, ErrorCode.ok);
});

test('a long list that is refused sets no watch', async () => {
  await using world = await worldWithList({ listNamesPerTurn: 1, maxReplyBytes: 1_024 });
  const [reader, writer] = [await world.open(), await world.open()];
  const ops = Array.from({ length: 60 }, (_, index) => ({
    op: OpCode.create,
    body: { path: `/list/${'ä'.repeat(10)}${index}`, data: null, acl: OPEN_ACL, flags: 0, ttlMs: 0 },
  }));
  await world.wait(writer.send(OpCode.multi, { ops }));
  const { err } = await world.wait(reader.send(OpCode.getChildren, { path: '/list', watch: true }));
  assert.is(err, ErrorCode.marshallingError);
  await world.wait(writer.delete('/list/1'));
  await world.wait(reader.exists('/'));
  assert.equal(reader.arrivals, ['connected', 'reply 1', 'reply 2']);
});

test('a long list that is refused leaves the watch that was set before it', async () => {
  await using world = await World.start({ listNamesPerTurn: 1, maxReplyBytes: 1_024 });
  const [reader, writer] = [await world.open(), await world.open()];
  await world.wait(writer.create('/list'));
  // 38 names of 26 bytes fit the largest reply, and do not with a stat behind them.
  const ops = Array.from({ length: 38 }, (_, index) => ({
    op: OpCode.create,
    body: { path: `/list/${'ä'.repeat(10)}${index + 10}`, data: null, acl: OPEN_ACL, flags: 0, ttlMs: 0 },
  }));
  await world.wait(writer.send(OpCode.multi, { ops }));
  const errors = [];
  for (const op of [OpCode.getChildren, OpCode.getChildren2])
    errors.push((await world.wait(reader.send(op, { path: '/list', watch: true }))).err);
  assert.equal(errors, [ErrorCode.ok, ErrorCode.marshallingError]);
  await world.wait(writer.create('/list/more'));
  await world.wait(reader.exists('/'));
  assert.equal(reader.arrivals, ['connected', 'reply 1', 'reply 2', 'event 4 /list', 'reply 3']);
});

test('a client that leaves during its list leaves nothing open', async () => {
  await using world = await worldWithList({ listNamesPerTurn: 1, maxTotalOutputBytes: 2_000 });
  const other = await world.open();
  slowDown(world);
  for (let round = 0; round < 40; round++) {
    const reader = await world.open();
    void reader.send(OpCode.getChildren, LIST);
    await world.wait(other.exists('/'));
    reader.connection.terminate();
    await world.wait(reader.closed);
  }
  // With forty open lists, or their bytes, this would wait or be refused.
  assert.is((await world.wait(other.send(OpCode.getChildren, LIST))).err, ErrorCode.ok);
});

test('requests behind a long list give it no more turns', async () => {
  await using world = await worldWithList({ listNamesPerTurn: 1 });
  const [reader, other] = [await world.open(), await world.open()];
  slowDown(world);
  const replies = reader.sendAll([
    { op: OpCode.getChildren, body: LIST },
    ...Array.from({ length: 100 }, () => ({ op: OpCode.exists, body: LIST })),
  ]);
  assert.ok((await turnsOf(world, replies[0]!, other)) >= CHILDREN);
});

test('many clients that read long lists at once all get them', async () => {
  await using world = await worldWithList({ listNamesPerTurn: 1 });
  const readers: RawClient[] = [];
  for (let count = 0; count < 40; count++) readers.push(await world.open());
  const replies = await world.wait(
    Promise.all(readers.map((reader) => reader.send(OpCode.getChildren, LIST))),
  );
  assert.ok(replies.every(({ body }) => body!.children.length === CHILDREN));
});

test('what long lists have gathered counts as output that waits', async () => {
  await using world = await worldWithList({ listNamesPerTurn: 1, maxTotalOutputBytes: 1 });
  const client = await world.open();
  assert.is((await world.wait(client.send(OpCode.getChildren, LIST))).err, ErrorCode.throttledOp);
  assert.is((await world.wait(client.exists('/list'))).err, ErrorCode.ok);
});

test('pages of children are announced to clients that ask for what goes beyond ZooKeeper, and only to them', async () => {
  await using world = await World.start();
  const [ours, other] = [await world.dial(), await world.dial()];
  const response = await world.wait(ours.connect({ protocolVersion: ASKS_FOR_LIMIT }));
  assert.is(response.features! & ServerFeature.childrenPages, ServerFeature.childrenPages);
  assert.is((await world.wait(other.connect())).features, undefined);
});

test('a page of a znode that is missing, or may not be read, is refused as a list of it is', async () => {
  await using world = await World.start();
  const client = await world.open();
  const acl = [{ perms: 2, id: { scheme: 'world', id: 'anyone' } }];
  const page = { watch: false, after: -1n, lastName: '', most: 10 };
  await world.wait(client.send(OpCode.create, { path: '/closed', data: null, acl, flags: 0, ttlMs: 0 }));
  const errorAt = async (path: string) =>
    (await world.wait(client.send(OpCode.getChildrenPage, { ...page, path }))).err;
  assert.is(await errorAt('/none'), ErrorCode.noNode);
  assert.is(await errorAt('/closed'), ErrorCode.noAuth);
  assert.is(await errorAt('/'), ErrorCode.ok);
});

test.run();
