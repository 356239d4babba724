/** Snapshots are read back before anything older goes, and what flips in memory is found by them and by recounts. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { StateMachine } from '../../../../core/data/index.js';
import { EnsembleWorld } from '../ensemble-world.js';
import type { RawClient } from '../raw-client.js';
import { World } from '../world.js';

const HOUR_MS = 3_600_000;
const snapshotsIn = (names: readonly string[]): string[] =>
  names.filter((name) => /^snapshot-[0-9a-f-]+$/.test(name));

async function write(
  client: RawClient,
  wait: <T>(done: Promise<T>) => Promise<T>,
  prefix: string,
  count: number,
): Promise<void> {
  for (let from = 0; from < count; from += 20)
    await wait(
      Promise.all(Array.from({ length: 20 }, (_, index) => client.create(`/${prefix}-${from + index}`, 'x'))),
    );
}

/** As bad memory does it: the digest that is kept does not notice. */
function flip(machine: StateMachine, path = '/price'): void {
  const node = machine.state.tree.find(path)!;
  node.stored = `f${String(node.stored).slice(1)}`;
}

for (const [code, limit] of [
  ['ENOSPC', { operation: 'write', file: 'snapshot' }],
  ['EMFILE', { operation: 'open', file: 'snapshot' }],
] as const) {
  test(`a spare snapshot that fails with ${code} is tried again later, and the member goes on`, async () => {
    await using world = await World.start({ snapshotTxns: 50 });
    const client = await world.open(40_000);
    world.disk.fail({ ...limit, code, times: 2 });
    await write(client, (done) => world.wait(done), 'a', 100);
    await world.clock.settle();
    assert.ok(world.log.has(/Snapshot postponed/));
    assert.equal(snapshotsIn(world.disk.names()), []);

    for (let minute = 0; minute < 3; minute++) {
      await world.clock.advance(61_000);
      const other = await world.open(40_000);
      assert.is((await world.wait(other.create(`/minute-${minute}`))).err, 0, 'it serves');
    }

    assert.is(snapshotsIn(world.disk.names()).length, 1);
    assert.ok(world.embedded.member.health().isServing);
  });
}

test('a leader whose spare snapshots find no space goes on leading', async () => {
  await using world = await EnsembleWorld.start({ snapshotTxns: 50 });
  const leader = world.leader!;
  const { epoch } = world.member(leader).health();
  world.disks.get(leader)!.fail({ operation: 'write', file: 'snapshot', code: 'ENOSPC', times: 100 });
  const client = await world.open(leader, 40_000);

  await write(client, (done) => world.wait(done), 'a', 200);
  await world.clock.advance(10_000);

  assert.equal([world.leader, world.member(leader).health().epoch], [leader, epoch]);
});

test('a bit that flips in the memory of a lone member ends no snapshot that was good, and a restart has every write', async () => {
  await using world = await EnsembleWorld.start({ voters: 1, snapshotTxns: 100 });
  let client = await world.open(1, 40_000);
  await world.wait(client.create('/price', 'EUR 100'));
  await write(client, (done) => world.wait(done), 'before', 400);
  const disk = world.disks.get(1)!;
  await world.until(() => snapshotsIn(disk.names()).length > 0);
  await world.clock.advance(1_000);
  const good = snapshotsIn(disk.names());
  const failures: Error[] = [];
  world.member(1).onFailure((error) => failures.push(error));

  flip(world.machines.get(1)!);
  for (let index = 0; index < 200; index++) void client.create(`/after-${index}`).catch(() => undefined);
  await world.until(() => failures.length > 0);

  assert.is((failures[0] as { code?: string }).code, 'STATE_DAMAGED');
  assert.match(failures[0]!.message, /\/price.*start the member again/s);
  assert.ok(world.log.has(/Snapshot does not read back/));
  for (const name of good) assert.ok(disk.names().includes(name), `${name} is kept`);
  assert.equal(snapshotsIn(disk.names()), good, 'and no bad one counts');
  await world.stop(1);
  await world.launch(1);
  await world.serving(1);
  client = await world.open(1, 40_000);
  const read = await world.wait(client.getData('/price'));
  assert.is(Buffer.from(read.body!.data!).toString(), 'EUR 100');
  for (let index = 0; index < 400; index++)
    assert.is((await world.wait(client.exists(`/before-${index}`))).err, 0);
});

test('a leader whose snapshot does not read back hands over, stops in order, and has the right state after a restart', async () => {
  await using world = await EnsembleWorld.start({ snapshotTxns: 100 });
  const leader = world.leader!;
  const writer = await world.open(
    world.running.find((id) => id !== leader)!,
    40_000,
  );
  await world.wait(writer.create('/price', 'EUR 100'));
  await world.clock.advance(1_000);
  const failures: Error[] = [];
  world.member(leader).onFailure((error) => failures.push(error));
  flip(world.machines.get(leader)!);

  for (let index = 0; index < 200; index++) void writer.create(`/a-${index}`).catch(() => undefined);
  await world.until(() => failures.length > 0);

  assert.ok(world.log.has(/Snapshot does not read back/));
  assert.is((failures[0] as { code?: string }).code, 'STATE_DAMAGED');
  assert.ok(
    world.log.lines.some(({ fields }) => /hand/.test(String(fields.because))),
    'leadership was handed over',
  );
  await world.until(() => world.leader !== undefined && world.leader !== leader);
  await world.stop(leader);
  await world.launch(leader);
  await world.serving(1, 2, 3);
  assert.is(world.member(leader).health().rejoining, false);
  assert.is(String(world.machines.get(leader)!.state.tree.find('/price')!.stored), 'EUR 100');
  await world.converged();
});

test('what flips in memory without any write is found by the hourly recount', async () => {
  await using world = await EnsembleWorld.start({ voters: 1, tickMs: 10_000 });
  const client = await world.open(1, 40_000);
  await world.wait(client.create('/price', 'EUR 100'));
  const failures: Error[] = [];
  world.member(1).onFailure((error) => failures.push(error));
  await world.clock.advance(2 * HOUR_MS);
  assert.equal(failures, []);

  flip(world.machines.get(1)!);
  await world.clock.advance(2 * HOUR_MS);

  assert.match(failures[0]?.message ?? '', /the znode \/price has changed without a write/);
});

test.run();
