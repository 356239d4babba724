import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { decodeTxn, StateMachine } from '../../../../core/data/index.js';
import { ASKS_FOR_LIMIT, type ConnectResponse } from '../../../../core/protocol/index.js';
import { SecretRing } from '../../../../core/server/configuration/index.js';
import { SessionPasswords } from '../../../../core/server/clients/session-passwords.js';
import { FileStorage } from '../../../../core/storage/index.js';
import { EnsembleWorld } from '../ensemble-world.js';
import { OLD_SESSION } from '../founded-directory.js';

function lose(world: EnsembleWorld, id: number): void {
  const disk = world.disks.get(id)!;
  for (const name of disk.names()) disk.forget(name);
}

function idsOf(world: EnsembleWorld): (string | null)[] {
  return [...new Set(world.running.map((id) => world.member(id).health().ensemble))];
}

async function killAll(world: EnsembleWorld): Promise<void> {
  // Everybody has applied everything by then, and made durable.
  await world.converged();
  for (const id of world.running) world.kill(id);
}

test('all members of a new ensemble have one id, and keep it over restarts', async () => {
  await using world = await EnsembleWorld.start({ observers: 1 });
  await world.open(world.leader!);
  await world.converged();
  const [id, ...others] = idsOf(world);
  assert.match(id!, /^[0-9a-f]{32}$/);
  assert.equal(others, []);
  await killAll(world);
  for (const member of [1, 2, 3, 4]) await world.launch(member);
  await world.serving();
  assert.equal(idsOf(world), [id]);
});

test('a member that is known to hold acknowledged transactions knows its ensemble before it has a leader', async () => {
  await using world = await EnsembleWorld.start({});
  await world.open(world.leader!);
  await world.converged();
  const [id] = idsOf(world);
  await killAll(world);
  await world.launch(1);
  assert.is(world.member(1).health().ensemble, id);
});

test('a reader that applies every entry with bytes rebuilds digest and id of a member from its log', async () => {
  await using world = await EnsembleWorld.start({});
  for (let n = 0; n < 4; n++) await world.open(world.leader!);
  await world.converged();
  const { digest, identity, lastZxid } = world.machines.get(1)!;
  await killAll(world);
  const storage = await FileStorage.open({ disk: world.disks.get(1)! });
  const { entries } = await storage.recover();
  await storage.close();
  const rebuilt = new StateMachine();
  for (const { zxid, payload } of entries) {
    if (payload.length === 0) rebuilt.advanceTo(zxid);
    else rebuilt.apply(zxid, decodeTxn(payload));
  }
  assert.equal([rebuilt.lastZxid, rebuilt.digest, rebuilt.identity], [lastZxid, digest, identity]);
  assert.is.not(identity, null);
});

test('an empty member takes the id of the ensemble that admits it, from the log as from a snapshot', async () => {
  for (const snapshotTxns of [100_000, 3]) {
    await using world = await EnsembleWorld.start({ snapshotTxns });
    const leader = world.leader!;
    for (let n = 0; n < 8; n++) await world.open(leader);
    await world.converged();
    const [id] = idsOf(world);
    const wiped = world.running.find((other) => other !== leader)!;
    world.kill(wiped);
    lose(world, wiped);
    await world.launch(wiped);
    assert.is(world.member(wiped).health().ensemble, null);
    await world.serving();
    assert.equal(idsOf(world), [id]);
  }
});

test('voters founded anew refuse an observer with the history of their first life, on both sides', async () => {
  await using world = await EnsembleWorld.start({ observers: 1 });
  for (let n = 0; n < 5; n++) await world.open(world.leader!);
  await world.converged();
  const [first] = idsOf(world);
  await killAll(world);
  for (const id of [1, 2, 3]) {
    lose(world, id);
    await world.launch(id);
  }
  await world.serving(1, 2, 3);
  const [second] = idsOf(world);
  assert.is.not(second, first);
  for (let n = 0; n < 9; n++) await world.open(world.leader!);

  await world.launch(4);
  await world.until(
    () =>
      world.member(4).health().foreign.length === 3 &&
      [1, 2, 3].every((id) => world.member(id).health().foreign.length === 1),
  );
  const { isServing, foreign, ensemble } = world.member(4).health();
  assert.equal([isServing, ensemble], [false, first]);
  assert.equal(
    foreign.map((other) => other.ensemble),
    [second, second, second],
  );
  for (const id of [1, 2, 3]) {
    assert.equal(world.member(id).health().foreign, [{ member: 4, ensemble: first }]);
    assert.ok(world.member(id).health().isServing);
  }
  assert.ok(
    world.log.lines.some(
      ({ message, fields }) =>
        message === 'Peer link refused' && /empty data directory/.test(fields.problem as string),
    ),
  );
  await world.clock.advance(20_000);
  assert.not(world.member(4).health().isServing);

  await world.stop(4);
  lose(world, 4);
  await world.launch(4);
  await world.serving();
  assert.equal(idsOf(world), [second]);
  assert.equal(world.member(1).health().foreign, []);
});

test('an ensemble founded anew with the same secret issues other session ids, and takes no session of its first life', async () => {
  await using world = await EnsembleWorld.start({});
  const old: ConnectResponse[] = [];
  for (let n = 0; n < 6; n++) old.push((await world.open(1)).response!);
  await killAll(world);
  for (const id of [1, 2, 3]) {
    lose(world, id);
    await world.launch(id);
  }
  await world.serving();
  const ids = new Set(old.map(({ sessionId }) => sessionId));
  const passwords = new Set(old.map(({ password }) => Buffer.from(password).toString('hex')));
  for (let n = 0; n < 6; n++) {
    const { sessionId, password } = (await world.open(1)).response!;
    assert.not(ids.has(sessionId));
    assert.not(passwords.has(Buffer.from(password).toString('hex')));
  }
  for (const { sessionId, password } of old) {
    const client = await world.dial(1);
    await world.wait(client.connect({ timeoutMs: 10_000, sessionId, password }));
    assert.is(client.response!.sessionId, 0n, 'it is told that its session is over');
  }
});

test('an ensemble without an id gets one when its members have met and lead anew, and old sessions go on', async () => {
  await using world = await EnsembleWorld.start({ isOld: true });
  const passwords = new SessionPasswords(new SecretRing([new Uint8Array(32).fill(3)]));
  const resumes = async (): Promise<void> => {
    const client = await world.dial(world.leader!);
    const password = passwords.passwordOf(OLD_SESSION);
    await world.wait(client.connect({ timeoutMs: 40_000, sessionId: OLD_SESSION, password }));
    assert.is(client.response!.sessionId, OLD_SESSION);
  };
  await resumes();
  await world.until(() => world.running.every((id) => world.member(id).health().peers.length === 2));
  const leader = world.leader!;
  world.kill(leader);
  await world.until(() => world.leader !== undefined);
  await world.launch(leader);
  await world.serving();
  const [id, ...others] = idsOf(world);
  assert.match(id!, /^[0-9a-f]{32}$/);
  assert.equal(others, []);
  await resumes();
});

test('a client learns the id of the ensemble if it asks for it, and a client of ZooKeeper gets no byte more', async () => {
  await using world = await EnsembleWorld.start({});
  const [id] = idsOf(world);
  const asking = await world.dial(1);
  await world.wait(asking.connect({ timeoutMs: 10_000, protocolVersion: ASKS_FOR_LIMIT }));
  assert.is(asking.response!.ensembleId, id);
  const other = await world.open(1);
  assert.is(other.response!.ensembleId, undefined);
  const client = world.client();
  await world.wait(client.connected());
  assert.is(client.session.ensembleId, id);
  await world.wait(client.close());
});

test.run();
