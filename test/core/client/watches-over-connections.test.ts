import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { OpCode } from '../../../core/protocol/index.js';
import { ClientWorld } from './client-world.js';
import { noting, sent, watching, type SetWatches } from './watch-scenes.js';

test('after a reconnection every watch stands again, from where the client had been, before anything else is asked', async () => {
  const world = new ClientWorld();
  const client = await world.connected();
  const notices: string[] = [];
  await watching(world, client, notices);
  const { lastZxid } = client;
  world.server.down();
  await world.until(() => client.state === 'suspended');
  const waiting = client.exists('/a');
  world.server.up();
  await world.get(waiting);

  assert.equal(
    world.server.link.requests.map(({ op }) => op),
    [OpCode.setWatches, OpCode.exists],
  );
  const [{ body }] = sent<SetWatches>(world, OpCode.setWatches) as [SetWatches];
  assert.equal(body, {
    relativeZxid: lastZxid,
    dataWatches: ['/a'],
    existWatches: ['/b'],
    childWatches: ['/a'],
  });
  assert.equal(notices, []);
  world.server.link.notify('dataChanged', '/a');
  await world.clock.settle();
  assert.equal(notices, ['data: dataChanged /a']);
  await world.close();
});

test('after an event the client takes no server behind it, and asks again for what else the same transaction changed', async () => {
  const world = new ClientWorld();
  const client = await world.connected();
  const notices: string[] = [];
  await watching(world, client, notices);
  const { lastZxid } = client;
  world.world.put('/c');
  const eventZxid = world.world.zxid;
  // One transaction has changed /a and made /b; the connection breaks between the two events.
  world.server.link.notify('deleted', '/a');
  await world.clock.settle();
  world.server.link.cut();
  await world.until(() => world.server.links.length === 2);
  await world.get(client.exists('/'));

  assert.equal(notices, ['data: deleted /a', 'child: deleted /a']);
  assert.ok(eventZxid > lastZxid);
  assert.is(world.server.link.greeting!.lastZxidSeen, eventZxid);
  const [{ body }] = sent<SetWatches>(world, OpCode.setWatches) as [SetWatches];
  assert.equal([body.relativeZxid, body.existWatches], [lastZxid, ['/b']]);
  await world.close();
});

test('exists on a znode that is there waits for its change, also after a reconnection', async () => {
  const world = new ClientWorld();
  const client = await world.connected();
  world.world.put('/a');
  await world.get(client.exists('/a', { watch: () => undefined }));
  world.server.link.cut();
  await world.until(() => world.server.links.length === 2);
  await world.get(client.exists('/'));
  const [{ body }] = sent<SetWatches>(world, OpCode.setWatches) as [SetWatches];
  assert.equal([body.dataWatches, body.existWatches], [['/a'], []]);
  await world.close();
});

test('a watch that has been called is not registered again', async () => {
  const world = new ClientWorld();
  const client = await world.connected();
  const notices: string[] = [];
  await watching(world, client, notices);
  world.server.link.notify('deleted', '/a');
  await world.clock.settle();
  world.server.link.cut();
  await world.until(() => world.server.links.length === 2);
  await world.get(client.exists('/'));
  const [{ body }] = sent<SetWatches>(world, OpCode.setWatches) as [SetWatches];
  assert.equal([body.dataWatches, body.existWatches, body.childWatches], [[], ['/b'], []]);
  await world.close();
});

test('many watches are registered again in several packets, none larger than a server accepts, none left out', async () => {
  const world = new ClientWorld();
  const client = await world.connected();
  const paths = Array.from({ length: 4000 }, (_, index) => `/${'n'.repeat(100)}${index}`);
  await world.get(Promise.all(paths.map((path) => client.exists(path, { watch: () => undefined }))));
  world.server.link.cut();
  await world.until(() => world.server.links.length === 2);
  await world.get(client.exists('/'));

  const packets = sent<SetWatches>(world, OpCode.setWatches);
  assert.ok(packets.length > 3, `${packets.length} packets`);
  for (const { body } of packets) assert.ok(body.existWatches.join('').length <= 128 * 1024);
  assert.equal(new Set(packets.flatMap(({ body }) => body.existWatches)), new Set(paths));
  await world.close();
});

test('with the session every one-shot watch ends, and says so', async () => {
  for (const how of ['expired', 'closed'] as const) {
    const world = new ClientWorld();
    const client = await world.connected();
    const notices: string[] = [];
    await watching(world, client, notices);
    if (how === 'expired') {
      world.world.end(client.session.id);
      world.server.link.cut();
      await world.until(() => client.session.epoch === 2);
      await world.get(client.exists('/'));
      assert.equal(sent<SetWatches>(world, OpCode.setWatches), []);
    } else {
      await world.get(client.close());
    }
    assert.equal(notices.sort(), ['child: sessionLost /a', 'data: sessionLost /a', 'exist: sessionLost /b']);
    await world.close();
  }
});

test('the watch of a read that was asked again stands once the answer has come', async () => {
  const world = new ClientWorld();
  const client = await world.connected();
  world.world.put('/a');
  const notices: string[] = [];
  let isFirst = true;
  world.server.respond = ({ op }, link) => {
    if (op !== OpCode.getData || !isFirst) return undefined;
    isFirst = false;
    world.clock.soon(() => link.cut());
    return null;
  };
  await world.get(client.getData('/a', { watch: noting(notices) }));
  assert.equal(sent<SetWatches>(world, OpCode.setWatches), []);
  world.server.link.notify('dataChanged', '/a');
  await world.clock.settle();
  assert.equal(notices, ['dataChanged /a']);
  await world.close();
});

test('a watch can be taken back while suspended, and is not registered again', async () => {
  const world = new ClientWorld();
  const client = await world.connected();
  world.world.put('/a');
  const watch = (): void => undefined;
  await world.get(client.getData('/a', { watch }));
  world.server.down();
  await world.until(() => client.state === 'suspended');
  await client.unwatch('/a', watch);
  world.server.up();
  await world.get(client.exists('/a'));
  assert.equal(sent(world, OpCode.setWatches), []);
  await world.close();
});

test.run();
