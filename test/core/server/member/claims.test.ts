/** What an ensemble promises to whoever builds on it, one plain sentence each, on three members. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { createClient, RequestTooLargeError, type Client } from '../../../../core/client/index.js';
import { CreateMode, ErrorCode, OpCode } from '../../../../core/protocol/index.js';
import { GroupMembership, LeaderLatch, type MembershipEvent } from '../../../../core/recipes/index.js';
import { SeededRandom } from '../../../../core/runtime/index.js';
import { EnsembleWorld } from '../ensemble-world.js';
import type { RawClient } from '../raw-client.js';

/** To a member and back: the network of the world takes 1 ms each way. */
const ROUND_TRIP_MS = 2;
const SESSION_MS = 6_000;
const VOTERS = [1, 2, 3];

/** A session client that knows these members, in the order in which they are given. */
async function clientAt(world: EnsembleWorld, ids: readonly number[], seed = 1): Promise<Client> {
  const client = createClient(`memory://${ids.map((id) => `member-${id}:7300`).join(',')}`, {
    sessionTimeoutMs: SESSION_MS,
    clock: world.clock,
    random: new SeededRandom(seed),
    dialer: {
      dial: (address, options) => world.dialer.dial(/member-\d+/.exec(address)![0], options),
    },
  });
  await world.wait(client.connected());
  return client;
}

function otherThan(...ids: readonly (number | undefined)[]): number {
  return VOTERS.find((id) => !ids.includes(id))!;
}

async function closeAll(world: EnsembleWorld, clients: readonly Client[]): Promise<void> {
  await world.wait(Promise.all(clients.map((client) => client.close())));
}

/** What the promise rejects with, as text. */
async function failureOf(world: EnsembleWorld, promise: Promise<unknown>): Promise<string> {
  return world.wait(
    promise.then(
      () => 'none: it succeeded',
      (error: unknown) => String(error),
    ),
  );
}

/** Whether the znode is there, as this member has it. */
async function isAt(world: EnsembleWorld, id: number, path: string): Promise<boolean> {
  const client = await world.open(id);
  return (await world.wait(client.exists(path))).err === ErrorCode.ok;
}

test('every member answers reads by itself, without asking another', async () => {
  await using world = await EnsembleWorld.start({ observers: 1 });
  const writer = await world.open(world.leader!);
  await world.wait(writer.create('/a', 'x'));
  await world.converged();

  for (const id of world.running) {
    const reader = await world.open(id);
    const askedAt = world.clock.now();
    const { body } = await world.wait(reader.getData('/a'));
    assert.is(Buffer.from(body!.data!).toString(), 'x', `at member ${id}`);
    assert.ok(world.clock.now() - askedAt <= ROUND_TRIP_MS, `member ${id} asked somebody`);
  }
});

test('a write needs a quorum: it goes on with two members of three, stops with one, and goes on with two again', async () => {
  await using world = await EnsembleWorld.start();
  const [last, second] = [world.leader!, otherThan(world.leader)];
  const first = otherThan(last, second);

  world.kill(first);
  const client = await world.open(last);
  assert.is((await world.wait(client.create('/with-two'))).err, ErrorCode.ok);
  world.kill(second);
  assert.match(await failureOf(world, client.create('/with-one')), 'closed');
  assert.not(world.member(last).health().isServing, 'one member of three serves');
  assert.match(await failureOf(world, (await world.dial(last)).connect()), 'closed');

  await world.launch(first);
  await world.serving(first, last);
  const again = await world.open(last);
  assert.is((await world.wait(again.create('/with-two-again'))).err, ErrorCode.ok);
  for (const path of ['/with-two', '/with-two-again']) assert.ok(await isAt(world, first, path), path);
});

test('observers answer and forward, but do not count towards a quorum', async () => {
  await using world = await EnsembleWorld.start({ observers: 2 });
  const observer = await world.open(4);
  assert.is((await world.wait(observer.create('/through-an-observer'))).err, ErrorCode.ok);
  const { leader } = world;

  for (const id of VOTERS) if (id !== leader) world.kill(id);
  await world.until(() => world.running.every((id) => !world.member(id).health().isServing));
  await world.wait(observer.closed);

  await world.launch(otherThan(leader));
  await world.serving();
  assert.ok(await isAt(world, 5, '/through-an-observer'));
});

test('a leader that is cut off acknowledges nothing, and what it could not get through is nowhere afterwards', async () => {
  await using world = await EnsembleWorld.start();
  const old = world.leader!;
  const stranded = await world.open(old);

  world.isolate(old);
  assert.match(await failureOf(world, stranded.create('/never')), 'closed');
  const chosen = await world.serving(...VOTERS.filter((id) => id !== old));
  const client = await world.open(chosen);
  assert.is((await world.wait(client.create('/elsewhere'))).err, ErrorCode.ok);

  world.mend();
  await world.serving(...VOTERS);
  await world.converged();
  for (const id of VOTERS) {
    assert.ok(await isAt(world, id, '/elsewhere'), `at member ${id}`);
    assert.not(await isAt(world, id, '/never'), `at member ${id}`);
  }
});

test('updates have one order, that of their zxids, which every reply carries', async () => {
  await using world = await EnsembleWorld.start();
  const clients: RawClient[] = [];
  for (const id of VOTERS) clients.push(await world.open(id));
  await world.wait(clients[0]!.create('/line'));
  const ask = (client: RawClient, round: number): Promise<{ readonly zxid: bigint }> => {
    if (round % 3 === 1) return client.exists('/line');
    return round % 3 === 0
      ? client.create('/line/n-', null, CreateMode.persistentSequential)
      : client.create('/line');
  };
  const created: { readonly zxid: bigint; readonly path: string }[] = [];
  const replies: Promise<void>[] = [];
  for (const client of clients) {
    let before = 0n;
    for (let round = 0; round < 60; round++) {
      const note = (reply: { readonly zxid: bigint; readonly body?: unknown }): void => {
        assert.ok(reply.zxid > 0n && reply.zxid >= before, 'a reply goes back in time');
        if (round % 3 !== 1) assert.ok(reply.zxid > before, 'two writes of a session share a zxid');
        before = reply.zxid;
        if (round % 3 === 0) created.push({ zxid: reply.zxid, path: (reply.body as { path: string }).path });
      };
      replies.push(ask(client, round).then(note));
    }
  }

  await world.wait(Promise.all(replies));

  const byZxid = [...created].sort((a, b) => (a.zxid < b.zxid ? -1 : 1)).map(({ path }) => path);
  assert.is(new Set(created.map(({ zxid }) => zxid)).size, 60, 'a zxid for each write');
  assert.equal(byZxid, [...byZxid].sort(), 'the order of zxids is that of the sequence numbers');
  await world.converged();
  for (const { zxid, path } of created.slice(0, 5)) {
    for (const client of clients) {
      const { body } = await world.wait(client.exists(path));
      assert.is(body!.stat.czxid, zxid, 'every member has it under the same zxid');
    }
  }
});

test('after a change of leader the order goes on: every later zxid is greater', async () => {
  await using world = await EnsembleWorld.start();
  const { zxid: before } = await world.wait((await world.open(world.leader!)).create('/before'));

  world.kill(world.leader!);
  const leader = await world.serving();
  const { zxid: after } = await world.wait((await world.open(leader)).create('/after'));

  assert.ok(after >> 32n > before >> 32n, 'the new leader has an epoch of its own');
});

test('a session reads what it wrote, at whichever member, and after sync what anybody wrote before', async () => {
  await using world = await EnsembleWorld.start();
  const clients: RawClient[] = [];
  for (const id of VOTERS) clients.push(await world.open(id));
  for (const [index, client] of clients.entries()) {
    void client.create(`/of-${index}`);
    const mine = await world.wait(client.exists(`/of-${index}`));
    assert.is(mine.err, ErrorCode.ok);
  }

  for (const [index, client] of clients.entries()) {
    void client.send(OpCode.sync, { path: '/' });
    const others = clients.map((_, other) => client.exists(`/of-${other}`));
    const seen = (await world.wait(Promise.all(others))).map(({ err }) => err);
    assert.equal(seen, [0, 0, 0], `client ${index}`);
  }
});

test('a watch is served by the member that the client is connected to, before any reply that shows the change', async () => {
  await using world = await EnsembleWorld.start();
  const writer = await world.open(world.leader!);
  await world.wait(writer.create('/a'));
  await world.converged();
  const watchers: RawClient[] = [];
  for (const id of VOTERS) {
    const watcher = await world.open(id);
    const askedAt = world.clock.now();
    await world.wait(watcher.getData('/a', true));
    assert.ok(world.clock.now() - askedAt <= ROUND_TRIP_MS, `member ${id} asked somebody`);
    watchers.push(watcher);
  }
  const bystander = await world.open(1);

  await world.wait(writer.setData('/a', 'y'));
  for (const [index, watcher] of watchers.entries()) {
    await world.until(() => watcher.arrivals.includes('event 3 /a'));
    const { body } = await world.wait(watcher.getData('/a'));
    assert.is(Buffer.from(body!.data!).toString(), 'y', `at member ${VOTERS[index]}`);
    assert.equal(watcher.arrivals.slice(-2), ['event 3 /a', 'reply 2']);
  }
  assert.equal(bystander.arrivals, ['connected']);
});

test('a client whose member dies keeps its session, its ephemerals and its watches at another member', async () => {
  await using world = await EnsembleWorld.start();
  const client = await clientAt(world, VOTERS);
  const before = client.session;
  const events: string[] = [];
  await world.wait(client.create('/e', null, { mode: 'ephemeral' }));
  await world.wait(client.exists('/a', { watch: ({ type, path }) => events.push(`${type} ${path}`) }));

  const home = VOTERS.find((id) => world.member(id).health().connections === 1)!;
  world.kill(home);
  await world.serving();
  const writer = await world.open(world.leader!);
  await world.wait(writer.create('/a'));
  await world.until(() => events.length > 0);

  assert.equal(events, ['created /a']);
  assert.is(client.session, before);
  await world.clock.advance(2 * SESSION_MS);
  assert.is((await world.wait(client.exists('/e')))!.ephemeralOwner, before.id);
  await closeAll(world, [client]);
});

test('when a client dies, its ephemerals go everywhere and the others are told by their watches', async () => {
  await using world = await EnsembleWorld.start();
  const dying = await world.open(otherThan(world.leader), SESSION_MS);
  await world.wait(dying.create('/worker', null, CreateMode.ephemeral));
  await world.converged();
  const watchers: RawClient[] = [];
  for (const id of VOTERS) watchers.push(await world.open(id, 40_000));
  for (const watcher of watchers) await world.wait(watcher.exists('/worker', true));
  const diedAt = world.clock.now();

  dying.connection.terminate();
  await world.until(() => watchers.every(({ arrivals }) => arrivals.includes('event 2 /worker')));

  assert.ok(world.clock.now() - diedAt > SESSION_MS - 1_000, 'a session outlives its connection');
  for (const id of VOTERS) assert.not(await isAt(world, id, '/worker'), `at member ${id}`);
});

test('when a member of a group dies, the rest of the group is told', async () => {
  await using world = await EnsembleWorld.start();
  const owners: Client[] = [];
  const groups: GroupMembership[] = [];
  for (const id of VOTERS) {
    const client = await clientAt(world, VOTERS, id);
    owners.push(client);
    groups.push(new GroupMembership(client, '/fleet', { id: `worker-${id}` }).start());
  }
  await world.wait(Promise.all(groups.map((group) => group.ready())));
  await world.until(() => groups.every((group) => group.members().size === 3));
  const told: string[] = [];
  const listen = async (group: GroupMembership): Promise<void> => {
    for await (const { type, member } of group.changes() as AsyncIterable<MembershipEvent>) {
      if (type === 'left') told.push(member.id);
    }
  };
  const listening = groups.slice(1).map(listen);

  await closeAll(world, owners.slice(0, 1));
  await world.until(() => told.length === 2);

  assert.equal(told, ['worker-1', 'worker-1']);
  assert.equal([...groups[1]!.members().keys()].sort(), ['worker-2', 'worker-3']);
  await closeAll(world, owners.slice(1));
  await world.wait(Promise.all(listening));
});

test('the lowest sequence is the master, and when it goes the next lowest is told, and nobody else', async () => {
  await using world = await EnsembleWorld.start();
  const candidates: { readonly client: RawClient; readonly path: string }[] = [];
  for (const id of VOTERS) {
    const client = await world.open(id, SESSION_MS);
    if (id === 1) await world.wait(client.create('/election'));
    const { body } = await world.wait(client.create('/election/n-', null, CreateMode.ephemeralSequential));
    candidates.push({ client, path: body!.path });
  }
  const [master, next, last] = [candidates[0]!, candidates[1]!, candidates[2]!];
  const line = async (client: RawClient): Promise<readonly string[]> => {
    void client.send(OpCode.sync, { path: '/election' });
    const { body } = await world.wait(client.send(OpCode.getChildren, { path: '/election', watch: false }));
    return [...body!.children].sort().map((name) => `/election/${name}`);
  };
  for (const { client } of candidates)
    assert.equal(
      await line(client),
      candidates.map(({ path }) => path),
    );
  await world.wait(next.client.exists(master.path, true));
  await world.wait(last.client.exists(next.path, true));

  await world.wait(master.client.send(OpCode.closeSession, {}));
  await world.until(() => next.client.arrivals.includes(`event 2 ${master.path}`));

  for (const { client } of [next, last]) assert.equal(await line(client), [next.path, last.path]);
  assert.not(last.client.arrivals.some((arrival) => arrival.startsWith('event')));
});

test('of several latches one leads at a time, over the death of a member and over that of the leader', async () => {
  await using world = await EnsembleWorld.start();
  const clients: Client[] = [];
  const latches: LeaderLatch[] = [];
  for (const id of VOTERS) {
    clients.push(await clientAt(world, VOTERS, id));
    latches.push(new LeaderLatch(clients.at(-1)!, 'jobs', { id: `worker-${id}` }).start());
    await world.until(() => latches[0]!.leadership !== null);
  }
  const [first] = latches;
  const { leadership } = first!;
  let standing = await world.wait(first!.participants());
  while (standing.length < VOTERS.length) standing = await world.wait(first!.participants());

  world.kill(world.leader!);
  await world.serving();
  await world.clock.advance(2 * SESSION_MS);
  assert.is(first!.leadership, leadership, 'the leadership belongs to the session, not to a member');

  await closeAll(world, clients.slice(0, 1));
  assert.ok(leadership!.signal.aborted);
  await world.until(() => latches.some((latch) => latch.leadership !== null));
  const successor = latches.find((latch) => latch.leadership !== null)!;
  assert.is(successor.id, standing[1]?.id, 'the next in the line');
  assert.ok(successor.leadership!.fence > leadership!.fence);
  await closeAll(world, clients.slice(1));
});

test('there are four kinds of znodes: persistent and ephemeral, each plain or with a sequence number', async () => {
  await using world = await EnsembleWorld.start();
  const owner = await world.open(otherThan(world.leader));
  await world.wait(owner.create('/p'));
  const create = async (name: string, mode: number): Promise<string> => {
    const { body, err } = await world.wait(owner.create(`/p/${name}`, null, mode));
    assert.is(err, ErrorCode.ok);
    return body!.path;
  };

  assert.is(await create('persistent', CreateMode.persistent), '/p/persistent');
  assert.is(await create('ephemeral', CreateMode.ephemeral), '/p/ephemeral');
  assert.is(await create('ps-', CreateMode.persistentSequential), '/p/ps-0000000002');
  assert.is(await create('es-', CreateMode.ephemeralSequential), '/p/es-0000000003');
  const below = await world.wait(owner.create('/p/ephemeral/x'));
  assert.is(below.err, ErrorCode.noChildrenForEphemerals);
  await world.wait(owner.send(OpCode.closeSession, {}));
  await world.converged();

  for (const id of VOTERS) {
    const reader = await world.open(id);
    const { body } = await world.wait(reader.send(OpCode.getChildren, { path: '/p', watch: false }));
    assert.equal([...body!.children].sort(), ['persistent', 'ps-0000000002'], `at member ${id}`);
  }
});

test('a znode holds almost 1 MB, on every member; more is refused and nothing comes of it', async () => {
  await using world = await EnsembleWorld.start();
  const client = await clientAt(world, [otherThan(world.leader)]);
  const largest = new Uint8Array(1_048_575 - 200).fill(7);

  await world.wait(client.create('/large', largest));
  const tooLarge = client.setData('/large', new Uint8Array(1_048_576));
  assert.match(await failureOf(world, tooLarge), RequestTooLargeError.name);
  const rude = await world.open(world.leader!);
  void rude.setData('/large', 'y'.repeat(1_048_576)).catch(() => undefined);
  await world.wait(rude.closed);

  await world.converged();
  for (const id of VOTERS) {
    const reader = await world.open(id);
    const { body } = await world.wait(reader.getData('/large'));
    assert.ok(Buffer.from(largest).equals(body!.data!), `at member ${id}`);
    assert.is(body!.stat.version, 0);
  }
  await closeAll(world, [client]);
});

test.run();
