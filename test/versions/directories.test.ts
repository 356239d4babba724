import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { connect, type Client } from '../../core/client/index.js';
import { Embedded, treatDataDirectory } from '../../core/server/index.js';
import { FileStorage, NodeDisk } from '../../core/storage/index.js';
import { unpackFixture, type ExpectedHistory, type ExpectedZnode } from './fixture.js';

const VERSION = '0.1.0';
const DIRECTORIES = ['one-stopped', 'one-killed', 'three-stopped', 'three-killed', 'two-of-three-copied'];
/** Members that `embedded:` starts on the directories of a fixture; a missing directory is made. */
const MEMBERS: Readonly<Record<string, number>> = { 'one-stopped': 1, 'one-killed': 1 };

/** Members have no socket here, and a process ends in which only timers of members are left. */
const alive = setInterval(() => undefined, 1_000);
test.after(() => clearInterval(alive));

async function unpacked(
  name: string,
  use: (fixture: Awaited<ReturnType<typeof unpackFixture>>) => Promise<void>,
): Promise<void> {
  const fixture = await unpackFixture(VERSION, name);
  try {
    await use(fixture);
  } finally {
    await rm(fixture.root, { recursive: true, force: true });
  }
}

async function historyOf(directory: string): Promise<ExpectedHistory> {
  const storage = await FileStorage.open({ disk: await NodeDisk.open(directory) });
  const { acceptedEpoch, rejoining, snapshot, entries, epochs } = await storage.recover();
  await storage.close();
  return {
    acceptedEpoch,
    rejoining,
    lastZxid: `${entries.at(-1)?.zxid ?? snapshot?.zxid ?? 0n}`,
    epochs: epochs.map(({ epoch, lastZxid }) => ({ epoch, lastZxid: `${lastZxid}` })),
  };
}

async function open(members: Embedded): Promise<Client> {
  const { dialer, address, url } = members;
  const isOne = members.members.length === 1;
  const client = await connect(isOne ? 'embedded:' : url, {
    dialer: isOne ? { dial: (_, options) => dialer.dial(address, options) } : dialer,
  });
  await client.addAuth('digest', 'owner:secret');
  return client;
}

async function znodeOf(client: Client, path: string): Promise<ExpectedZnode> {
  const { data, stat } = await client.getData(path);
  const fields = Object.entries(stat).map(([name, value]) => [
    name,
    typeof value === 'bigint' ? `${value}` : value,
  ]);
  return { data: Buffer.from(data!).toString('base64'), stat: Object.fromEntries(fields) };
}

async function treeOf(client: Client, path: string): Promise<string[]> {
  const { children } = await client.getChildren(path);
  const below = await Promise.all(children.map((child) => treeOf(client, `${path}/${child}`)));
  return [path, ...below.flat()];
}

for (const name of DIRECTORIES) {
  test(`the storage recovers from ${name} of ${VERSION} what ${VERSION} recovered`, () =>
    unpacked(name, async ({ root, expected }) => {
      for (const [directory, history] of Object.entries(expected.histories)) {
        const { acceptedEpoch, rejoining, lastZxid, epochs } = history;
        assert.equal(await historyOf(join(root, directory)), { acceptedEpoch, rejoining, lastZxid, epochs });
      }
    }));

  test(`the doctor finds no damage in ${name} of ${VERSION}`, () =>
    unpacked(name, async ({ root, expected }) => {
      for (const directory of Object.keys(expected.histories)) {
        const disk = await NodeDisk.open(join(root, directory));
        const { before } = await treatDataDirectory({ disk, folder: 'damaged' });
        assert.ok(before.canStart);
        assert.equal([before.damage, before.mayBeLost], [[], null]);
      }
    }));

  test(`members start on ${name} of ${VERSION}, show its znodes with their zxids, and take writes`, () =>
    unpacked(name, async ({ root, expected }) => {
      const count = MEMBERS[name] ?? 3;
      for (const value of ['first', 'second']) {
        await using members = await Embedded.start({ data: root, members: count });
        await using client = await open(members);
        if (value === 'second') assert.is(await textOf(client, '/new'), 'first');
        const found: Record<string, ExpectedZnode> = {};
        for (const path of await treeOf(client, '/app')) found[path] = await znodeOf(client, path);
        assert.equal(found, expected.znodes);
        if (expected.acknowledged !== undefined) {
          assert.ok(Number(await textOf(client, '/written')) >= expected.acknowledged);
        }
        await (value === 'first' ? client.create('/new', value) : client.setData('/new', value));
      }
    }));
}

test(`a member that starts alone on a directory of ${VERSION} gives its ensemble an id, and keeps it`, () =>
  unpacked('one-stopped', async ({ root }) => {
    const ids = new Set<string | null>();
    for (let start = 0; start < 3; start++) {
      await using members = await Embedded.start({ data: root, members: 1 });
      await using client = await open(members);
      ids.add(client.session.ensembleId);
    }
    assert.is(ids.size, 1);
    assert.match([...ids][0]!, /^[0-9a-f]{32}$/);
  }));

async function textOf(client: Client, path: string): Promise<string> {
  return Buffer.from((await client.getData(path)).data!).toString('utf8');
}

test.run();
