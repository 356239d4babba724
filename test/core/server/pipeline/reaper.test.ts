import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { CreateMode, ErrorCode, OPEN_ACL, OpCode } from '../../../../core/protocol/index.js';
import { World } from '../world.js';

const container = (path: string): object => ({
  path,
  data: null,
  acl: OPEN_ACL,
  flags: CreateMode.container,
  ttlMs: 0,
});
const withTtl = (path: string, ttlMs: number): object => ({
  path,
  data: null,
  acl: OPEN_ACL,
  flags: CreateMode.persistentWithTtl,
  ttlMs,
});

test('a container goes once its last child has gone, and not before it had one', async () => {
  await using world = await World.start({ containerCheckMs: 1_000 });
  const client = await world.open(40_000);
  await world.wait(client.send(OpCode.createContainer, container('/used') as never));
  await world.wait(client.send(OpCode.createContainer, container('/new') as never));
  await world.wait(client.create('/used/child'));
  await world.clock.advance(3_000);
  assert.is((await world.wait(client.exists('/used', true))).err, 0);

  await world.wait(client.delete('/used/child'));
  await world.clock.runUntil(() => client.arrivals.includes('event 2 /used'), 3_000);

  assert.is((await world.wait(client.exists('/new'))).err, 0);
});

test('a znode with a time to live goes when nobody wrote it for that long', async () => {
  await using world = await World.start({ containerCheckMs: 500 });
  const client = await world.open(40_000);
  await world.wait(client.send(OpCode.createTtl, withTtl('/t', 3_000) as never));
  await world.clock.advance(2_000);
  await world.wait(client.setData('/t', 'x'));
  await world.clock.advance(2_000);
  assert.is((await world.wait(client.exists('/t'))).err, 0);
  await world.clock.advance(2_500);
  assert.is((await world.wait(client.exists('/t'))).err, ErrorCode.noNode);
});

test('a member that does not allow them says that they are unimplemented', async () => {
  await using world = await World.start({ ttlNodes: false });
  const client = await world.open();
  const reply = await world.wait(client.send(OpCode.createTtl, withTtl('/t', 3_000) as never));
  assert.is(reply.err, ErrorCode.unimplemented);
});

test.run();
