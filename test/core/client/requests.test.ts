import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ClosedError, RequestQueueFullError, RequestTooLargeError } from '../../../core/client/index.js';
import { OpCode } from '../../../core/protocol/index.js';
import { ClientWorld } from './client-world.js';
import { failureOf, swallow } from './request-scenes.js';

test('what is asked for in one turn leaves in one message, and is answered in order', async () => {
  const world = new ClientWorld();
  const client = await world.connected();
  const order: string[] = [];
  const all = [
    client.create('/a').then(() => order.push('create')),
    client.getData('/a').then(() => order.push('getData')),
    client.exists('/b').then(() => order.push('exists')),
    client.delete('/a').then(() => order.push('delete')),
  ];
  await world.get(Promise.all(all));
  assert.equal(order, ['create', 'getData', 'exists', 'delete']);
  assert.equal(
    world.server.link.batches.map((batch) => batch.length),
    [4],
  );
  await world.close();
});

test('requests made before there is a server wait for it, in order', async () => {
  const world = new ClientWorld();
  const client = world.client();
  const results = Promise.all([client.create('/a', 'x'), client.getData('/a')]);
  const [, read] = await world.get(results);
  assert.is(new TextDecoder().decode(read.data), 'x');
  await world.close();
});

test('waiting for an answer can be given up at every stage, and later answers still fit', async () => {
  const world = new ClientWorld();
  const why = new Error('enough');

  const early = world.client();
  const beforeConnect = new AbortController();
  const first = failureOf(early.create('/a', null, { signal: beforeConnect.signal }));
  beforeConnect.abort(why);
  assert.is(await world.get(first), why);
  await world.until(() => early.state === 'connected');
  assert.is(world.world.znodes.has('/a'), false);

  const swallowing = swallow(world, () => true);
  const inFlight = new AbortController();
  const second = failureOf(early.getData('/', { signal: inFlight.signal }));
  const behind = early.exists('/');
  await world.clock.settle();
  inFlight.abort(why);
  assert.is(await world.get(second), why);
  swallowing.release();
  for (const request of world.server.requests) {
    world.server.link.answer(request, world.world.answer(request, 0n));
  }
  assert.is((await world.get(behind))!.numChildren, 0);
  assert.is(world.server.links.length, 1);

  assert.is(await failureOf(early.exists('/', { signal: AbortSignal.abort(why) })), why);
  await world.close();
});

test('giving up a request that had not left makes room for others', async () => {
  const world = new ClientWorld();
  world.server.down();
  const client = world.client({ maxPendingRequests: 1000 });
  for (let round = 0; round < 5; round++) {
    const stop = new AbortController();
    const waiting = Array.from({ length: 1000 }, () =>
      failureOf(client.exists('/', { signal: stop.signal })),
    );
    assert.instance(await failureOf(client.exists('/')), RequestQueueFullError);
    stop.abort(new Error('enough'));
    await world.get(Promise.all(waiting));
  }
  world.server.up();
  await world.get(client.exists('/'));
  assert.is(world.server.requests.length, 1);
  await world.close();
});

test('more than the client may hold, in number or in bytes, is refused with a typed error', async () => {
  const world = new ClientWorld();
  world.server.down();
  const client = world.client({ maxPendingRequests: 3, maxPendingBytes: 10_000 });
  const held = [client.create('/a', new Uint8Array(9000))];
  const byBytes = await failureOf(client.create('/b', new Uint8Array(9000)));
  held.push(client.create('/c'), client.create('/d'));
  const byNumber = await failureOf(client.create('/e'));
  for (const failure of [byBytes, byNumber]) {
    assert.instance(failure, RequestQueueFullError);
    assert.is((failure as RequestQueueFullError).retryable, true);
  }
  world.server.up();
  await world.get(Promise.all(held));
  swallow(world, ({ op }) => op === OpCode.exists);
  const small = failureOf(client.exists('/'));
  assert.equal(world.world.children('/'), ['a', 'c', 'd']);
  const fits = failureOf(client.create('/f', new Uint8Array(9000)));
  await world.close();
  assert.instance(await small, ClosedError);
  assert.not.instance(await fits, RequestQueueFullError);
});

test('many requests are pipelined, but no more than a server reads ahead', async () => {
  const world = new ClientWorld();
  const client = await world.connected();
  const swallowing = swallow(world, () => true);
  const reads = Array.from({ length: 2500 }, () => client.exists('/'));
  await world.clock.settle();
  const ahead = [...world.server.requests];
  assert.is(ahead.length, 1000);
  swallowing.release();
  for (const request of ahead) world.server.link.answer(request, world.world.answer(request, 0n));
  await world.get(Promise.all(reads));
  await world.close();
});

test('a request larger than servers accept is refused here, and the connection stays', async () => {
  const world = new ClientWorld();
  const client = await world.connected();
  const failure = await world.failure(client.create('/a', new Uint8Array(1_048_576)));
  assert.instance(failure, RequestTooLargeError);
  await world.get(client.create('/b', new Uint8Array(1_000_000)));
  assert.is(world.server.links.length, 1);
  await world.close();
});

test('a request that cannot be encoded is refused alone, and the connection and other requests go on', async () => {
  const world = new ClientWorld();
  const client = await world.connected();
  const untyped = client as unknown as Record<string, (...values: unknown[]) => Promise<unknown>>;
  const calls: readonly (readonly [string, ...unknown[]])[] = [
    ['create', '/x', 'd', { acl: [{ perms: 31, scheme: 'world', id: 'anyone' }] }],
    ['create', '/x', { a: 1 }],
    ['create', '/x', [1, 2, 3]],
    ['setAcl', '/', [null]],
    ['setAcl', '/', 'everybody'],
    ['setData', '/', 5],
    ['setData', '/', 'x', { version: '1' }],
    ['multi', [{ type: 'create', path: '/y', data: {} }]],
    ['addAuth', 'digest', 5],
    ['addAuth', 7, 'anna:secret'],
    ['getData', 9],
  ];
  for (const [method, ...values] of calls) {
    const bad = failureOf(untyped[method]!(...values));
    const good = client.exists('/');

    assert.is(((await world.get(bad)) as { code?: string }).code, 'BAD_ARGUMENTS', method);
    assert.ok(await world.get(good), method);
  }
  assert.is(world.server.links.length, 1);
  await world.close();
});

test('requests that cannot be encoded do not count as waiting', async () => {
  const world = new ClientWorld();
  const client = await world.connected({ maxPendingRequests: 5 });
  const untyped = client as unknown as { setData(path: string, data: unknown): Promise<unknown> };
  for (let count = 0; count < 20; count++) await world.get(failureOf(untyped.setData('/', count)));

  assert.ok(await world.get(client.exists('/')));
  await world.close();
});

test.run();
