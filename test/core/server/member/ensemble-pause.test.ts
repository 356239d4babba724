import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Cluster } from '../../../../core/testing/index.js';
import { RawClient } from '../raw-client.js';

const TIMEOUT_MS = 20_000;

test('a leader that wakes up from a long pause answers nobody before a quorum has confirmed it', async () => {
  await Cluster.play(async (cluster) => {
    const old = cluster.leader!;
    const others = cluster.members.filter((member) => member !== old);
    const holder = cluster.client({ sessionTimeoutMs: TIMEOUT_MS, members: [old.id] });
    await holder.client.create('/held', null, { mode: 'ephemeral' });
    const { session } = holder.client;
    const watcher = cluster.client({ members: others.map(({ id }) => id) });

    old.pause();
    await cluster.until(() => cluster.leader !== undefined && cluster.leader !== old);
    await cluster.sleep(10_000);
    // It wakes up in time for the holder to be still there, and finds nobody else.
    cluster.network.isolate(
      old.name,
      others.map(({ name }) => name),
    );
    old.resume();
    await cluster.until(async () => (await watcher.client.exists('/held')) === null);

    assert.ok(session.signal.aborted, 'the holder has known before that its session is over');
  });
});

test('a leader that wakes up deposed tells nobody that a session is over which a later leader has opened', async () => {
  await Cluster.play(async (cluster) => {
    const old = cluster.leader!;
    const others = cluster.members.filter((member) => member !== old);
    old.pause();
    await cluster.until(() => cluster.leader !== undefined && cluster.leader !== old);
    const machine = cluster.network.host('c');
    const opened = await RawClient.open(machine, cluster.leader!.address);

    cluster.network.isolate(
      old.name,
      others.map(({ name }) => name),
    );
    old.resume();
    const moved = await RawClient.dial(machine, old.address);
    await moved.resume(opened).catch(() => null);

    assert.is(moved.response, null);
  });
});

test('a leader that wakes up deposed serves clients again as a follower', async () => {
  await Cluster.play(async (cluster) => {
    const old = cluster.leader!;
    const before = cluster.client({ members: [old.id] });
    await before.client.create('/before');
    old.pause();
    await cluster.until(() => cluster.leader !== undefined && cluster.leader !== old);
    await cluster.sleep(10_000);
    old.resume();

    const { client } = cluster.client({ members: [old.id] });
    await client.create('/after');
    assert.ok((await client.exists('/before')) !== null);
  });
});

test('a leader that was paused for a moment goes on, with its clients and their sessions', async () => {
  await Cluster.play(async (cluster) => {
    const leader = cluster.leader!;
    const { client } = cluster.client({ sessionTimeoutMs: TIMEOUT_MS, members: [leader.id] });
    await client.create('/before');
    const { id } = client.session;

    leader.pause();
    await cluster.sleep(1_500);
    leader.resume();
    await client.create('/after');

    assert.is(cluster.leader, leader);
    assert.is(client.session.id, id);
  });
});

test('a follower that was paused answers again when it has heard that its leader still leads', async () => {
  await Cluster.play(async (cluster) => {
    const follower = cluster.members.find((member) => member !== cluster.leader)!;
    const { client } = cluster.client({ sessionTimeoutMs: TIMEOUT_MS, members: [follower.id] });
    await client.create('/before');

    follower.pause();
    await cluster.sleep(1_500);
    follower.resume();
    await client.create('/after');
    assert.ok((await client.exists('/before')) !== null);
  });
});

test.run();
