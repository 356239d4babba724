import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ErrorCode, OpCode } from '../../../../core/protocol/index.js';
import { Cluster } from '../../../../core/testing/index.js';
import { World } from '../world.js';

const ignore = (promise: Promise<unknown>): void => void promise.catch(() => undefined);
const isReply = (arrival: string): boolean => arrival.startsWith('reply');
const acl = [{ perms: 31, id: { scheme: 'world', id: 'anyone' } }];

test('a client with too many unanswered requests is not read until they are answered', async () => {
  await using world = await World.start({ maxOutstandingRequests: 10 });
  const client = await world.open();
  const replies = Array.from({ length: 200 }, (_, index) => client.create(`/${index}`));
  await world.wait(Promise.all(replies));
  assert.is(client.arrivals.length, 201);
});

test('a client that does not read is not read either, and gets all its replies once it reads again', async () => {
  await using world = await World.start({
    outputHighWaterBytes: 100_000,
    maxOutstandingRequests: 100,
    maxSessionMs: 600_000,
  });
  const client = await world.open(600_000);
  await world.wait(client.create('/big', 'x'.repeat(50_000)));
  client.connection.pause();
  const replies = [];
  for (let batch = 0; batch < 4; batch++) {
    replies.push(...Array.from({ length: 50 }, () => client.getData('/big')));
    await world.clock.settle();
  }
  const answered = client.arrivals.length;
  assert.ok(client.connection.bufferedBytes > 0, 'the requests pile up at the client');

  client.connection.resume();
  await world.wait(Promise.all(replies));

  assert.is(answered, 2);
  assert.is(client.arrivals.length, 202);
});

test('a client goes on when a turn had more for it than may wait, and the transport took all of it at once', async () => {
  const server = { outputHighWaterBytes: 200 };
  await Cluster.play(
    async (cluster) => {
      const { client } = cluster.client();
      await client.create('/a', 'x'.repeat(100));
      const before = cluster.clock.now();
      await Promise.all(Array.from({ length: 50 }, () => client.getData('/a')));
      assert.ok(cluster.clock.now() - before < 1_000, 'it took a new connection');
    },
    { voters: 1, server },
  );
});

test('a reply that waits for room behind events does not lead its client back in time', async () => {
  await using world = await World.start({ outputHighWaterBytes: 60 });
  const [client, before, behind] = [await world.open(), await world.open(), await world.open()];
  for (const path of ['/own', '/a', '/b', '/c']) await world.wait(client.create(path));
  await world.wait(client.send(OpCode.addWatch, { path: '/', mode: 1 }));

  const earlier = ['/a', '/b'].map((path) => before.setData(path, ''));
  const own = client.setData('/own', '');
  const read = client.exists('/own');
  const later = behind.setData('/c', '');
  await world.wait(Promise.all([...earlier, later]));

  const { zxid } = await world.wait(read);
  const isToldBefore = client.arrivals.indexOf('event 3 /c') < client.arrivals.findLastIndex(isReply);
  assert.ok(isToldBefore, client.arrivals.join());
  assert.is(zxid, (await later).zxid, 'the event told of more than the reply behind it');
  assert.is((await world.wait(own)).zxid, zxid - 1n, 'the reply to a write does not wait');
});

test('a client that is told more and more and never reads is cut off, and the others go on', async () => {
  await using world = await World.start({ outputHighWaterBytes: 10_000, maxOutputBytes: 50_000 });
  const [deaf, writer] = [await world.open(40_000), await world.open(40_000)];
  await world.wait(writer.create('/a'));
  await world.wait(deaf.send(OpCode.addWatch, { path: '/a', mode: 0 }));
  deaf.connection.pause();

  for (let round = 0; round < 2_000 && deaf.end === null; round++) {
    await world.wait(writer.setData('/a', String(round)));
  }

  assert.ok(world.log.has(/does not read/));
  assert.is((await world.wait(writer.exists('/a'))).err, 0);
});

test('a client that takes nothing in for a whole session timeout is cut off', async () => {
  await using world = await World.start({ outputHighWaterBytes: 10_000 });
  const client = await world.open(4_000);
  await world.wait(client.create('/big', 'x'.repeat(20_000)));
  client.connection.pause();
  client.getData('/big').catch(() => undefined);
  for (let time = 0; time < 12_000; time += 1_000) {
    client.send(OpCode.ping, {}).catch(() => undefined);
    await world.clock.advance(1_000);
  }
  assert.ok(world.log.has(/does not read/));
});

test('pings are answered while the disk stands still, and writes wait without being lost', async () => {
  await using world = await World.start({ maxProposalsInFlight: 5 });
  const client = await world.open();
  world.disk.slowSyncs(world.clock, 3_000);
  const writes = Array.from({ length: 20 }, (_, index) => client.create(`/${index}`));
  await world.clock.advance(1_000);
  assert.equal(client.arrivals, ['connected']);

  void client.send(OpCode.ping, {});
  await world.clock.advance(100);
  assert.equal(client.arrivals, ['connected', 'pong']);
  world.disk.slowSyncs(world.clock, 0);
  const replies = await world.wait(Promise.all(writes));

  assert.ok(replies.every(({ err }) => err === ErrorCode.ok));
});

test('a client that only pings, and never reads, is not read for long', async () => {
  await using world = await World.start({ outputHighWaterBytes: 10_000 });
  const client = await world.open(40_000);
  client.connection.pause();
  for (let round = 0; round < 200; round++) {
    client.sendAll(Array.from({ length: 50 }, () => ({ op: OpCode.ping, body: {} }))).forEach(ignore);
    await world.clock.settle();
  }
  assert.ok(client.connection.bufferedBytes > 0, 'pings pile up at the client');
  client.connection.resume();
  await world.clock.settle();
  assert.is(client.arrivals.length, 10_001);
});

test('sessions survive a disk that stands still for longer than their timeout, as long as their clients speak', async () => {
  await using world = await World.start({ maxProposalsInFlight: 5, maxOutstandingRequests: 10 });
  const client = await world.open(2_000);
  world.disk.slowSyncs(world.clock, 20_000);
  const writes = Array.from({ length: 100 }, (_, index) => client.create(`/${index}`, null, 1));
  for (let time = 0; time < 15_000; time += 500) {
    ignore(client.send(OpCode.ping, {}));
    await world.clock.advance(500);
  }
  world.disk.slowSyncs(world.clock, 0);
  const replies = await world.wait(Promise.all(writes));
  assert.ok(replies.every(({ err }) => err === ErrorCode.ok));
});

test('clients that come and go while the disk stands still are sent away before they fill the member', async () => {
  await using world = await World.start({ maxProposalsInFlight: 20, maxConnections: 1_000 });
  world.disk.slowSyncs(world.clock, 60_000);
  for (let count = 0; count < 200; count++) {
    const client = await world.dial();
    ignore(client.connect());
    await world.clock.settle();
    client.connection.terminate();
  }
  assert.ok(world.log.has(/too much is under way/));
  world.disk.slowSyncs(world.clock, 0);
  await world.clock.advance(60_000);
  assert.ok((await world.open()).response!.sessionId !== 0n);
});

test('a flood of one client does not keep another one waiting for more than its share of a turn', async () => {
  await using world = await World.start({ maxOutstandingRequests: 100_000 });
  const [flood, other] = [await world.open(), await world.open()];
  const body = { path: '/', watch: false };
  const requests = Array.from({ length: 20_000 }, () => ({ op: OpCode.exists, body }));
  const flooded = flood.sendAll(requests);
  const doneBefore = other.exists('/').then(() => flood.arrivals.length);
  const done = await world.wait(doneBefore);
  await world.wait(Promise.all(flooded));
  assert.ok(done < 10_000, `${done} requests of the flood were answered before`);
});

test('many clients write at once and each is answered in its own order', async () => {
  await using world = await World.start();
  const clients = [];
  for (let index = 0; index < 20; index++) clients.push(await world.open());
  const replies = clients.flatMap((client, number) =>
    client.sendAll(
      Array.from({ length: 50 }, (_, index) => ({
        op: OpCode.create,
        body: { path: `/${number}-${index}`, data: null, acl, flags: 0, ttlMs: 0 },
      })),
    ),
  );
  const answered = await world.wait(Promise.all(replies));
  assert.is(new Set(answered.map(({ zxid }) => zxid)).size, 1_000);
});

test.run();
