import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { OpCode, type CreateMode, type Stat } from '../../../core/protocol/index.js';
import type { RawClient } from '../../core/server/raw-client.js';
import { serveOverTcp, type ServedOverTcp } from './served.js';
import { dial, open } from './tcp-client.js';

const OPEN = [{ perms: 31, id: { scheme: 'world', id: 'anyone' } }];

async function withClient(): Promise<{ served: ServedOverTcp; client: RawClient }> {
  const served = await serveOverTcp();
  return { served, client: await open(served.port) };
}

async function statOf(client: RawClient, path: string): Promise<Stat> {
  return (await client.exists(path)).body!.stat;
}

function bodyOf(path: string, flags: CreateMode = 0, ttlMs = 0): object {
  return { path, data: null, acl: OPEN, flags, ttlMs };
}

test('cversion counts creates and deletes of children; a sequence counts creates alone', async () => {
  const { served, client } = await withClient();
  await using _ = served;
  await client.create('/p');
  await client.create('/p/a');
  assert.is((await statOf(client, '/p')).cversion, 1);
  await client.delete('/p/a');
  assert.is((await statOf(client, '/p')).cversion, 2);

  assert.is((await client.create('/p/s-', null, 2)).body!.path, '/p/s-0000000001');
  assert.is((await client.create('/p/', null, 2)).body!.path, '/p/0000000002');
});

test('a multi that failed has moved no counter', async () => {
  const { served, client } = await withClient();
  await using _ = served;
  await client.create('/p');
  const before = await statOf(client, '/p');

  const { err, body } = await client.send(OpCode.multi, {
    ops: [
      { op: OpCode.create, body: { path: '/p/s-', data: null, acl: OPEN, flags: 2, ttlMs: 0 } },
      { op: OpCode.delete, body: { path: '/none', version: -1 } },
      { op: OpCode.create, body: { path: '/q', data: null, acl: OPEN, flags: 0, ttlMs: 0 } },
    ],
  });

  assert.is(err, 0);
  assert.equal(
    body!.results.map(({ error }) => error),
    [0, -101, -2],
  );
  assert.equal(await statOf(client, '/p'), before);
  assert.is((await client.create('/p/s-', null, 2)).body!.path, '/p/s-0000000000');
});

test('the operations of a multi see one another and share one zxid; an empty one is legal', async () => {
  const { served, client } = await withClient();
  await using _ = served;

  const { body, zxid } = await client.send(OpCode.multi, {
    ops: [
      { op: OpCode.create, body: { path: '/m', data: null, acl: OPEN, flags: 0, ttlMs: 0 } },
      { op: OpCode.create2, body: { path: '/m/s', data: null, acl: OPEN, flags: 2, ttlMs: 0 } },
      { op: OpCode.createContainer, body: { path: '/m/c', data: null, acl: OPEN, flags: 4, ttlMs: 0 } },
      { op: OpCode.createTtl, body: { path: '/m/t', data: null, acl: OPEN, flags: 5, ttlMs: 60_000 } },
      { op: OpCode.setData, body: { path: '/m', data: null, version: 0 } },
      { op: OpCode.check, body: { path: '/m', version: 1 } },
      { op: OpCode.delete, body: { path: '/m/t', version: -1 } },
    ],
  });

  assert.equal(
    body!.results.map((result) => (result.error === undefined ? result.reply.op : result.error)),
    [1, 15, 15, 15, 5, 13, 2],
  );
  const stat = await statOf(client, '/m');
  assert.equal([stat.czxid, stat.mzxid, stat.pzxid], [zxid, zxid, zxid]);
  assert.equal((await client.send(OpCode.multi, { ops: [] })).body!.results, []);
});

test('containers and znodes with a time to live show no owner, an ephemeral its session', async () => {
  const { served, client } = await withClient();
  await using _ = served;
  await client.send(OpCode.createContainer, bodyOf('/c', 4) as never);
  await client.send(OpCode.createTtl, bodyOf('/t', 5, 60_000) as never);
  await client.create('/e', null, 1);

  assert.is((await statOf(client, '/c')).ephemeralOwner, 0n);
  assert.is((await statOf(client, '/t')).ephemeralOwner, 0n);
  assert.is((await statOf(client, '/e')).ephemeralOwner, client.response!.sessionId);
  assert.is((await client.create('/e/child')).err, -108);
});

test('all ephemerals of a session go under one zxid when it is closed', async () => {
  const { served, client } = await withClient();
  await using _ = served;
  const watcher = await open(served.port);
  for (const parent of ['/one', '/two']) {
    await client.create(parent);
    await client.create(`${parent}/e`, null, 1);
  }

  const { zxid } = await client.send(OpCode.closeSession, {});

  const stats = [await statOf(watcher, '/one'), await statOf(watcher, '/two')];
  assert.equal(
    stats.map(({ pzxid, numChildren }) => [pzxid, numChildren]),
    [
      [zxid, 0],
      [zxid, 0],
    ],
  );
});

test('the event of a change comes before the reply to the write that made it', async () => {
  const { served, client } = await withClient();
  await using _ = served;
  await client.create('/w');
  await client.getData('/w', true);

  await client.setData('/w', 'x');

  assert.equal(client.arrivals.slice(-2), ['event 3 /w', 'reply 3']);
});

test('who watches data and children of a znode hears once that it is gone', async () => {
  const { served, client } = await withClient();
  await using _ = served;
  await client.create('/w');
  await client.getData('/w', true);
  await client.send(OpCode.getChildren, { path: '/w', watch: true });

  await client.delete('/w');

  assert.equal(
    client.arrivals.filter((arrival) => arrival.startsWith('event')),
    ['event 2 /w'],
  );
});

test('a recursive watch hears of the whole subtree and stays, but never of children that changed', async () => {
  const { served, client } = await withClient();
  await using _ = served;
  await client.send(OpCode.addWatch, { path: '/r', mode: 1 });

  await client.create('/r');
  await client.create('/r/a');
  await client.setData('/r/a', 'x');
  await client.delete('/r/a');

  assert.equal(
    client.arrivals.filter((arrival) => arrival.startsWith('event')),
    ['event 1 /r', 'event 1 /r/a', 'event 3 /r/a', 'event 2 /r/a'],
  );
});

test('a persistent watch hears of the znode and of its children, and stays', async () => {
  const { served, client } = await withClient();
  await using _ = served;
  await client.send(OpCode.addWatch, { path: '/p', mode: 0 });

  await client.create('/p');
  await client.create('/p/a');
  await client.setData('/p', 'x');

  assert.equal(
    client.arrivals.filter((arrival) => arrival.startsWith('event')),
    ['event 1 /p', 'event 4 /p', 'event 3 /p'],
  );
  assert.is((await client.send(OpCode.removeWatches, { path: '/p', type: 3 })).err, 0);
  assert.is((await client.send(OpCode.removeWatches, { path: '/p', type: 3 })).err, -121);
});

test('who may not read a znode does not hear of it', async () => {
  const { served, client } = await withClient();
  await using _ = served;
  const owner = await open(served.port);
  await owner.send(OpCode.auth, { type: 0, scheme: 'digest', auth: Buffer.from('owner:secret') });
  await client.exists('/private', true);

  const acl = [{ perms: 31, id: { scheme: 'auth', id: '' } }];
  await owner.send(OpCode.create, { path: '/private', data: null, acl, flags: 0, ttlMs: 0 });
  await client.send(OpCode.sync, { path: '/' });

  assert.not(client.arrivals.some((arrival) => arrival.startsWith('event')));
  assert.is((await client.getData('/private')).err, -102);
});

test('setWatches tells at once what changed after the zxid that the client has seen, and arms the rest', async () => {
  const { served, client } = await withClient();
  await using _ = served;
  await client.create('/d');
  const { zxid } = await client.setData('/d', '1');
  const told = async (relativeZxid: bigint, lists: object): Promise<string[]> => {
    const again = await open(served.port);
    const none = { dataWatches: [], existWatches: [], childWatches: [] };
    await again.send(OpCode.setWatches, { relativeZxid, ...none, ...lists });
    again.connection.terminate();
    return again.arrivals.filter((arrival) => arrival.startsWith('event'));
  };

  assert.equal(await told(zxid - 1n, { dataWatches: ['/d'] }), ['event 3 /d']);
  assert.equal(await told(zxid, { dataWatches: ['/d'] }), []);
  assert.equal(await told(zxid + 1n, { dataWatches: ['/d'] }), []);
  assert.equal(await told(zxid, { dataWatches: ['/gone'] }), ['event 2 /gone']);
  assert.equal(await told(zxid, { existWatches: ['/d'] }), ['event 1 /d']);
  assert.equal(await told(zxid, { existWatches: ['/gone'] }), []);
  assert.equal(await told(0n, { childWatches: ['/d'] }), ['event 4 /d']);
  assert.equal(await told(zxid, { childWatches: ['/gone'] }), ['event 2 /gone']);
});

test('null data and empty data are told apart', async () => {
  const { served, client } = await withClient();
  await using _ = served;
  await client.create('/null', null);
  await client.create('/empty', '');

  assert.is((await client.getData('/null')).body!.data, null);
  assert.is((await client.getData('/empty')).body!.data!.length, 0);
});

test('paths that ZooKeeper does not allow are refused with -8, those with emoji among them', async () => {
  const { served, client } = await withClient();
  await using _ = served;
  await client.create('/a');
  for (const path of ['/😀', '/.', '/..', '/a/', '/a\0b', '/\u0001', '/\ue000', '/\ufffe', 'a', '']) {
    assert.is((await client.create(path)).err, -8, JSON.stringify(path));
  }
  for (const path of ['/', '/zookeeper', '/zookeeper/quota', '/zookeeper/config']) {
    assert.is((await client.delete(path)).err, -8, path);
  }
});

test('a new connection of a client has none of the watches and identities of the old one', async () => {
  const { served, client } = await withClient();
  await using _ = served;
  await client.create('/w');
  await client.getData('/w', true);
  await client.send(OpCode.auth, { type: 0, scheme: 'digest', auth: Buffer.from('a:b') });
  const { client: again } = await dial(served.port);
  await again.resume(client);

  await again.setData('/w', 'x');

  assert.not(again.arrivals.some((arrival) => arrival.startsWith('event')));
  assert.is((await again.send(OpCode.whoAmI, {})).body!.clientInfo.length, 1);
});

test('the configuration of the ensemble can be read and watched as Curator does, and names no addresses of clients', async () => {
  const { served, client } = await withClient();
  await using _ = served;

  const { err, body } = await client.getData('/zookeeper/config', true);

  assert.is(err, 0);
  assert.not.match(Buffer.from(body!.data ?? []).toString(), /;/);
});

test.run();
