import { chown, mkdtemp, readdir, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { DataDirectoryDoctor, NodeDisk } from '../../../core/storage/index.js';
import { entries, find, rejection, start } from './history.js';

const OWNER = { uid: 12_345, gid: 54_321 };

const test = suite<{ directory: string }>('who owns the files of a data directory');
test.before.each(async (context) => {
  context.directory = await mkdtemp(join(tmpdir(), 'quorate-owner-'));
});
test.after.each(({ directory }) => rm(directory, { recursive: true, force: true }));

async function made(directory: string): Promise<void> {
  const { storage } = await start(await NodeDisk.open(directory), { owner: 'member 7' });
  await storage.persist({ acceptedEpoch: 1, entries: entries(0, 20) });
  await storage.close();
}

async function repair(directory: string): Promise<void> {
  const doctor = await DataDirectoryDoctor.open(await NodeDisk.open(directory), async (content) => {
    for await (const _ of content);
  });
  await doctor.repair(await doctor.examine(), { folder: 'aside', isAlone: false });
  await doctor.close();
}

if (process.getuid?.() === 0) {
  test('files that root repairs stay those of the owner of the directory', async ({ directory }) => {
    await made(directory);
    for (const name of ['.', ...(await readdir(directory))])
      await chown(join(directory, name), OWNER.uid, OWNER.gid);
    await rm(join(directory, 'identity'));
    await truncate(join(directory, 'accepted-epoch'), 3);

    await repair(directory);

    for (const name of ['identity', 'accepted-epoch', 'aside', 'aside/accepted-epoch.copy']) {
      const { uid, gid, mode } = await stat(join(directory, name));
      assert.equal([uid, gid], [OWNER.uid, OWNER.gid], name);
      assert.is(mode & 0o600, 0o600, name);
    }
  });
}

test('a repaired identity names no member until one starts on it, and refuses others from then on', async ({
  directory,
}) => {
  await made(directory);
  await rm(join(directory, 'identity'));
  await repair(directory);

  const disk = await NodeDisk.open(directory);
  assert.is((await find(disk, { owner: 'member 7' })).entries.length, 20);

  assert.is((await rejection(find(disk, { owner: 'member 8' }))).code, 'DATA_DIRECTORY_FOREIGN');
});

test('files of absurd sizes are called that, whoever meets them', async ({ directory }) => {
  await made(directory);
  const log = (await readdir(directory)).find((name) => name.startsWith('log-'))!;
  const disk = await NodeDisk.open(directory);
  const { size } = await stat(join(directory, log));

  await truncate(join(directory, log), 8 * 1024 ** 3);
  assert.match(
    (await rejection(find(disk))).message,
    /it has 8589934592 bytes, and no file of the log has more/,
  );
  await truncate(join(directory, log), size);
  assert.is((await find(disk)).entries.length, 20);

  await writeFile(join(directory, 'accepted-epoch'), Buffer.alloc(3 * 1024 * 1024));
  assert.match((await rejection(find(disk))).message, /accepted-epoch .*it has 1048596 bytes or more/);
});

test.run();
