import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { OpCode } from '../../../../core/protocol/index.js';
import { MemoryDisk } from '../../../../core/storage/index.js';
import { CloseCode } from '../../../../core/transport/index.js';
import { World } from '../world.js';

const isSnapshot = (name: string): boolean => /^snapshot-[0-9a-f-]+$/.test(name);

test('a member takes snapshots while it serves, and starts from the newest with what came behind it', async () => {
  const world = await World.start({ snapshotTxns: 100 });
  const client = await world.open(40_000);
  for (let batch = 0; batch < 10; batch++) {
    const creates = Array.from({ length: 60 }, (_, index) => client.create(`/${batch}-${index}`, `${batch}`));
    await world.wait(Promise.all(creates));
  }
  await world.wait(client.create('/e', null, 1));
  assert.ok(world.disk.names().some(isSnapshot), world.disk.names().join(' '));
  assert.ok(world.log.has(/Snapshot taken/));
  const before = world.embedded.member.health().zxid;

  await using again = await world.restart();

  assert.ok(BigInt(again.embedded.member.health().zxid) > BigInt(before));
  const resumed = await again.dial();
  await again.wait(resumed.resume(client));
  const root = await again.wait(resumed.exists('/'));
  assert.is(root.body!.stat.numChildren, 602);
  const read = await again.wait(resumed.getData('/9-59'));
  assert.is(Buffer.from(read.body!.data!).toString(), '9');
  assert.is(
    (await again.wait(resumed.send(OpCode.getEphemerals, { prefixPath: '/' }))).body!.ephemerals[0],
    '/e',
  );
});

test('what was acknowledged is there after a crash, and a second crash right behind it changes nothing', async () => {
  let world = await World.start({ snapshotTxns: 40 });
  const acknowledged: string[] = [];
  for (let run = 0; run < 8; run++) {
    const client = await world.open(40_000);
    const names = Array.from({ length: 30 }, (_, index) => `/${run}-${index}`);
    for (const name of names) {
      client.create(name).then(
        () => acknowledged.push(name),
        () => undefined,
      );
    }
    await world.clock.settle();
    world = await world.crash();
    const reader = await world.open(40_000);
    for (const name of acknowledged) assert.is((await world.wait(reader.exists(name))).err, 0, name);
  }
  assert.is(acknowledged.length, 240);
  await world.close();
});

test('a new epoch begins with every start', async () => {
  const world = await World.start();
  const first = world.embedded.member.health().epoch;
  await using again = await world.restart();
  assert.is(again.embedded.member.health().epoch, first + 1);
});

test('damage in the middle of the log keeps the member from starting, with the file and what to do', async () => {
  const world = await World.start();
  const client = await world.open();
  for (let index = 0; index < 20; index++) await world.wait(client.create(`/${index}`, 'x'.repeat(100)));
  await world.close();
  const log = world.disk.names().find((name) => name.startsWith('log-'))!;
  world.disk.flipBit(log, Buffer.from(world.disk.contentOf(log)).indexOf('x'.repeat(100)));
  const refusal = await world.restart().then(
    () => 'started',
    (error: Error) => error.message,
  );
  assert.match(refusal, new RegExp(log));
  assert.instance(world.disk, MemoryDisk);
});

test('stopping answers what is in flight before the connections end', async () => {
  const world = await World.start();
  const client = await world.open();
  world.disk.slowSyncs(world.clock, 50);
  const writes = Array.from({ length: 20 }, (_, index) => client.create(`/${index}`));
  await world.clock.advance(1);

  await world.close();
  const replies = await world.wait(Promise.all(writes));

  assert.ok(replies.every(({ err }) => err === 0));
  assert.is((await world.wait(client.closed)).code, CloseCode.notTaken);
  assert.is(world.embedded.member.health().state, 'closed');
  await world.close();
});

test.run();
