import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ErrorCode, OpCode } from '../../../../core/protocol/index.js';
import { EnsembleWorld } from '../ensemble-world.js';
import type { RawClient } from '../raw-client.js';

const TIMEOUT_MS = 4_000;

/** Two members that do not lead. */
function followersOf(world: EnsembleWorld): [number, number] {
  return world.running.filter((id) => id !== world.leader) as [number, number];
}

async function isThere(world: EnsembleWorld, client: RawClient, path: string): Promise<boolean> {
  return (await world.wait(client.exists(path))).err === ErrorCode.ok;
}

/** Takes up the session of `client` at another member; the agreed timeout, 0 if it is over. */
async function resumeAt(world: EnsembleWorld, id: number, client: RawClient): Promise<[RawClient, number]> {
  const again = await world.dial(id);
  const { timeoutMs } = await world.wait(again.resume(client));
  return [again, timeoutMs];
}

test('a session moves to another member with its ephemerals, and its watches are taken up again', async () => {
  await using world = await EnsembleWorld.start();
  const [from, to] = followersOf(world);
  const client = await world.open(from, TIMEOUT_MS);
  await world.wait(client.create('/mine', null, 1));
  await world.wait(client.create('/changed', 'a'));
  const { zxid } = await world.wait(client.create('/same', 'a'));
  await world.wait(client.getData('/changed', true));
  await world.wait(client.getData('/same', true));

  world.kill(from);
  const other = await world.open(world.leader!);
  await world.wait(other.setData('/changed', 'b'));
  const [again, timeoutMs] = await resumeAt(world, to, client);
  const watches = { dataWatches: ['/changed', '/same'], existWatches: [], childWatches: [] };
  await world.wait(again.send(OpCode.setWatches, { relativeZxid: zxid, ...watches }));

  assert.is(timeoutMs, TIMEOUT_MS);
  assert.is(again.response!.sessionId, client.response!.sessionId);
  assert.ok(again.arrivals.includes('event 3 /changed'));
  assert.not(again.arrivals.includes('event 3 /same'));
  await world.wait(other.setData('/same', 'b'));
  await world.wait(again.send(OpCode.sync, { path: '/' }));
  assert.ok(again.arrivals.includes('event 3 /same'));
  assert.ok(await isThere(world, other, '/mine'));
});

test('wherever it is tried, a session needs its password, and one that is over is told so', async () => {
  await using world = await EnsembleWorld.start();
  const client = await world.open(followersOf(world)[0]);
  const { sessionId, password } = client.response!;

  for (const id of world.running) {
    const thief = await world.dial(id);
    const wrong = password.map((byte) => byte ^ 1);
    assert.is((await world.wait(thief.connect({ sessionId, password: wrong }))).timeoutMs, 0);
  }
  assert.is(client.end, null, 'the session is not disturbed by it');

  await world.wait(client.send(OpCode.closeSession, {}));
  for (const id of world.running) assert.is((await resumeAt(world, id, client))[1], 0);
});

test('a session that moves leaves its old connection closed', async () => {
  await using world = await EnsembleWorld.start();
  const [from, to] = followersOf(world);
  const leader = world.leader!;
  for (const [old, next] of [
    [from, to],
    [leader, to],
    [to, leader],
    [to, to],
  ] as const) {
    const client = await world.open(old);
    const [again] = await resumeAt(world, next, client);
    await world.wait(client.closed);
    assert.is((await world.wait(again.create(`/from-${old}-to-${next}`))).err, ErrorCode.ok);
  }
});

test('what is still asked through the member that a session has left is not carried out', async () => {
  await using world = await EnsembleWorld.start();
  const [from, to] = followersOf(world);
  const client = await world.open(from);
  // The news that it has moved is long under way.
  world.latencies.set(`${world.leader!}-${from}`, 1_000);

  const [again] = await resumeAt(world, to, client);
  const late = client.create('/late').catch(() => 'unknown');
  assert.is(await world.wait(late), 'unknown');

  assert.not(await isThere(world, again, '/late'));
});

test('a session lives on pings through any member, and ends a while after the last one, everywhere at once', async () => {
  await using world = await EnsembleWorld.start();
  const clients = [];
  for (const id of world.running) {
    const client = await world.open(id, TIMEOUT_MS);
    await world.wait(client.create(`/of-${id}`, null, 1));
    clients.push(client);
  }
  for (let time = 0; time < 5 * TIMEOUT_MS; time += 1_300) {
    await world.clock.advance(1_300);
    for (const client of clients) void client.send(OpCode.ping, {});
  }
  assert.equal(
    clients.map(({ end }) => end),
    [null, null, null],
  );

  const silentSince = world.clock.now();
  const watcher = await world.open(world.leader!, 60_000);
  for (const client of clients) await world.wait(client.closed);
  const took = world.clock.now() - silentSince;
  assert.ok(took >= TIMEOUT_MS && took < TIMEOUT_MS + 2_000, `it took ${took} ms`);
  for (const id of world.running) assert.not(await isThere(world, watcher, `/of-${id}`));
  await world.converged();
});

test('nobody expires a session while there is no leader, and a new leader gives it its whole timeout', async () => {
  await using world = await EnsembleWorld.start();
  const leader = world.leader!;
  const [one, other] = followersOf(world);
  const client = await world.open(leader, TIMEOUT_MS);
  await world.wait(client.create('/mine', null, 1));

  world.kill(one);
  world.kill(other);
  await world.clock.advance(5 * TIMEOUT_MS);
  await world.launch(one);
  await world.serving(leader, one);
  await world.clock.advance(TIMEOUT_MS - 100);

  const [again, timeoutMs] = await resumeAt(world, one, client);
  assert.is(timeoutMs, TIMEOUT_MS);
  assert.ok(await isThere(world, again, '/mine'));
});

for (const role of ['follower', 'leader'] as const) {
  test(`a client that got an answer just before its ${role} died has its whole timeout from that answer`, async () => {
    await using world = await EnsembleWorld.start();
    const id = role === 'leader' ? world.leader! : followersOf(world)[0];
    const client = await world.open(id, TIMEOUT_MS);
    await world.wait(client.create('/mine', null, 1));
    await world.clock.advance(TIMEOUT_MS - 100);
    const pongs = (): number => client.arrivals.filter((arrival) => arrival === 'pong').length;
    void client.send(OpCode.ping, {});
    await world.until(() => pongs() === 1);

    world.kill(id);
    await world.serving();
    await world.clock.advance(TIMEOUT_MS - 300);

    const [again, timeoutMs] = await resumeAt(world, world.running[0]!, client);
    assert.is(timeoutMs, TIMEOUT_MS);
    assert.ok(await isThere(world, again, '/mine'));
  });
}

test('a member that cannot tell its leader whom it hears makes nobody expire, for as long as it serves', async () => {
  await using world = await EnsembleWorld.start();
  const leader = world.leader!;
  const [one] = followersOf(world);
  const client = await world.open(one, TIMEOUT_MS);
  await world.wait(client.create('/mine', null, 1));
  await world.clock.advance(TIMEOUT_MS - 400);

  // From here on nothing of what it says arrives, but for the news, after a while, that the link is down.
  world.latencies.set(`${one}-${leader}`, 1e9);
  void client.send(OpCode.ping, {});
  await world.until(() => client.arrivals.includes('pong'));
  const answeredAt = world.clock.now();
  for (let time = 0; time < 2_000; time += 500) {
    void client.send(OpCode.ping, {});
    await world.clock.advance(500);
  }
  const lastAnswerAt = client.end === null ? world.clock.now() - 500 : answeredAt;
  await world.clock.advance(lastAnswerAt + TIMEOUT_MS - 100 - world.clock.now());

  const [again, timeoutMs] = await resumeAt(world, leader, client);
  assert.is(timeoutMs, TIMEOUT_MS);
  assert.ok(await isThere(world, again, '/mine'));
});

test('the sessions of a member that died with all its clients end too', async () => {
  await using world = await EnsembleWorld.start();
  const [one] = followersOf(world);
  const client = await world.open(one, TIMEOUT_MS);
  await world.wait(client.create('/mine', null, 1));
  const watcher = await world.open(world.leader!, 60_000);
  await world.wait(watcher.exists('/mine', true));

  world.kill(one);
  await world.until(() => watcher.arrivals.includes('event 2 /mine'));
  assert.not(await isThere(world, watcher, '/mine'));
});

test('a session id is never given out twice, through whichever member and after restarts', async () => {
  await using world = await EnsembleWorld.start();
  const ids = new Set<bigint>();
  let count = 0;
  for (let round = 0; round < 3; round++) {
    for (const id of world.running) {
      for (let session = 0; session < 3; session++) {
        const { sessionId } = (await world.open(id)).response!;
        assert.is(Number(BigInt.asUintN(64, sessionId) >> 56n), id, 'its first byte is the member');
        ids.add(sessionId);
        count += 1;
      }
    }
    const leader = world.leader!;
    world.kill(leader);
    await world.launch(leader);
    await world.serving();
  }
  assert.is(ids.size, count);
});

test('a client that has seen more than a member has applied is let in when it has caught up, or sent on', async () => {
  await using world = await EnsembleWorld.start();
  const [one] = followersOf(world);
  const client = await world.open(world.leader!);
  const { zxid } = await world.wait(client.create('/a'));

  const ahead = await world.dial(one);
  let refusal = '';
  ahead.connect({ lastZxidSeen: zxid + 1_000n }).catch((error: Error) => (refusal = error.message));
  await world.wait(ahead.closed);
  await world.clock.settle();
  assert.match(refusal, /behind the client/);

  const soon = await world.dial(one);
  const accepted = soon.connect({ lastZxidSeen: zxid + 3n });
  for (let count = 0; count < 3; count++) await world.wait(client.create(`/b${count}`));
  assert.ok((await world.wait(accepted)).timeoutMs > 0);
  assert.ok(await isThere(world, soon, '/b2'));
});

test.run();
