import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { OutcomeUnknownError, SessionExpiredError } from '../../../core/client/index.js';
import { ErrorCode, OpCode } from '../../../core/protocol/index.js';
import { ClientWorld } from './client-world.js';
import { failureOf, ops, swallow } from './request-scenes.js';

for (const mode of ['ephemeral-sequential', 'persistent-sequential', 'ephemeral'] as const) {
  test(`a create (${mode}) of a unique name whose answer is lost is found again, and there is only one`, async () => {
    const world = new ClientWorld(2);
    world.world.put('/locks');
    const client = await world.connected();
    for (const server of world.servers) {
      server.respond = (request, link) => {
        if (request.op !== OpCode.create2) return undefined;
        world.world.answer(request, link.sessionId);
        world.clock.soon(() => link.cut());
        return null;
      };
    }
    const created = client.create('/locks/_c_1-lock-', 'x', { mode, uniqueName: true });
    const behind = client.getChildren('/locks');

    const { path, stat } = await world.get(created);

    assert.is(path, mode === 'ephemeral' ? '/locks/_c_1-lock-' : '/locks/_c_1-lock-0000000000');
    assert.is(stat.czxid, world.world.stat(path).czxid);
    assert.is((await world.get(behind)).children.length, 1);
    assert.is(world.world.children('/locks').length, 1);
    await world.close();
  });
}

test('a create of a unique name that never arrived is sent again, in its place', async () => {
  const world = new ClientWorld(2);
  world.world.put('/locks');
  const client = await world.connected();
  let isFirst = true;
  for (const server of world.servers) {
    server.respond = (request, link) => {
      if (request.op !== OpCode.create2 || !isFirst) return undefined;
      isFirst = false;
      world.clock.soon(() => link.cut());
      return null;
    };
  }
  const first = client.create('/locks/_c_1-', 'x', { mode: 'ephemeral-sequential', uniqueName: true });
  await world.clock.settle();
  const second = client.create('/locks/_c_2-', 'x', { mode: 'ephemeral-sequential', uniqueName: true });

  assert.is((await world.get(first)).path, '/locks/_c_1-0000000000');
  assert.is((await world.get(second)).path, '/locks/_c_2-0000000001');
  await world.close();
});

test('a create in doubt is looked for behind a sync, before anything new is sent', async () => {
  const world = new ClientWorld();
  world.world.put('/locks');
  const client = await world.connected();
  const swallowing = swallow(world, ({ op }) => op === OpCode.create2);
  const created = client.create('/locks/_c_1-', null, { mode: 'ephemeral-sequential', uniqueName: true });
  await world.clock.settle();
  swallowing.release();
  world.server.down();
  await world.until(() => client.state === 'suspended');
  const later = client.exists('/locks');
  world.server.up();
  await world.get(Promise.all([created, later]));
  assert.equal(ops(world.server.link.requests), [
    OpCode.sync,
    OpCode.getChildren,
    OpCode.create2,
    OpCode.exists,
  ]);
  await world.close();
});

test('a connection that breaks while a create is looked for leaves it in doubt for the next one', async () => {
  const world = new ClientWorld();
  world.world.put('/locks');
  const client = await world.connected();
  let cuts = 3;
  world.server.respond = (request, link) => {
    if (request.op === OpCode.create2) world.world.answer(request, link.sessionId);
    if (cuts-- <= 0) return undefined;
    world.clock.soon(() => link.cut());
    return null;
  };
  const created = client.create('/locks/_c_1-', null, { mode: 'ephemeral-sequential', uniqueName: true });
  assert.is((await world.get(created)).path, '/locks/_c_1-0000000000');
  assert.is(world.world.children('/locks').length, 1);
  await world.close();
});

test('a create in doubt is not taken for another znode whose name begins alike', async () => {
  const world = new ClientWorld();
  world.world.put('/jobs');
  const others = ['/jobs/job-1', '/jobs/job-12-0000000000', '/jobs/job-120000000001', '/jobs/job-1000000001'];
  for (const path of others) world.world.put(path);
  const client = await world.connected();
  let isFirst = true;
  world.server.respond = (request, link) => {
    if (request.op !== OpCode.create2 || !isFirst) return undefined;
    isFirst = false;
    world.clock.soon(() => link.cut());
    return null;
  };
  const { path } = await world.get(
    client.create('/jobs/job-1', null, { mode: 'persistent-sequential', uniqueName: true }),
  );
  assert.match(path, /^\/jobs\/job-1\d{10}$/);
  assert.not(others.includes(path));
  assert.is(world.world.children('/jobs').length, others.length + 1);
  await world.close();
});

test('a create in doubt whose parent may not be read stays unknown', async () => {
  const world = new ClientWorld();
  world.world.put('/locks');
  const client = await world.connected();
  world.server.respond = (request, link) => {
    if (request.op === OpCode.getChildren) return { err: ErrorCode.noAuth };
    if (request.op !== OpCode.create2) return undefined;
    world.clock.soon(() => link.cut());
    return null;
  };
  const failure = await world.failure(
    client.create('/locks/_c_1-', null, { mode: 'ephemeral-sequential', uniqueName: true }),
  );
  assert.instance(failure, OutcomeUnknownError);
  await world.close();
});

test('with the session, a create in doubt is expired if its znode went with it, else unknown', async () => {
  const world = new ClientWorld();
  const client = await world.connected();
  swallow(world, ({ op }) => op === OpCode.create2);
  const failures = [
    client.create('/a-', null, { mode: 'ephemeral-sequential', uniqueName: true }),
    client.create('/b-', null, { mode: 'persistent-sequential', uniqueName: true }),
  ].map(failureOf);
  await world.clock.settle();
  world.world.end(client.session.id);
  world.server.link.cut();
  const [ephemeral, persistent] = await world.get(Promise.all(failures));
  assert.instance(ephemeral, SessionExpiredError);
  assert.instance(persistent, OutcomeUnknownError);
  await world.close();
});

test.run();
