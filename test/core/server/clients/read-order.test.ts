/** A read is evaluated at its place in the order of its connection, whatever waits on the way. */
import * as fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ErrorCode, OpCode, type ClientOp } from '../../../../core/protocol/index.js';
import { judgeBurst, prepareBurst, type BurstMove } from './burst.js';
import { EnsembleWorld } from '../ensemble-world.js';
import type { RawClient, RawReply } from '../raw-client.js';
import { World } from '../world.js';

const OPEN = [{ perms: 31, id: { scheme: 'world', id: 'anyone' } }];
const MINE = [{ perms: 31, id: { scheme: 'auth', id: '' } }];

interface Sent {
  readonly op: ClientOp;
  readonly body: unknown;
}

const create = (path: string, acl: unknown = OPEN): Sent => {
  return { op: OpCode.create, body: { path, data: Buffer.from('0'), acl, flags: 0, ttlMs: 0 } };
};
const set = (path: string, data: string): Sent => {
  return { op: OpCode.setData, body: { path, data: Buffer.from(data), version: -1 } };
};
const get = (path: string, watch = false): Sent => ({ op: OpCode.getData, body: { path, watch } });
const sync: Sent = { op: OpCode.sync, body: { path: '/' } };
const auth = (text: string): Sent => {
  return { op: OpCode.auth, body: { type: 0, scheme: 'digest', auth: Buffer.from(text) } };
};
const rearm = (count: number): Sent => {
  const existWatches = Array.from({ length: count }, (_, index) => `/none/${index}`);
  return {
    op: OpCode.setWatches,
    body: { relativeZxid: 0n, dataWatches: [], existWatches, childWatches: [] },
  };
};

interface AnyWorld {
  wait<T>(promise: Promise<T>): Promise<T>;
}

function burst(world: AnyWorld, client: RawClient, requests: readonly Sent[]): Promise<RawReply<ClientOp>[]> {
  return world.wait(Promise.all(client.sendAll(requests)));
}

/** A packet whose number of operation no server knows. */
const UNKNOWN_OPERATION = Uint8Array.of(0, 0, 0, 8, 0, 0, 0, 99, 0, 0, 18, 103);

function dataOf({ body }: RawReply<ClientOp>): string {
  return Buffer.from((body as { data: Uint8Array }).data).toString();
}

async function playSyncBatch(world: AnyWorld, client: RawClient): Promise<void> {
  const before = (await burst(world, client, [create('/n')]))[0]!.zxid;
  for (let round = 0n; round < 20n; round++) {
    const replies = await burst(world, client, [sync, get('/n'), set('/n', '1'), get('/n'), set('/n', '0')]);
    assert.equal([replies[1]!, replies[3]!].map(dataOf), ['0', '1']);
    const last = before + 2n * round;
    assert.equal(
      replies.map(({ zxid }) => zxid),
      [last, last, last + 1n, last + 1n, last + 2n],
    );
  }
}

test('reads between a sync and writes of one batch see the writes before them only, on one member', async () => {
  await using world = await World.start();
  await playSyncBatch(world, await world.open());
});

test('reads between a sync and writes of one batch see the writes before them only, on three members', async () => {
  await using world = await EnsembleWorld.start();
  for (const id of world.running) {
    const client = await world.open(id);
    await playSyncBatch(world, client);
    await world.wait(client.delete('/n'));
  }
});

test('a watch that is set by a read behind a sync reports the write behind that read', async () => {
  await using world = await World.start();
  const client = await world.open();
  await burst(world, client, [create('/n')]);
  await burst(world, client, [sync, get('/n', true), set('/n', '1')]);
  assert.equal(client.arrivals.slice(-4), ['reply 2', 'reply 3', 'event 3 /n', 'reply 4']);
});

test('reads that wait for room in the output do not see the later write of their session', async () => {
  await using world = await World.start({ outputHighWaterBytes: 1_000 });
  const client = await world.open();
  await burst(world, client, [create('/n'), create('/big'), create('/other')]);
  await burst(world, client, [set('/big', 'x'.repeat(600))]);
  for (let round = 0; round < 10; round++) {
    const many = Array.from({ length: 30 }, () => get('/big'));
    const requests = [set('/other', 'x'), ...many, get('/n', true), set('/n', `${round + 1}`)];
    const replies = await burst(world, client, requests);
    assert.is(dataOf(replies.at(-2)!), `${round}`);
    assert.is(replies.at(-2)!.zxid, replies[0]!.zxid);
    assert.is(replies.at(-1)!.zxid, replies[0]!.zxid + 1n);
  }
  assert.is(client.arrivals.filter((arrival) => arrival === 'event 3 /n').length, 10);
});

test('a read behind a setWatches of several turns does not see the later write of its session', async () => {
  await using world = await World.start({ watchPathsPerTurn: 10 });
  const client = await world.open();
  await burst(world, client, [create('/n'), create('/other')]);
  for (let round = 0; round < 5; round++) {
    const requests = [set('/other', 'x'), rearm(100), get('/n'), set('/n', `${round + 1}`)];
    const replies = await burst(world, client, requests);
    assert.is(dataOf(replies[2]!), `${round}`);
    assert.is(replies[3]!.zxid, replies[0]!.zxid + 1n);
  }
});

test('a read that waits behind a write is judged with the identities that it was sent with', async () => {
  await using world = await World.start();
  const [owner, client] = [await world.open(), await world.open()];
  await burst(world, owner, [auth('anna:secret'), create('/mine', MINE), create('/open')]);

  const who: Sent = { op: OpCode.whoAmI, body: {} };
  const requests = [set('/open', 'x'), get('/mine'), who, auth('anna:secret'), get('/mine'), who];
  const replies = await burst(world, client, requests);

  assert.equal(
    replies.map(({ err }) => err),
    [0, ErrorCode.noAuth, 0, 0, 0, 0],
  );
  const schemes = [replies[2]!, replies[5]!].map(({ body }) =>
    (body as { clientInfo: { scheme: string }[] }).clientInfo.map(({ scheme }) => scheme),
  );
  assert.equal(schemes, [['ip'], ['ip', 'digest']]);
});

test('a setWatches that was sent before an auth reports nothing that its sender could not read', async () => {
  await using world = await World.start();
  const [owner, client] = [await world.open(), await world.open()];
  await burst(world, owner, [auth('anna:secret'), create('/mine', MINE), create('/open')]);

  const body = { relativeZxid: 0n, dataWatches: ['/mine'], existWatches: [], childWatches: [] };
  await burst(world, client, [set('/open', 'x'), { op: OpCode.setWatches, body }, auth('anna:secret')]);

  assert.equal(client.arrivals, ['connected', 'reply 1', 'reply 2', 'reply -4']);
});

test('writes that are forwarded are judged with the identities that each of them was sent with', async () => {
  await using world = await EnsembleWorld.start();
  const follower = world.running.find((id) => id !== world.leader)!;
  const [owner, client] = [await world.open(follower), await world.open(follower)];
  await burst(world, owner, [auth('anna:secret'), create('/mine', MINE)]);

  const requests = [
    set('/mine', '1'),
    auth('bert:other'),
    set('/mine', '2'),
    auth('anna:secret'),
    set('/mine', '3'),
    get('/mine'),
  ];
  const replies = await burst(world, client, requests);

  const { noAuth } = ErrorCode;
  assert.equal(
    replies.map(({ err }) => err),
    [noAuth, 0, noAuth, 0, 0, 0],
  );
  assert.is(dataOf(replies[5]!), '3');
});

test('reads before the end of a session still see its ephemerals', async () => {
  await using world = await World.start({ outputHighWaterBytes: 500 });
  const client = await world.open();
  const mine = { op: OpCode.create, body: { ...(create('/mine').body as object), flags: 1 } } as const;
  await burst(world, client, [mine]);
  const many = Array.from({ length: 20 }, () => get('/mine'));
  const replies = await burst(world, client, [sync, ...many, { op: OpCode.closeSession, body: {} }]);
  assert.ok(replies.every(({ err }) => err === ErrorCode.ok));
});

test('writes behind a sync are carried out though their client is gone before the sync is answered', async () => {
  await using world = await EnsembleWorld.start();
  const follower = world.running.find((id) => id !== world.leader)!;
  const client = await world.open(follower);
  void client.sendAll([sync, create('/left-behind')]);
  client.connection.close();
  const other = await world.open(world.leader!);
  await world.clock.advance(100);
  assert.is((await world.wait(other.exists('/left-behind'))).err, ErrorCode.ok);
});

test('writes of a client that is gone are judged with the identities that it proved before each of them', async () => {
  await using world = await World.start();
  const owner = await world.open();
  await burst(world, owner, [auth('anna:secret'), create('/mine', MINE)]);
  const client = await world.open();
  void client.sendAll([set('/mine', '1'), auth('anna:secret'), set('/mine', '2')]);
  client.connection.close();
  await world.clock.advance(100);
  const [reply] = await burst(world, owner, [get('/mine')]);
  assert.is(dataOf(reply!), '2');
  assert.is((reply!.body as { stat: { version: number } }).stat.version, 1);
});

test('writes behind what ends a connection are not carried out though the client is gone', async () => {
  await using world = await World.start();
  const client = await world.open();
  void client.sendAll([create('/before')]);
  client.sendBytes(UNKNOWN_OPERATION);
  void client.sendAll([create('/behind')]);
  client.connection.close();
  await world.clock.advance(100);
  const other = await world.open();
  const [before, behind] = await burst(world, other, [get('/before'), get('/behind')]);
  assert.equal([before!.err, behind!.err], [ErrorCode.ok, ErrorCode.noNode]);
});

const path = fc.constantFrom('/a', '/b', '/c');
const move: fc.Arbitrary<BurstMove> = fc.oneof(
  { weight: 6, arbitrary: path.map((at): BurstMove => ({ move: 'set', path: at })) },
  { weight: 6, arbitrary: path.map((at): BurstMove => ({ move: 'get', path: at })) },
  {
    weight: 4,
    arbitrary: fc
      .tuple(fc.constantFrom('list', 'stat', 'create', 'delete'), path)
      .map(([kind, at]): BurstMove => ({ move: kind, path: at })),
  },
  { weight: 1, arbitrary: fc.constantFrom('u1', 'u2').map((user): BurstMove => ({ move: 'auth', user })) },
  { weight: 1, arbitrary: fc.nat(8).map((paths): BurstMove => ({ move: 'rearm', paths })) },
  {
    weight: 6,
    arbitrary: fc
      .constantFrom('sync', 'whoAmI', 'secret', 'several', 'watch', 'root', 'root', 'ping')
      .map((kind): BurstMove => ({ move: kind })),
  },
);
const moves = fc.array(move, { minLength: 2, maxLength: 60 });
const TIGHT = {
  outputHighWaterBytes: 400,
  watchPathsPerTurn: 3,
  listNamesPerTurn: 1,
  maxOutstandingRequests: 25,
};

test('any batch of one client is answered as if its requests had been sent one by one, on one member', async () => {
  await fc.assert(
    fc.asyncProperty(moves, async (batch) => {
      await using world = await World.start(TIGHT);
      const wait = <T>(promise: Promise<T>): Promise<T> => world.wait(promise);
      const owner = await world.open();
      await prepareBurst(owner, wait);
      const client = await world.open();
      const lastZxid = (await world.wait(client.exists('/'))).zxid;
      assert.equal(await judgeBurst(client, batch, { lastZxid, wait }), []);
    }),
    { numRuns: 60 },
  );
});

test('any batch of one client is answered as if its requests had been sent one by one, at a follower', async () => {
  await fc.assert(
    fc.asyncProperty(moves, async (batch) => {
      await using world = await EnsembleWorld.start(TIGHT);
      const wait = <T>(promise: Promise<T>): Promise<T> => world.wait(promise);
      const follower = world.running.find((id) => id !== world.leader)!;
      const owner = await world.open(follower);
      await prepareBurst(owner, wait);
      const client = await world.open(follower);
      const lastZxid = (await world.wait(client.exists('/'))).zxid;
      assert.equal(await judgeBurst(client, batch, { lastZxid, wait }), []);
    }),
    { numRuns: 15 },
  );
});

test.run();
