import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { SeededRandom } from '../../../../core/runtime/index.js';
import { readyz } from '../../../../core/server/process/readiness.js';
import { Cluster, type ClusterMember } from '../../../../core/testing/index.js';

/** Long enough that no tick proves the last write before the member dies. */
const SERVER = { tickMs: 60_000, minSessionMs: 60_000, maxSessionMs: 600_000 };
const QUICK = { tickMs: 100 };

function logOf({ disk }: ClusterMember): string {
  return disk.names().findLast((name) => name.startsWith('log-'))!;
}

/** Harms a byte of the last record: its mark, in another block, stays. */
function harmLastRecord(member: ClusterMember): void {
  const name = logOf(member);
  const bytes = Buffer.from(member.disk.contentOf(name));
  let at = 64;
  for (let next = at; ;) {
    const length = bytes.readUInt32LE(next + 8);
    if (length === 0xffffffff || (length === 0 && bytes.readUInt32LE(next + 4) === 0)) break;
    at = next;
    next += (32 + length + 7) & -8;
  }
  member.disk.flipBit(name, at + 33);
}

async function write(cluster: Cluster, paths: readonly string[], members?: readonly number[]): Promise<void> {
  const { client } = cluster.client({ members });
  for (const path of paths) await client.create(path);
  await client.close();
}

async function exists(cluster: Cluster, path: string): Promise<boolean> {
  const { client } = cluster.client();
  await client.sync('/');
  const stat = await client.exists(path);
  await client.close();
  return stat !== null;
}

function serves(cluster: Cluster): boolean {
  return cluster.members.some((member) => member.isLeading);
}

for (const voters of [3, 5]) {
  for (let seed = 1; seed <= 3; seed++) {
    test(`${voters} members whose power fails at once during writes recover by themselves with all acknowledged writes, seed ${seed}`, () =>
      Cluster.play(
        async (cluster) => {
          const random = new SeededRandom(seed);
          const acknowledged: string[] = [];
          for (let round = 0; round < 4; round++) {
            const { client } = cluster.client();
            const end = cluster.clock.now() + 200 + random.next() * 400;
            const writing = (async () => {
              for (let count = 0; cluster.clock.now() < end; count++) {
                const path = `/r${round}-${count}`;
                const isWritten = await client
                  .create(path, Buffer.alloc(Math.floor(random.next() * 3_000)))
                  .then(
                    () => true,
                    () => false,
                  );
                if (isWritten && cluster.clock.now() < end) acknowledged.push(path);
                if (!isWritten) return;
              }
            })();
            await cluster.until(() => cluster.clock.now() >= end);
            for (const member of cluster.members) member.crash('random');
            client.close().catch(() => undefined);
            for (const member of cluster.members) member.start();
            await cluster.until(() => cluster.members.every(({ isServing }) => isServing));
            await writing;
            for (const { member } of cluster.members) assert.not.ok(member!.health().rejoining);
          }
          assert.ok(acknowledged.length > 20, `${acknowledged.length} writes`);
          for (const path of acknowledged) assert.ok(await exists(cluster, path), path);
        },
        { voters, seed, server: QUICK },
      ));
  }
}

/** Members 1 and 2 acknowledge a write that member 3 does not know; then 1 loses its record, and nothing proves that it was there. */
async function withAmbiguousEnd(
  cluster: Cluster,
): Promise<readonly [ClusterMember, ClusterMember, ClusterMember]> {
  const holder = cluster.leader!;
  const [loser, lagging] = cluster.members.filter((member) => member !== holder) as [
    ClusterMember,
    ClusterMember,
  ];
  await write(cluster, ['/before']);
  await lagging.stop();
  await write(cluster, ['/precious'], [holder.id]);
  for (const member of [holder, loser]) member.crash('keep');
  harmLastRecord(loser);
  return [holder, loser, lagging];
}

test('an ambiguous end waits for a missing voter, with a reason in readyz, and loses nothing when that voter returns', () =>
  Cluster.play(
    async (cluster) => {
      const [holder, loser, lagging] = await withAmbiguousEnd(cluster);
      loser.start();
      lagging.start();
      await cluster.until(() => (loser.member?.health().waitsFor ?? null) !== null);
      const since = cluster.clock.now();
      await cluster.until(() => cluster.clock.now() > since + 100_000);

      assert.not.ok(serves(cluster));
      const answer = readyz(loser.member!.health());
      assert.is(answer.status, 503);
      assert.match(answer.body, `missing: ${holder.id}`);
      assert.match(readyz(lagging.member!.health()).body, 'may have been acknowledged');

      holder.start();
      await cluster.until(() => cluster.members.every(({ isServing }) => isServing));
      assert.ok(await exists(cluster, '/precious'));
      for (const { member } of cluster.members) assert.is(member!.health().waitsFor, null);
    },
    { server: SERVER },
  ));

test('an ambiguous end is no obstacle to a quorum of which a member holds the entries', () =>
  Cluster.play(
    async (cluster) => {
      const [holder, loser] = await withAmbiguousEnd(cluster);
      loser.start();
      holder.start();

      await cluster.until(() => holder.isServing && loser.isServing);
      assert.ok(holder.isLeading);
    },
    { server: SERVER },
  ));

test('members with an ambiguous end go on when all are there and none holds the entries', () =>
  Cluster.play(
    async (cluster) => {
      await write(cluster, ['/before', '/last']);
      const since = cluster.clock.now();
      await cluster.until(() => cluster.clock.now() > since + 1_000);
      for (const member of cluster.members) member.crash('keep');
      for (const member of cluster.members) harmLastRecord(member);
      for (const member of cluster.members) member.start();

      await cluster.until(() => cluster.members.every(({ isServing }) => isServing));
      assert.ok(await exists(cluster, '/before'));
    },
    { server: SERVER },
  ));

test.run();
