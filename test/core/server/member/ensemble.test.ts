import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ErrorCode, OpCode } from '../../../../core/protocol/index.js';
import { EnsembleWorld } from '../ensemble-world.js';
import type { RawClient } from '../raw-client.js';

const text = (data: Uint8Array | null | undefined): string => Buffer.from(data ?? []).toString();

/** Creates `count` znodes below the root and waits for all. */
async function fill(world: EnsembleWorld, client: RawClient, prefix: string, count: number): Promise<void> {
  const replies = Array.from({ length: count }, (_, index) => client.create(`/${prefix}${index}`));
  for (const reply of replies) assert.is((await world.wait(reply)).err, ErrorCode.ok);
}

async function isThere(world: EnsembleWorld, client: RawClient, path: string): Promise<boolean> {
  return (await world.wait(client.exists(path))).err === ErrorCode.ok;
}

test('three members elect a leader, take writes through each of them, and answer reads on all', async () => {
  await using world = await EnsembleWorld.start();

  for (const id of world.running) {
    const client = await world.open(id);
    assert.is((await world.wait(client.create(`/from-${id}`, 'x'))).err, ErrorCode.ok);
  }
  await world.converged();

  for (const id of world.running) {
    const client = await world.open(id);
    for (const from of world.running) {
      assert.is(text((await world.wait(client.getData(`/from-${from}`))).body?.data), 'x');
    }
  }
});

test('what a client asks of a follower is carried out and answered in its order, reads behind its own writes', async () => {
  await using world = await EnsembleWorld.start();
  const follower = world.running.find((id) => id !== world.leader)!;
  const client = await world.open(follower);
  const acl = [{ perms: 31, id: { scheme: 'world', id: 'anyone' } }];

  const replies = client.sendAll([
    { op: OpCode.create, body: { path: '/a', data: Buffer.from('1'), acl, flags: 0, ttlMs: 0 } },
    { op: OpCode.getData, body: { path: '/a', watch: true } },
    { op: OpCode.setData, body: { path: '/a', data: Buffer.from('2'), version: 0 } },
    { op: OpCode.setData, body: { path: '/a', data: Buffer.from('3'), version: 0 } },
    { op: OpCode.getData, body: { path: '/a', watch: false } },
  ]);
  const [create, first, set, conflict, second] = await world.wait(Promise.all(replies));

  assert.equal(
    [create, first, set, conflict, second].map((reply) => reply!.err),
    [0, 0, 0, ErrorCode.badVersion, 0],
  );
  assert.is(text((first!.body as { data: Uint8Array }).data), '1');
  assert.is(text((second!.body as { data: Uint8Array }).data), '2');
  assert.ok(set!.zxid < conflict!.zxid && conflict!.zxid <= second!.zxid);
  assert.ok(client.arrivals.indexOf('event 3 /a') < client.arrivals.indexOf('reply 3'));
});

test('a sync on a follower sees what was acknowledged to another client before it', async () => {
  await using world = await EnsembleWorld.start();
  const leader = world.leader!;
  const writer = await world.open(leader);
  const reader = await world.open(leader === 1 ? 2 : 1);
  for (let round = 0; round < 10; round++) {
    const { zxid } = await world.wait(writer.create(`/${round}`));
    void reader.send(OpCode.sync, { path: '/' });
    const reply = await world.wait(reader.exists(`/${round}`));
    assert.is(reply.err, ErrorCode.ok);
    assert.ok(reply.zxid >= zxid);
  }
});

test('when the leader dies the others elect another one, and what was acknowledged is there', async () => {
  await using world = await EnsembleWorld.start();
  const first = world.leader!;
  await fill(world, await world.open(first === 1 ? 2 : 1), 'n', 20);

  const diedAt = world.clock.now();
  world.kill(first);
  const second = await world.serving();

  assert.is.not(second, first);
  assert.ok(world.clock.now() - diedAt < 250, `it took ${world.clock.now() - diedAt} ms`);
  const other = await world.open(second);
  for (let count = 0; count < 20; count++) assert.ok(await isThere(world, other, `/n${count}`));
  assert.is((await world.wait(other.create('/after'))).err, ErrorCode.ok);
  await world.converged();
});

test('a leader that stops in order hands over, and no write that it has answered is lost', async () => {
  await using world = await EnsembleWorld.start();
  const first = world.leader!;
  const client = await world.open(first);
  await fill(world, client, 'n', 5);
  const inFlight = Array.from({ length: 50 }, (_, index) => client.create(`/late${index}`));

  await world.stop(first);
  const answered = (await Promise.allSettled(inFlight)).filter(({ status }) => status === 'fulfilled').length;
  const second = await world.serving();

  assert.is(client.end?.code !== undefined, true);
  const other = await world.open(second);
  for (let index = 0; index < answered; index++) assert.ok(await isThere(world, other, `/late${index}`));
  assert.ok(world.log.has(/Role changed/));
  assert.ok(
    world.log.lines.some(({ fields }) => /has handed over/.test(String(fields.because))),
    'no election was needed',
  );
});

test('a client of the library moves on when its member dies, keeps its session, and loses no watch', async () => {
  await using world = await EnsembleWorld.start();
  const client = world.client({ sessionTimeoutMs: 10_000 });
  await world.wait(client.connected());
  const { id } = client.session;
  await world.wait(client.create('/mine', null, { mode: 'ephemeral' }));
  await world.wait(client.create('/watched', 'before'));
  const events: string[] = [];
  const watch = (event: { readonly type: string }): void => void events.push(event.type);
  await world.wait(client.getData('/watched', { watch }));

  for (const member of [...world.running, world.leader!]) {
    world.kill(member);
    await world.serving();
    await world.wait(client.exists('/mine'));
    await world.launch(member);
    await world.serving();
  }
  assert.equal(events, []);
  const other = world.client();
  await world.wait(other.setData('/watched', 'after'));
  await world.wait(client.sync('/'));

  assert.equal(events, ['dataChanged']);
  assert.is(client.session.id, id);
  assert.ok((await world.wait(other.exists('/mine'))) !== null);
  await world.wait(Promise.all([client.close(), other.close()]));
});

test('without a quorum writes stop, clients are cut, and nobody new is let in; with one all goes on', async () => {
  await using world = await EnsembleWorld.start();
  const leader = world.leader!;
  const client = await world.open(leader);
  await fill(world, client, 'n', 3);
  const [one, other] = world.running.filter((id) => id !== leader);

  world.kill(one!);
  world.kill(other!);
  const unknown = client.create('/too-late');
  await world.wait(client.closed);
  assert.is(await unknown.catch(() => 'unknown'), 'unknown');
  assert.is(world.member(leader).health().isServing, false);
  const refused = await world.dial(leader);
  assert.is(await world.wait(refused.connect().catch(() => 'refused')), 'refused');

  await world.launch(one!);
  const next = await world.serving();
  const again = await world.open(next);
  for (let count = 0; count < 3; count++) assert.ok(await isThere(world, again, `/n${count}`));
  await world.converged();
});

test('a leader that is cut off stops serving, and what only it has logged is cut when it comes back', async () => {
  await using world = await EnsembleWorld.start();
  const old = world.leader!;
  const client = await world.open(old);
  await fill(world, client, 'n', 3);

  world.isolate(old);
  const lost = client.create('/only-here').then(
    () => 'acknowledged',
    () => 'unknown',
  );
  const others = world.running.filter((id) => id !== old);
  const next = await world.serving(...others);
  assert.is.not(next, old);
  const writer = await world.open(next);
  assert.is((await world.wait(writer.create('/elsewhere'))).err, ErrorCode.ok);
  assert.is(await world.wait(lost), 'unknown');
  await world.until(() => !world.member(old).health().isServing);
  const { lastLogged, zxid } = world.member(old).health();
  assert.ok(BigInt(lastLogged) > BigInt(zxid), 'it has logged what is not committed');

  world.mend();
  await world.serving();
  await world.converged();
  const reader = await world.open(old);
  assert.not(await isThere(world, reader, '/only-here'));
  assert.ok(await isThere(world, reader, '/elsewhere'));
  assert.not(world.log.has(/Installed a snapshot/), 'it was cut, not replaced');
});

test('a member that was away is brought up to date from the log', async () => {
  await using world = await EnsembleWorld.start();
  const away = world.running.find((id) => id !== world.leader)!;
  world.kill(away);
  await fill(world, await world.open(world.leader!), 'n', 1_500);

  await world.launch(away);
  await world.serving();
  await world.converged();

  assert.ok(await isThere(world, await world.open(away), '/n1499'));
  assert.not(world.log.has(/Installed a snapshot/));
});

/** What a world of three was started with, as ZooKeeper words it. */
const THREE = `${[1, 2, 3].map((id) => `server.${id}=member-${id}:7300:7301:participant\n`).join('')}version=0`;

async function publishedAt(world: EnsembleWorld, id: number): Promise<string> {
  const { body } = await world.wait((await world.open(id)).getData('/zookeeper/config'));
  return new TextDecoder().decode(body!.data);
}

test('a member that was away for longer than the logs reach back gets a snapshot, and keeps it', async () => {
  await using world = await EnsembleWorld.start({ snapshotTxns: 200, absent: [3] });
  const client = await world.open(world.leader!);
  await world.wait(client.create('/mine', null, 1));
  for (let round = 0; round < 6; round++) await fill(world, client, `round${round}-`, 500);

  await world.launch(3);
  await world.serving();
  await fill(world, client, 'after', 10);
  await world.converged();
  assert.ok(world.log.has(/Installed a snapshot/));
  assert.is(await publishedAt(world, 3), THREE);

  world.kill(3);
  await world.launch(3);
  await world.serving();
  await world.converged();
  const reader = await world.open(3);
  assert.is(await publishedAt(world, 3), THREE);
  assert.ok(await isThere(world, reader, '/round5-499'));
  assert.is(
    (await world.wait(reader.exists('/mine'))).body!.stat.ephemeralOwner,
    client.response!.sessionId,
    'ephemerals and sessions come with it',
  );
});

test('an observer serves clients like any member, and its vote is not missed', async () => {
  await using world = await EnsembleWorld.start({ observers: 1 });
  const observer = 4;
  assert.is(world.member(observer).health().state, 'observing');
  const client = await world.open(observer);
  await fill(world, client, 'n', 5);

  world.kill(world.leader!);
  await world.serving();
  const again = await world.open(observer);
  assert.ok(await isThere(world, again, '/n4'));
  await fill(world, again, 'm', 5);
  await world.converged();

  world.kill(world.leader!);
  await world.wait(again.closed);
  await world.clock.advance(10_000);
  assert.equal(world.leader, undefined, 'one voter of three and an observer are no quorum');
  assert.not(world.member(observer).health().isServing);
});

test('a member with another secret is refused, with a log line on both sides, and disturbs nobody', async () => {
  const secrets = { 3: new Uint8Array(32).fill(9) };
  await using world = await EnsembleWorld.launched({ secrets });
  await world.serving(1, 2);
  await world.clock.advance(5_000);

  assert.not(world.member(3).health().isServing);
  assert.equal(world.member(3).health().peers, []);
  const problems = world.log.lines
    .filter(({ level, message }) => level === 'warn' && message === 'Peer link refused')
    .map(({ fields }) => String(fields.problem));
  assert.ok(problems.includes('member 3 has another secret'), problems.join('\n'));
  assert.ok(problems.includes('the other end says: member 3 has another secret'));
  assert.ok(problems.length < 10, 'refusals that repeat themselves are not told again and again');
  await fill(world, await world.open(1), 'n', 5);
});

test.run();
