import * as fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ErrorCode, OpCode, Xid } from '../../../../core/protocol/index.js';
import { World } from '../world.js';

const acl = [{ perms: 31, id: { scheme: 'world', id: 'anyone' } }];
const create = (path: string): unknown => ({ path, data: null, acl, flags: 0, ttlMs: 0 });
const auth = (text: string): unknown => ({ type: 0, scheme: 'digest', auth: Buffer.from(text) });

test('replies leave in the order of the requests, whatever each of them takes', async () => {
  await using world = await World.start();
  const client = await world.open();
  const replies = client.sendAll([
    { op: OpCode.create, body: create('/a') },
    { op: OpCode.exists, body: { path: '/a', watch: false } },
    { op: OpCode.auth, body: auth('u:p') },
    { op: OpCode.sync, body: { path: '/a' } },
    { op: OpCode.create, body: create('/a') },
    { op: OpCode.whoAmI, body: {} },
    { op: OpCode.delete, body: { path: '/a', version: -1 } },
    { op: OpCode.exists, body: { path: '/a', watch: false } },
  ]);

  const errors = (await world.wait(Promise.all(replies))).map(({ err }) => err);

  assert.equal(errors, [0, 0, 0, 0, ErrorCode.nodeExists, 0, 0, ErrorCode.noNode]);
  assert.equal(client.arrivals, [
    'connected',
    'reply 1',
    'reply 2',
    'reply -4',
    'reply 3',
    'reply 4',
    'reply 5',
    'reply 6',
    'reply 7',
  ]);
});

test('an identity counts for the very next request', async () => {
  await using world = await World.start();
  const client = await world.open();
  const mine = [{ perms: 31, id: { scheme: 'auth', id: '' } }];
  const [, created] = await world.wait(
    Promise.all(
      client.sendAll([
        { op: OpCode.auth, body: auth('user:pass') },
        { op: OpCode.create, body: { path: '/mine', data: null, acl: mine, flags: 0, ttlMs: 0 } },
      ]),
    ),
  );
  assert.is(created!.err, 0);
  const stored = await world.wait(client.send(OpCode.getAcl, { path: '/mine' }));
  assert.is(stored.body!.acl[0]!.id.id, 'user:smGaoVKd/cQkjm7b88GyorAUz20=');
  const stranger = await world.open();
  assert.is((await world.wait(stranger.getData('/mine'))).err, ErrorCode.noAuth);
});

test('failed authentication is answered in its turn, then the connection ends', async () => {
  await using world = await World.start();
  const client = await world.open();
  const replies = client.sendAll([
    { op: OpCode.create, body: create('/a') },
    { op: OpCode.auth, body: { type: 0, scheme: 'unknown', auth: new Uint8Array(3) } },
    { op: OpCode.create, body: create('/b') },
  ]);
  assert.is((await world.wait(replies[1]!)).err, ErrorCode.authFailed);
  await world.wait(client.closed);
  assert.equal(client.arrivals, ['connected', 'reply 1', 'reply -4']);
  const other = await world.open();
  assert.is((await world.wait(other.exists('/b'))).err, ErrorCode.noNode);
});

test('reply zxids never decrease, cover the own write, and are 0 for auth alone', async () => {
  await using world = await World.start();
  const client = await world.open();
  const replies = await world.wait(
    Promise.all(
      client.sendAll([
        { op: OpCode.create, body: create('/a') },
        { op: OpCode.getData, body: { path: '/a', watch: false } },
        { op: OpCode.create, body: create('/b') },
        { op: OpCode.sync, body: { path: '/' } },
        { op: OpCode.getData, body: { path: '/nothing', watch: false } },
      ]),
    ),
  );
  const zxids = replies.map(({ zxid }) => zxid);
  assert.equal(
    zxids,
    [...zxids].sort((a, b) => (a < b ? -1 : 1)),
  );
  const stat = await world.wait(client.exists('/a'));
  assert.is(stat.body!.stat.czxid, zxids[0]);
  assert.is((await world.wait(client.send(OpCode.auth, auth('u:p') as never))).zxid, 0n);
});

test('the xid of the request comes back, -8 and positive ones of setWatches alike', async () => {
  await using world = await World.start();
  const client = await world.open();
  const nothing = { relativeZxid: 0n, dataWatches: [], existWatches: [], childWatches: [] };
  assert.is((await world.wait(client.send(OpCode.setWatches, nothing, Xid.setWatches))).xid, -8);
  assert.is((await world.wait(client.send(OpCode.setWatches, nothing, 4711))).xid, 4711);
});

test('any pipeline of requests is answered in order, with zxids that never decrease', async () => {
  const request = fc.oneof(
    fc.constant({ op: OpCode.create, body: create('/n') }),
    fc.constant({ op: OpCode.delete, body: { path: '/n', version: -1 } }),
    fc.constant({ op: OpCode.exists, body: { path: '/n', watch: true } }),
    fc.constant({ op: OpCode.getChildren, body: { path: '/', watch: true } }),
    fc.constant({ op: OpCode.sync, body: { path: '/' } }),
    fc.constant({ op: OpCode.auth, body: auth('u:p') }),
    fc.constant({ op: OpCode.multi, body: { ops: [] } }),
    fc.constant({ op: OpCode.whoAmI, body: {} }),
  );
  await using world = await World.start();
  const messages = fc.array(fc.array(request, { minLength: 1, maxLength: 12 }), {
    minLength: 1,
    maxLength: 6,
  });
  await fc.assert(
    fc.asyncProperty(messages, async (batches) => {
      const client = await world.open();
      // The raw client itself refuses replies out of order.
      const replies = batches.flatMap((batch) => client.sendAll(batch as never));
      const answered = await world.wait(Promise.all(replies));
      const zxids = answered.filter(({ xid }) => xid !== Xid.auth).map(({ zxid }) => zxid);
      for (let index = 1; index < zxids.length; index++) assert.ok(zxids[index]! >= zxids[index - 1]!);
      client.connection.close();
    }),
    { numRuns: 60 },
  );
});

test.run();
