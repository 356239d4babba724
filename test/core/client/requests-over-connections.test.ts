import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ConnectionLossError, OutcomeUnknownError, SessionExpiredError } from '../../../core/client/index.js';
import { OpCode } from '../../../core/protocol/index.js';
import { CloseCode } from '../../../core/transport/index.js';
import { ClientWorld } from './client-world.js';
import { failureOf, ops, swallow } from './request-scenes.js';

test('a write that was made but had not left when the connection broke waits and takes effect', async () => {
  const world = new ClientWorld();
  const client = await world.connected();
  world.server.link.cut();
  const created = client.create('/a');
  await world.get(created);
  assert.equal(ops(world.server.requests), [OpCode.create2]);
  await world.close();
});

test('a write made while suspended waits for the next connection', async () => {
  const world = new ClientWorld();
  const client = await world.connected();
  world.server.down();
  await world.until(() => client.state === 'suspended');
  const created = client.create('/a');
  await world.clock.advance(1000);
  world.server.up();
  await world.get(created);
  assert.is(client.session.epoch, 1);
  await world.close();
});

test('a write that had left when the connection broke has an unknown outcome and is not repeated', async () => {
  const world = new ClientWorld();
  const client = await world.connected();
  const swallowing = swallow(world, ({ op }) => op === OpCode.setData || op === OpCode.multi);
  const writes = [client.setData('/a', 'x'), client.multi([{ type: 'check', path: '/' }])].map(failureOf);
  await world.clock.settle();
  swallowing.release();
  world.server.link.cut();

  for (const failure of await world.get(Promise.all(writes))) {
    assert.instance(failure, OutcomeUnknownError);
    assert.is((failure as OutcomeUnknownError).retryable, false);
  }
  await world.until(() => client.state === 'connected');
  assert.is(world.server.requests.filter(({ op }) => op === OpCode.setData).length, 1);
  await world.close();
});

for (const [name, code] of Object.entries(CloseCode)) {
  const isSentAgain = code === CloseCode.notTaken;
  test(`a write that had left is ${isSentAgain ? '' : 'not '}sent again after the close code ${name}`, async () => {
    const world = new ClientWorld();
    world.world.put('/a');
    const client = await world.connected();
    const swallowing = swallow(world, ({ op }) => op === OpCode.setData);
    const written = client.setData('/a', 'x').catch((error: unknown) => error);
    await world.clock.settle();
    swallowing.release();
    if (code === CloseCode.abnormal) world.server.link.cut();
    else world.server.link.connection.close({ code, text: 'the test closes it' });

    const outcome = await world.get(written);
    await world.until(() => client.state === 'connected');
    assert.is(outcome instanceof OutcomeUnknownError, !isSentAgain);
    const sent = world.server.requests.filter(({ op }) => op === OpCode.setData);
    assert.is(sent.length, isSentAgain ? 2 : 1);
    await world.close();
  });
}

test('a read that had left when the connection broke is asked again, behind nothing that came later', async () => {
  const world = new ClientWorld(2);
  world.world.put('/a', new Uint8Array([1]));
  const client = await world.connected();
  const swallowing = swallow(world, ({ op }) => op === OpCode.getData);
  const read = client.getData('/a');
  await world.clock.settle();
  swallowing.release();
  world.servers.forEach((server) => server.down());
  await world.until(() => client.state === 'suspended');
  const later = client.exists('/a');
  world.servers.forEach((server) => server.up());

  assert.equal((await world.get(read)).data, new Uint8Array([1]));
  await world.get(later);
  const sent = world.servers.flatMap(({ requests }) => requests);
  assert.equal(ops(sent), [OpCode.getData, OpCode.getData, OpCode.exists]);
  await world.close();
});

test('a read or a create that breaks every connection is given up, and the client goes on without it', async () => {
  const world = new ClientWorld();
  world.world.put('/locks');
  const client = await world.connected();
  world.server.respond = ({ op }, link) => {
    if (op !== OpCode.getData && op !== OpCode.getChildren) return undefined;
    link.cut();
    return null;
  };
  const read = (await world.failure(client.getData('/big'))) as ConnectionLossError;
  assert.instance(read, ConnectionLossError);
  assert.is(read.path, '/big');

  world.server.respond = ({ op }, link) => {
    if (op !== OpCode.create2 && op !== OpCode.getChildren) return undefined;
    link.cut();
    return null;
  };
  const options = { mode: 'ephemeral-sequential', uniqueName: true } as const;
  const create = await world.failure(client.create('/locks/_c_1-', null, options));
  assert.instance(create, OutcomeUnknownError);
  await world.get(client.exists('/'));
  assert.is(client.session.epoch, 1);
  await world.close();
});

test('an answer that came before the connection broke counts, whatever becomes of the rest', async () => {
  const world = new ClientWorld();
  const client = await world.connected();
  swallow(world, ({ op }) => op === OpCode.setData);
  const created = client.create('/a');
  const changed = failureOf(client.setData('/a', 'x'));
  await world.get(created);
  world.server.link.cut();
  assert.instance(await world.get(changed), OutcomeUnknownError);
  await world.close();
});

test('with the session everything that waits is rejected, and what comes after waits for the next', async () => {
  const world = new ClientWorld();
  const client = await world.connected();
  world.server.down();
  await world.until(() => client.state === 'suspended');
  const waiting = [client.create('/a'), client.exists('/a'), client.sync('/')].map(failureOf);
  await world.until(() => client.state === 'lost');
  const next = client.create('/b');
  world.server.up();

  for (const failure of await world.get(Promise.all(waiting))) {
    assert.instance(failure, SessionExpiredError);
    assert.is((failure as SessionExpiredError).retryable, true);
  }
  await world.get(next);
  assert.equal(world.world.children('/'), ['b']);
  await world.close();
});

test('a request meant for one session never runs in another', async () => {
  const world = new ClientWorld();
  const client = await world.connected();
  const { epoch } = client.session;
  await world.get(client.create('/a', null, { session: epoch }));
  world.world.end(client.session.id);
  world.server.link.cut();
  await world.until(() => client.session.epoch === 2);

  for (const session of [epoch, 3]) {
    const failure = await world.failure(client.create('/b', null, { session }));
    assert.instance(failure, SessionExpiredError);
    assert.is((failure as SessionExpiredError).retryable, false);
  }
  assert.is(world.world.znodes.has('/b'), false);
  await world.close();
});

test('in the moment of the loss, nothing of the old session can be asked for any more', async () => {
  const world = new ClientWorld();
  const client = await world.connected();
  const { epoch, signal } = client.session;
  let attempt: Promise<unknown> | null = null;
  signal.addEventListener('abort', () => {
    attempt = failureOf(client.create('/a', null, { session: epoch }));
  });
  world.server.down();
  await world.until(() => signal.aborted);
  assert.instance(await world.get(attempt!), SessionExpiredError);
  await world.close();
});

test('what had left and what had not keep their order over a reconnection', async () => {
  const world = new ClientWorld();
  const client = await world.connected();
  const swallowing = swallow(world, () => true);
  const paths = Array.from({ length: 1500 }, (_, index) => `/${index}`);
  const reads = paths.map((path) => client.exists(path));
  await world.clock.settle();
  assert.is(world.server.requests.length, 1000);
  swallowing.release();
  world.server.link.cut();
  await world.get(Promise.all(reads));
  const again = world.server.link.requests.map(({ body }) => (body as { readonly path: string }).path);
  assert.equal(again, paths);
  await world.close();
});

test('a read that had left is sent again before a write that was made behind it and had not left', async () => {
  const world = new ClientWorld();
  world.world.put('/a');
  const client = await world.connected();
  const swallowing = swallow(world, () => true);
  const read = client.getData('/a');
  await world.clock.settle();
  swallowing.release();
  world.server.link.cut();
  const written = client.setData('/a', 'later');
  const { data } = await world.get(read);
  await world.get(written);
  assert.is(Buffer.from(data ?? []).toString(), '');
  assert.equal(ops(world.server.link.requests), [OpCode.getData, OpCode.setData]);
  await world.close();
});

test('writes that a server has not taken are sent again before those that waited behind them', async () => {
  const world = new ClientWorld();
  world.world.put('/a');
  const client = await world.connected();
  const swallowing = swallow(world, () => true);
  const values = Array.from({ length: 1500 }, (_, index) => String(index));
  const writes = values.map((value) => client.setData('/a', value));
  await world.clock.settle();
  assert.is(world.server.requests.length, 1000, 'the others wait for room');
  swallowing.release();
  world.server.link.connection.close({ code: CloseCode.notTaken, text: 'the test closes it' });
  await world.get(Promise.all(writes));
  const written = world.server.link.requests.map(({ body }) =>
    Buffer.from((body as { readonly data: Uint8Array }).data).toString(),
  );
  assert.equal(written, values);
  await world.close();
});

test.run();
