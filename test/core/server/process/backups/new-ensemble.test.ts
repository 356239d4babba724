import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { restoreBackup, forceNewEnsemble } from '../../../../../core/server/process/index.js';
import { backupOf, recover } from '../../../../../core/server/state/index.js';
import { FileStorage, MemoryDisk } from '../../../../../core/storage/index.js';
import { SeededRandom } from '../../../../../core/testing/index.js';
import { EnsembleWorld } from '../../ensemble-world.js';
import { MachineHistory } from '../../machine-history.js';

const STEP = 2 ** 20;
const MEMBERS = [1, 2, 3].map((id) => ({ id, address: `ws://member-${id}:7300` }));

function newDisk(): MemoryDisk {
  return new MemoryDisk(new SeededRandom(1));
}

async function backup(history: MachineHistory, epoch = 1): Promise<readonly Buffer[]> {
  const origin = { ensemble: null, member: 1, epoch, takenAt: '2026-11-30T00:00:00.000Z' };
  const pieces: Buffer[] = [];
  for await (const piece of backupOf(history.machine.snapshot(), origin, async () => undefined))
    pieces.push(piece);
  return pieces;
}

async function* piecesOf(pieces: readonly Buffer[]): AsyncGenerator<Buffer, void> {
  yield* pieces;
}

function madeHistory(): MachineHistory {
  const history = new MachineHistory();
  history.creates(10, 'x');
  return history;
}

function codeOf(promise: Promise<unknown>): Promise<string> {
  return promise.then(
    () => 'none',
    (error: Error & { readonly code?: string }) => error.code ?? error.message,
  );
}

async function stateOn(disk: MemoryDisk): Promise<readonly unknown[]> {
  const storage = await FileStorage.open({ disk });
  try {
    const { machine, history, identity } = await recover(storage);
    return [machine.lastZxid, machine.digest, identity?.id, history.rejoining, machine.sessions.size];
  } finally {
    await storage.close();
  }
}

test('members that restore one backup apart have the same state, and a vote only once all of them run', async () => {
  const content = await backup(madeHistory());
  const disks = MEMBERS.map(newDisk);
  for (const [index, disk] of disks.entries())
    await restoreBackup({ content: piecesOf(content), name: 'file', disk, id: index + 1, members: MEMBERS });

  const states = await Promise.all(disks.map(stateOn));

  assert.equal(states[1], states[0]);
  assert.equal(states[2], states[0]);
  const [zxid, , , rejoining, sessions] = states[0]!;
  assert.equal([zxid, rejoining, sessions], [BigInt(1 + STEP) << 32n, 'new', 0]);
});

test('another restoration of a backup, and another list of members, begin another ensemble', async () => {
  const content = await backup(madeHistory());
  const restored = async (
    members: typeof MEMBERS,
    restoration: number,
  ): Promise<readonly [string, number]> => {
    const options = {
      content: piecesOf(content),
      name: 'file',
      disk: newDisk(),
      id: 1,
      members,
      restoration,
    };
    const { ensemble, epoch } = (await restoreBackup(options)).restored;
    return [ensemble, epoch];
  };

  const [first, again] = [await restored(MEMBERS, 1), await restored(MEMBERS, 1)];
  const second = await restored(MEMBERS, 2);
  const elsewhere = await restored(MEMBERS.slice(0, 2), 1);
  const reversed = await restored(MEMBERS.toReversed(), 1);

  assert.equal(again, first);
  assert.equal(reversed, first);
  assert.equal([first[1], second[1]], [1 + STEP, 1 + 2 * STEP]);
  assert.is(new Set([first[0], second[0], elsewhere[0]]).size, 3);
});

test('a restore is refused into a directory that holds anything, and from a damaged backup', async () => {
  const content = await backup(madeHistory());
  const disk = newDisk();
  const restore = (pieces: readonly Buffer[]): Promise<unknown> =>
    restoreBackup({ content: piecesOf(pieces), name: 'file', disk, id: 1 });

  assert.is(await codeOf(restore(content.slice(0, -1))), 'BACKUP_DAMAGED');
  assert.is(await codeOf(restore(content)), 'none');
  assert.is(await codeOf(restore(content)), 'DIRECTORY_NOT_EMPTY');
});

test('a restore that breaks off leaves a directory without a vote, which no restore takes for an empty one', async () => {
  const content = await backup(madeHistory());
  const disk = newDisk();
  disk.fail({ operation: 'rename', file: 'snapshot-', code: 'EIO' });

  const options = { name: 'file', disk, id: 1, members: MEMBERS };
  assert.not.equal(await codeOf(restoreBackup({ ...options, content: piecesOf(content) })), 'none');

  disk.crash();
  assert.is((await stateOn(disk))[3], 'damaged');
  assert.is(await codeOf(restoreBackup({ ...options, content: piecesOf(content) })), 'DIRECTORY_NOT_EMPTY');
});

test('a backup is not restored when few epochs are left, with the way out', async () => {
  const content = await backup(madeHistory(), 0x7fffffff - 16 * STEP);
  const options = { content: piecesOf(content), name: 'file', disk: newDisk(), id: 1 };
  const message = await restoreBackup(options).then(
    () => '',
    (error: Error & { readonly code: string }) => `${error.code}: ${error.message}`,
  );
  assert.match(message, /^EPOCHS_USED_UP: .*quorate export/);
});

async function restoredWorld(): Promise<{
  readonly world: EnsembleWorld;
  readonly restore: (id: number) => Promise<void>;
}> {
  const content = await backup(madeHistory());
  const world = await EnsembleWorld.launched({ absent: [1, 2, 3], isFounded: false });
  const restore = async (id: number): Promise<void> => {
    const disk = world.disks.get(id)!;
    await restoreBackup({ content: piecesOf(content), name: 'file', disk, id, members: world.members });
  };
  return { world, restore };
}

test('a restored ensemble is founded when all of its voters run, and a client writes behind all old zxids', async () => {
  const { world, restore } = await restoredWorld();
  await using _ = world;
  for (const id of [1, 2, 3]) await restore(id);
  for (const id of [1, 2]) await world.launch(id);
  await world.clock.advance(20_000);
  assert.equal(world.leader, undefined, 'the third may be one that went on and lost its disk');

  await world.launch(3);
  await world.serving();
  const client = await world.open(2);
  const created = await world.wait(client.create('/fence'));
  assert.is(created.err, 0);
  assert.ok(created.zxid > BigInt(1 + STEP) << 32n);
  assert.is((await world.wait(client.getData('/n0'))).err, 0);
  await world.until(() => world.running.every((id) => !world.member(id).health().rejoining));
  await world.converged();
});

test('a restored member founds its ensemble with members whose directories are empty', async () => {
  const { world, restore } = await restoredWorld();
  await using _ = world;
  await restore(2);
  for (const id of [1, 2, 3]) await world.launch(id);
  await world.serving();
  const client = await world.open(3);
  assert.is((await world.wait(client.getData('/n0'))).err, 0);
  await world.converged();
  assert.is(new Set(world.running.map((id) => world.member(id).health().ensemble)).size, 1);
});

test('a member that is restored once more after its ensemble went on has no vote, and nothing is lost', async () => {
  const { world, restore } = await restoredWorld();
  await using _ = world;
  for (const id of [1, 2, 3]) await restore(id);
  for (const id of [1, 2, 3]) await world.launch(id);
  const leader = await world.serving();
  const [behind, wiped] = [1, 2, 3].filter((id) => id !== leader) as [number, number];
  await world.stop(behind);
  const client = await world.open(leader);
  assert.is((await world.wait(client.create('/acknowledged'))).err, 0);
  world.kill(leader);
  world.kill(wiped);
  const disk = world.disks.get(wiped)!;
  for (const name of disk.names()) disk.forget(name);
  await restore(wiped);

  await world.launch(wiped);
  await world.launch(behind);
  await world.clock.advance(20_000);
  assert.equal(world.leader, undefined, 'two that lack the write must not lead');

  await world.launch(leader);
  await world.serving();
  const other = await world.open(wiped);
  assert.is((await world.wait(other.getData('/acknowledged'))).err, 0);
  await world.converged();
});

test('a survivor that is forced to be a new ensemble keeps its writes, and begins again with empty members', async () => {
  await using world = await EnsembleWorld.start();
  const survivor = world.leader!;
  const client = await world.open(survivor);
  assert.is((await world.wait(client.create('/kept'))).err, 0);
  const before = world.member(survivor).health();
  for (const id of [1, 2, 3]) world.kill(id);
  for (const id of [1, 2, 3]) {
    if (id === survivor) continue;
    const disk = world.disks.get(id)!;
    for (const name of disk.names()) disk.forget(name);
  }

  const begun = await forceNewEnsemble(world.disks.get(survivor)!);

  assert.is.not(begun.ensemble, before.ensemble);
  assert.ok(begun.epoch >= before.epoch + STEP);
  assert.is(begun.left.sessions, 1);
  for (const id of [1, 2, 3]) await world.launch(id);
  await world.serving();
  await world.converged();
  const again = await world.open(1);
  assert.is((await world.wait(again.getData('/kept'))).err, 0);
  assert.is(world.member(1).health().ensemble, begun.ensemble);
});

test.run();
