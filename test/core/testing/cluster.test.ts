import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Cluster, Trace } from '../../../core/testing/index.js';

test('a client outlives the leader that it is connected to, with its session and what it wrote', async () => {
  await Cluster.play(async (cluster) => {
    const { client } = cluster.client();
    await client.create('/a', 'one', { mode: 'ephemeral' });
    const { id } = client.session;

    const leader = cluster.leader!;
    leader.crash();
    await client.sync('/a');

    assert.equal((await client.getData('/a')).stat.ephemeralOwner, id);
    assert.is.not(cluster.leader, leader);
    assert.is(client.session.epoch, 1);
  });
});

test('without a quorum no write is answered; with one again it is', async () => {
  await Cluster.play(async (cluster) => {
    const { client } = cluster.client({ members: [1], sessionTimeoutMs: 40_000 });
    await client.create('/a');
    cluster.network.isolate('m1', ['m2', 'm3']);

    let isWritten = false;
    void client.create('/b').then(
      () => (isWritten = true),
      () => undefined,
    );
    await cluster.sleep(20_000);
    assert.not.ok(isWritten);

    cluster.heal();
    await client.sync('/');
    await client.create('/c');
  });
});

test('a member that was paused for long goes on as a follower, with everything that it has missed', async () => {
  await Cluster.play(async (cluster) => {
    const { client } = cluster.client();
    const leader = cluster.leader!;
    leader.pause();
    await client.create('/a').catch(() => client.create('/b'));
    leader.resume();

    await cluster.until(() => {
      const healths = cluster.members.map(({ member }) => member!.health());
      return leader.isServing && new Set(healths.map(({ zxid, digest }) => zxid + digest)).size === 1;
    });
    assert.is.not(cluster.leader, leader);
  });
});

test('the same seed gives the same trace, another seed another', async () => {
  const traceOf = async (seed: number): Promise<readonly string[]> => {
    const lines: string[] = [];
    await Cluster.play(
      async (cluster) => {
        const { client } = cluster.client();
        await client.create('/a');
        cluster.leader!.crash();
        await client.sync('/a');
      },
      { seed, trace: (clock) => new Trace(clock, (line) => lines.push(line)) },
    );
    return lines;
  };

  const first = await traceOf(7);
  assert.ok(first.length > 10);
  assert.equal(await traceOf(7), first);
  assert.not.equal(await traceOf(8), first);
});

test('observers serve clients, and are of no help to a quorum', async () => {
  await Cluster.play(
    async (cluster) => {
      const { client } = cluster.client({ members: [4] });
      await client.create('/a');
      cluster.member(1).crash();
      cluster.member(2).crash();
      await cluster.until(() => !cluster.member(4).isServing);

      cluster.member(1).start();
      await client.sync('/a');
      await client.getData('/a');
    },
    { observers: 1 },
  );
});

test.run();
