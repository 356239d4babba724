import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ErrorCode, OpCode } from '../../../../core/protocol/index.js';
import { SecretRing } from '../../../../core/server/configuration/secret-ring.js';
import { SessionPasswords } from '../../../../core/server/clients/session-passwords.js';
import { World } from '../world.js';

test('a session whose client is silent expires after its timeout and takes its ephemerals along', async () => {
  await using world = await World.start();
  const [silent, other] = [await world.open(4_000), await world.open(40_000)];
  await world.wait(silent.create('/e', null, 1));
  await world.wait(other.exists('/e', true));

  await world.clock.advance(3_900);
  assert.is(silent.end, null);
  await world.wait(silent.closed);

  assert.ok(world.clock.now() < 6_000, `it took until ${world.clock.now()} ms`);
  await world.clock.settle();
  assert.ok(other.arrivals.includes('event 2 /e'));
  assert.is((await world.wait(other.exists('/e'))).err, ErrorCode.noNode);
});

test('a session lives on pings alone, and over the loss of its connection', async () => {
  await using world = await World.start();
  const client = await world.open(4_000);
  await world.wait(client.create('/e', null, 1));
  for (let time = 0; time < 20_000; time += 1_500) {
    void client.send(OpCode.ping, {});
    await world.clock.advance(1_500);
  }
  client.connection.terminate();
  await world.clock.advance(2_500);

  const again = await world.dial();
  await world.wait(again.resume(client));

  assert.is((await world.wait(again.exists('/e'))).err, 0);
});

test('closeSession is answered, then the connection ends; all ephemerals go in one transaction', async () => {
  await using world = await World.start();
  const [leaving, other] = [await world.open(), await world.open()];
  await world.wait(leaving.create('/p'));
  await world.wait(leaving.create('/q'));
  await world.wait(leaving.create('/p/e', null, 1));
  await world.wait(leaving.create('/q/e', null, 1));

  const reply = await world.wait(leaving.send(OpCode.closeSession, {}));
  const end = await world.wait(leaving.closed);

  assert.equal([reply.err, end.code], [0, 1000]);
  const stats = await world.wait(Promise.all([other.exists('/p'), other.exists('/q')]));
  assert.is(stats[0].body!.stat.numChildren, 0);
  assert.is(stats[0].body!.stat.pzxid, reply.zxid);
  assert.is(stats[1].body!.stat.pzxid, reply.zxid);
});

test('what is sent behind closeSession has no effect', async () => {
  await using world = await World.start();
  const [leaving, other] = [await world.open(), await world.open()];
  const acl = [{ perms: 31, id: { scheme: 'world', id: 'anyone' } }];
  void leaving.sendAll([
    { op: OpCode.closeSession, body: {} },
    { op: OpCode.create, body: { path: '/late', data: null, acl, flags: 1, ttlMs: 0 } },
  ]);
  await world.wait(leaving.closed);
  assert.equal(leaving.arrivals, ['connected', 'reply 1']);
  assert.is((await world.wait(other.exists('/late'))).err, ErrorCode.noNode);
});

test('after a pause of the process clients are heard before anybody is expired', async () => {
  await using world = await World.start({ tickMs: 500 });
  const client = await world.open(2_000);
  await world.wait(client.create('/e', null, 1));
  // The process stands still: nothing runs, while a ping of the client lies in its socket.
  const tick = world.clock.setTimer.bind(world.clock);
  world.clock.setTimer = (delayMs, task) => tick(delayMs < 1_000 ? delayMs + 10_000 : delayMs, task);
  await world.clock.advance(600);
  world.clock.setTimer = tick;
  await world.clock.advance(9_000);
  void client.send(OpCode.ping, {});
  await world.clock.advance(1_500);

  assert.is(client.end, null);
  assert.is((await world.wait(client.exists('/e'))).err, 0);
});

test('sessions outlive a restart with a whole timeout, and expire in the new run if nobody comes', async () => {
  const before = await World.start();
  const client = await before.open(4_000);
  await before.wait(client.create('/e', null, 1));
  await before.clock.advance(3_000);
  await using world = await before.restart();
  const watcher = await world.open(40_000);

  await world.clock.advance(3_000);
  assert.is((await world.wait(watcher.exists('/e', true))).err, 0);
  await world.clock.runUntil(() => watcher.arrivals.includes('event 2 /e'), 5_000);
});

test('session ids never repeat, not even across restarts with the clock set back', async () => {
  const ids = new Set<bigint>();
  let world = await World.start();
  for (let run = 0; run < 4; run++) {
    for (let count = 0; count < 5; count++) {
      const client = await world.open();
      ids.add(client.response!.sessionId);
      await world.wait(client.send(OpCode.closeSession, {}));
    }
    world.clock.jumpWall(-3_600_000);
    world = await world.restart();
  }
  await world.close();
  assert.is(ids.size, 20);
});

test('a password belongs to one session and one secret', () => {
  const of = (fill: number): SessionPasswords =>
    new SessionPasswords(new SecretRing([new Uint8Array(32).fill(fill)]));
  const password = of(1).passwordOf(5n);
  assert.ok(of(1).isPassword(5n, password));
  assert.not(of(1).isPassword(6n, password));
  assert.not(of(2).isPassword(5n, password));
  assert.not(of(1).isPassword(5n, password.subarray(0, 15)));
});

test('a password belongs to one ensemble id, and one of a session that is older than the id stays valid', () => {
  const secrets = new SecretRing([new Uint8Array(32).fill(1)]);
  const of = (id: string | null): SessionPasswords =>
    new SessionPasswords(secrets, () => (id === null ? null : { id, since: 0x2_0000_0000n }));
  const [none, one, other] = [of(null), of('1'.repeat(32)), of('2'.repeat(32))];
  const late = 0x2_0000_0005n;
  for (const issuer of [none, one, other]) {
    const password = issuer.passwordOf(late);
    for (const verifier of [none, one, other])
      assert.is(verifier.isPassword(late, password), verifier === issuer);
  }
  assert.ok(one.isPassword(0x1_0000_0005n, none.passwordOf(0x1_0000_0005n)));
});

test('the first secret of a ring signs, each of them verifies, and one that was taken out does not', () => {
  const [old, renewed] = [1, 2].map((fill) => new Uint8Array(32).fill(fill));
  const ring = new SecretRing([old!, renewed!]);
  const sessions = new SessionPasswords(ring);
  const early = sessions.passwordOf(5n);
  ring.replace([renewed!, old!]);
  const late = sessions.passwordOf(5n);
  assert.not.equal(early, late);
  assert.ok(sessions.isPassword(5n, early) && sessions.isPassword(5n, late));
  ring.replace([renewed!]);
  assert.equal([sessions.isPassword(5n, early), sessions.isPassword(5n, late)], [false, true]);
  ring.learn(2, old!);
  assert.ok(sessions.isPassword(5n, early));
  assert.equal(sessions.passwordOf(5n), late);
});

test.run();
