import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { World } from '../world.js';

test('a failed sync stops the member: it says so, cuts its clients off, and acknowledges nothing more', async () => {
  const world = await World.start();
  const client = await world.open();
  await world.wait(client.create('/before'));
  const failures: Error[] = [];
  world.embedded.member.onFailure((error) => failures.push(error));
  world.disk.fail({ operation: 'sync' });

  const write = client.create('/lost').then(
    () => 'acknowledged',
    () => 'cut off',
  );
  assert.is(await world.wait(write), 'cut off');

  assert.is(failures.length, 1);
  assert.match((failures[0] as Error & { code: string }).code, /STORAGE|DISK/);
  assert.is(world.embedded.member.health().state, 'failed');
  assert.not(world.embedded.member.health().isServing);
  assert.ok(world.log.has(/Member failed/));
  await world.close();

  await using again = await world.restart();
  const other = await again.open();
  assert.is((await again.wait(other.exists('/before'))).err, 0);
});

test('a disk that is full stops the member in the same way', async () => {
  const world = await World.start();
  const client = await world.open();
  world.disk.fail({ operation: 'write', code: 'ENOSPC' });
  const write = client.create('/lost').catch(() => 'cut off');
  assert.is(await world.wait(write), 'cut off');
  assert.is(world.embedded.member.health().state, 'failed');
  await world.close();
});

test('nobody is let in by a member that failed', async () => {
  const world = await World.start();
  const client = await world.open();
  world.disk.fail({ operation: 'sync' });
  client.create('/lost').catch(() => undefined);
  await world.wait(client.closed);
  const late = await world.dial();
  assert.is((await world.wait(late.closed)).code, 1001);
  await world.close();
});

test('who asks after the failure is told of it too', async () => {
  const world = await World.start();
  const client = await world.open();
  world.disk.fail({ operation: 'sync' });
  client.create('/lost').catch(() => undefined);
  await world.wait(client.closed);
  let told = 0;
  world.embedded.member.onFailure(() => (told += 1));
  assert.is(told, 1);
  await world.close();
});

test.run();
