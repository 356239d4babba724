/** An orderly end: whatever was taken is answered, and of the rest the client is told that it never had an effect. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { CloseCode } from '../../../../core/transport/index.js';
import { EnsembleWorld } from '../ensemble-world.js';
import type { RawClient } from '../raw-client.js';

interface Attempt {
  readonly path: string;
  isAnswered: boolean;
}

/** Creates one znode after the other in every millisecond, without waiting for answers, until the connection is gone. */
function write(world: EnsembleWorld, client: RawClient, prefix: string): Attempt[] {
  const attempts: Attempt[] = [];
  const next = (): void => {
    if (client.end !== null) return;
    const attempt = { path: `/${prefix}-${attempts.length}`, isAnswered: false };
    attempts.push(attempt);
    client.create(attempt.path).then(
      ({ err }) => (attempt.isAnswered = err === 0),
      () => undefined,
    );
    world.clock.setTimer(1, next);
  };
  next();
  return attempts;
}

async function verify(world: EnsembleWorld, attempts: readonly Attempt[]): Promise<void> {
  const reader = await world.open(world.leader!);
  for (const { path, isAnswered } of attempts) {
    const isThere = (await world.wait(reader.exists(path))).err === 0;
    assert.is(isThere, isAnswered, `${path} is ${isThere ? 'there' : 'not there'}`);
  }
}

for (const role of ['leader', 'follower'] as const) {
  test(`a ${role} that stops under load leaves no client in doubt: what has no answer was not taken`, async () => {
    await using world = await EnsembleWorld.start({ observers: 1 });
    for (const disk of world.disks.values()) disk.slowSyncs(world.clock, 7);
    const clients = new Map<number, RawClient>();
    for (const id of world.running) clients.set(id, await world.open(id));
    const written = new Map([...clients].map(([id, client]) => [id, write(world, client, `at-${id}`)]));
    await world.clock.advance(60);

    const stopping = world.running.find((id) => (id === world.leader) === (role === 'leader'))!;
    await world.stop(stopping);
    await world.serving();

    const affected = role === 'leader' ? [...clients.keys()] : [stopping];
    for (const id of affected) assert.is(clients.get(id)!.end?.code, CloseCode.notTaken, `at member ${id}`);
    for (const client of clients.values()) if (client.end === null) client.connection.close();
    await world.converged();
    const attempts = affected.flatMap((id) => written.get(id)!);
    assert.ok(attempts.filter(({ isAnswered }) => isAnswered).length > 50);
    assert.ok(attempts.some(({ isAnswered }) => !isAnswered));
    await verify(world, attempts);
  });
}

test('a client whose member stops is told of no write that its outcome is unknown, and does none twice', async () => {
  await using world = await EnsembleWorld.start();
  const client = world.client();
  await world.wait(client.create('/counter', '0'));
  const versions: Promise<{ readonly version: number }>[] = [];
  const next = (): void => {
    versions.push(client.setData('/counter', `${versions.length}`));
    if (versions.length < 400) world.clock.setTimer(1, next);
  };
  next();
  await world.clock.advance(50);

  await world.stop(world.leader!);
  await world.until(() => versions.length === 400);
  const stats = await world.wait(Promise.all(versions));

  assert.equal(
    stats.map(({ version }) => version),
    stats.map((_, index) => index + 1),
  );
  await world.wait(client.close());
});

test('a member that loses its leader tells nobody that nothing was taken', async () => {
  await using world = await EnsembleWorld.start();
  const leader = world.leader!;
  const follower = world.running.find((id) => id !== leader)!;
  const client = await world.open(follower);
  write(world, client, 'x');
  await world.clock.advance(20);

  world.kill(leader);
  await world.until(() => client.end !== null);

  assert.is(client.end!.code, CloseCode.abnormal);
});

test.run();
