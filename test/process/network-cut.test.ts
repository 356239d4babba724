/**
 * Members as processes, with a network between them that can be cut, in both directions or in one, and a leader that stands
 * still, under a writing load.
 */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { connect, createClient, ErrorCode } from '../../core/client/index.js';
import { OpCode } from '../../core/protocol/index.js';
import { WebSocketDialer } from '../../core/transport/index.js';
import { RawClient } from '../core/server/raw-client.js';
import { CuttableProxy } from './cuttable-proxy.js';
import { EnsembleProcess } from './ensemble-process.js';
import { WritingLoad } from './writing-load.js';

const nothing = (): void => undefined;

interface Scene {
  readonly ensemble: EnsembleProcess;
  readonly network: CuttableProxy;
  readonly load: WritingLoad;
  readonly leader: number;
  readonly followers: readonly [number, number];
}

/** Plays a scene under load; then heals the network and checks that everything adds up. */
async function play(scene: (parts: Scene) => Promise<void>): Promise<void> {
  await using network = new CuttableProxy();
  await using ensemble = await EnsembleProcess.start({ portFor: network.portFor });
  await using load = await WritingLoad.start(ensemble.url());
  await load.goesOn(ensemble);
  const leader = await ensemble.serving();
  const followers = ensemble.ids.filter((id) => id !== leader) as unknown as readonly [number, number];

  await scene({ ensemble, network, load, leader, followers });

  network.heal();
  await ensemble.serving(...ensemble.ids);
  await load.goesOn(ensemble);
  await load.stop();
  await ensemble.converged();
  await load.verify(ensemble.url());
}

/** Waits for a leader among these that leads a later epoch than `epoch`. */
async function anotherLeads(ensemble: EnsembleProcess, ids: readonly number[], epoch: number): Promise<void> {
  await ensemble.until('another leader', async () => {
    const leader = await ensemble.leaderAmong(ids);
    return leader !== undefined && (await ensemble.health(leader))!.epoch > epoch;
  });
}

/** A member without a quorum: it says so, and neither takes clients nor keeps those it has. */
async function servesNothing(ensemble: EnsembleProcess, id: number): Promise<void> {
  await ensemble.until(`member ${id} to step down`, async () => !(await ensemble.isReady(id)));
  assert.not((await ensemble.health(id))!.isServing);
  const newcomer = await RawClient.dial(new WebSocketDialer(), ensemble.url(id));
  const welcome = await newcomer.connect().catch(() => null);
  assert.is(welcome, null, `member ${id} took a client`);
}

for (const { title, cut } of [
  {
    title: 'cut off from both others',
    cut: (network: CuttableProxy, leader: number, other: number) => network.cut(leader, other),
  },
  {
    title: 'that hears nothing, though it is heard',
    cut: (network: CuttableProxy, leader: number, other: number) => network.cutOneWay(other, leader),
  },
  {
    title: 'that is not heard, though it hears',
    cut: (network: CuttableProxy, leader: number, other: number) => network.cutOneWay(leader, other),
  },
]) {
  test(`a leader ${title} steps down and serves nothing, another one leads, and all agree afterwards`, async () => {
    await play(async ({ ensemble, network, load, leader, followers }) => {
      const { epoch } = (await ensemble.health(leader))!;
      const inside = await RawClient.open(new WebSocketDialer(), ensemble.url(leader));

      for (const other of followers) cut(network, leader, other);

      await anotherLeads(ensemble, followers, epoch);
      await servesNothing(ensemble, leader);
      await inside.closed;
      await load.goesOn(ensemble);
      assert.is((await ensemble.health(leader))!.isServing, false);
    });
  });
}

test('a write at a leader that is cut off is not acknowledged, and is nowhere afterwards', async () => {
  await play(async ({ ensemble, network, leader, followers }) => {
    const { epoch } = (await ensemble.health(leader))!;
    const stranded = await RawClient.open(new WebSocketDialer(), ensemble.url(leader));

    for (const other of followers) network.cut(leader, other);
    const outcome = await stranded.create('/never').catch(() => null);
    assert.is(outcome, null);
    await anotherLeads(ensemble, followers, epoch);
    network.heal();
    await ensemble.serving(...ensemble.ids);

    for (const id of ensemble.ids) {
      const reader = await RawClient.open(new WebSocketDialer(), ensemble.url(id));
      assert.is((await reader.exists('/never')).err, ErrorCode.noNode, `at member ${id}`);
      reader.connection.terminate();
    }
  });
});

for (const { title, cut } of [
  {
    title: 'cut off from the leader',
    cut: (network: CuttableProxy, leader: number, follower: number) => network.cut(leader, follower),
  },
  {
    title: 'that does not hear the leader',
    cut: (network: CuttableProxy, leader: number, follower: number) => network.cutOneWay(leader, follower),
  },
  {
    title: 'that the leader does not hear',
    cut: (network: CuttableProxy, leader: number, follower: number) => network.cutOneWay(follower, leader),
  },
]) {
  test(`a follower ${title} serves nothing and disturbs nobody, and comes back`, async () => {
    await play(async ({ ensemble, network, load, leader, followers: [lonely, other] }) => {
      const { epoch } = (await ensemble.health(leader))!;

      cut(network, leader, lonely);
      await servesNothing(ensemble, lonely);
      await load.goesOn(ensemble);

      const healths = await Promise.all([leader, other].map((id) => ensemble.health(id)));
      for (const health of healths) assert.equal([health!.isServing, health!.epoch], [true, epoch]);
    });
  });
}

test('a leader that stands still for longer than the others wait serves nothing stale when it goes on', async () => {
  await play(async ({ ensemble, load, leader, followers }) => {
    const { epoch } = (await ensemble.health(leader))!;
    const inside = await RawClient.open(new WebSocketDialer(), ensemble.url(leader), 40_000);
    await inside.create('/value', 'old');

    ensemble.member(leader).pause();
    await anotherLeads(ensemble, followers, epoch);
    await using client = await connect(ensemble.url(...followers));
    await client.setData('/value', 'new');
    // They lie before the member's door when it wakes.
    const waiting = [
      inside.create('/never').then(({ err }) => assert.unreachable(`it was answered with ${err}`), nothing),
      inside.send(OpCode.sync, { path: '/value' }).catch(nothing),
      inside
        .getData('/value')
        .then(({ body }) => assert.is(Buffer.from(body!.data!).toString(), 'new'), nothing),
    ];
    ensemble.member(leader).resume();
    await Promise.all(waiting);
    await ensemble.serving(...ensemble.ids);

    await load.goesOn(ensemble);
    assert.is(await client.exists('/never'), null);
  });
});

test('with every link cut nobody serves, and nothing is acknowledged; healed, all go on', async () => {
  await play(async ({ ensemble, network, load }) => {
    network.cut(1, 2);
    network.cut(2, 3);
    network.cut(1, 3);
    for (const id of ensemble.ids) await servesNothing(ensemble, id);
    const { acknowledged } = load;
    const patient = createClient(ensemble.url());
    const written = patient.create('/patient');
    // Long enough for several attempts at an election.
    await new Promise((resolve) => setTimeout(resolve, 3_000));
    assert.is(load.acknowledged, acknowledged);

    network.heal();
    await written;
    await patient.close();
    await using reader = await connect(ensemble.url());
    assert.ok(await reader.exists('/patient'));
  });
});

test.run();
