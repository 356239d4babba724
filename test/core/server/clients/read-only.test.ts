import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ErrorCode, OpCode } from '../../../../core/protocol/index.js';
import { EnsembleWorld } from '../ensemble-world.js';
import type { RawClient } from '../raw-client.js';

const READ_ONLY = { readOnly: true, timeoutMs: 10_000 };

/** Three members, of which one is left alone: without a quorum, but with everything that was committed. */
async function withMinority(
  before: (world: EnsembleWorld, id: number) => Promise<void> = async () => undefined,
): Promise<{ world: EnsembleWorld; alone: number }> {
  const world = await EnsembleWorld.start();
  const alone = world.running.find((id) => id !== world.leader)!;
  const client = await world.open(alone);
  await world.wait(client.create('/a', 'before'));
  await before(world, alone);
  world.isolate(alone);
  await world.until(() => world.member(alone).health().readOnly);
  return { world, alone };
}

async function readerAt(world: EnsembleWorld, id: number): Promise<RawClient> {
  const client = await world.dial(id);
  await world.wait(client.connect(READ_ONLY));
  return client;
}

test('without a quorum, a client that asks to read only gets what was committed before', async () => {
  const { world, alone } = await withMinority();
  await using _ = world;

  const reader = await readerAt(world, alone);

  assert.is(reader.response!.readOnly, true);
  assert.is(Buffer.from((await world.wait(reader.getData('/a'))).body!.data!).toString(), 'before');
  assert.is((await world.wait(reader.exists('/none'))).err, ErrorCode.noNode);
  await world.clock.advance(30_000);
  assert.is(reader.end, null, 'nobody expires a session there');
});

test('a client that wants to write is sent away without an answer, an old one among them', async () => {
  const { world, alone } = await withMinority();
  await using _ = world;
  for (const readOnly of [false, null]) {
    const client = await world.dial(alone);
    void client.connect({ readOnly }).catch(() => undefined);
    await world.wait(client.closed);
    assert.is(client.response, null);
  }
});

test('whatever is no read is refused with not read-only, and the connection goes on', async () => {
  const { world, alone } = await withMinority();
  await using _ = world;
  const reader = await readerAt(world, alone);

  const replies: Promise<{ readonly err: number }>[] = [
    reader.create('/b'),
    reader.setData('/a', 'x'),
    reader.delete('/a'),
    reader.send(OpCode.sync, { path: '/' }),
    reader.send(OpCode.multi, { ops: [{ op: OpCode.delete, body: { path: '/a', version: -1 } }] }),
  ];
  for (const reply of replies) assert.is((await world.wait(reply)).err, ErrorCode.notReadOnly);

  assert.is((await world.wait(reader.exists('/a'))).err, ErrorCode.ok);
  assert.is((await world.wait(reader.send(OpCode.ping, {}))).err, ErrorCode.ok);
});

test('a member with a leader tells a client that may read only that it may write', async () => {
  await using world = await EnsembleWorld.start();
  const client = await readerAt(world, world.leader!);

  assert.is(client.response!.readOnly, false);
  assert.is((await world.wait(client.create('/b'))).err, ErrorCode.ok);
});

test('a session goes to a member that only reads and back, and its ephemeral znodes stay', async () => {
  let owner!: RawClient;
  const { world, alone } = await withMinority(async (all, id) => {
    owner = await all.open(id);
    await all.wait(owner.create('/mine', null, 1));
  });
  await using _ = world;
  const { sessionId, password } = owner.response!;

  const reading = await world.dial(alone);
  const there = await world.wait(reading.connect({ ...READ_ONLY, sessionId, password }));
  assert.equal([there.sessionId, there.readOnly], [sessionId, true]);
  assert.is((await world.wait(reading.exists('/mine'))).err, ErrorCode.ok);
  world.mend();
  await world.wait(reading.closed);
  await world.serving();

  const back = await world.dial(alone);
  const here = await world.wait(back.connect({ ...READ_ONLY, sessionId, password }));
  assert.equal([here.sessionId, here.readOnly], [sessionId, false]);
  assert.is((await world.wait(back.create('/mine/not'))).err, ErrorCode.noChildrenForEphemerals);
});

test('a session that a member without a quorum has made is over for the ensemble', async () => {
  const { world, alone } = await withMinority();
  await using _ = world;
  const reader = await readerAt(world, alone);
  const again = await world.dial(alone);
  const { sessionId, password } = reader.response!;
  assert.is((await world.wait(again.connect({ ...READ_ONLY, sessionId, password }))).sessionId, sessionId);
  world.mend();
  await world.serving();

  const back = await world.dial(alone);

  assert.is((await world.wait(back.connect({ ...READ_ONLY, sessionId, password }))).timeoutMs, 0);
});

test('such a session is closed by its client, one of the ensemble is not', async () => {
  let owner!: RawClient;
  const { world, alone } = await withMinority(async (all, id) => {
    owner = await all.open(id);
  });
  await using _ = world;
  const local = await readerAt(world, alone);
  assert.is((await world.wait(local.send(OpCode.closeSession, {}))).err, ErrorCode.ok);

  const { sessionId, password } = owner.response!;
  const global = await world.dial(alone);
  await world.wait(global.connect({ ...READ_ONLY, sessionId, password }));
  assert.is((await world.wait(global.send(OpCode.closeSession, {}))).err, ErrorCode.notReadOnly);
});

test('a session that the member does not know is neither taken up nor said to be over', async () => {
  let younger!: RawClient;
  const { world, alone } = await withMinority();
  await using _ = world;
  younger = await world.open(world.leader!);
  const { sessionId, password } = younger.response!;

  const client = await world.dial(alone);
  void client.connect({ ...READ_ONLY, sessionId, password }).catch(() => undefined);
  await world.wait(client.closed);

  assert.is(client.response, null);
});

test('who has seen more than the member that was left alone is sent away', async () => {
  const { world, alone } = await withMinority();
  await using _ = world;
  const { zxid } = await world.wait((await world.open(world.leader!)).create('/later'));

  const client = await world.dial(alone);
  void client.connect({ ...READ_ONLY, lastZxidSeen: zxid }).catch(() => undefined);
  await world.wait(client.closed);

  assert.is(client.response, null);
});

test('it can be switched off, and then nobody is served without a quorum', async () => {
  await using world = await EnsembleWorld.start({ readOnly: false });
  const alone = world.running.find((id) => id !== world.leader)!;
  world.isolate(alone);
  await world.until(() => !world.member(alone).health().isServing);
  await world.clock.advance(20_000);

  const client = await world.dial(alone);
  await world.wait(client.closed);

  assert.is(world.member(alone).health().readOnly, false);
});

test('a session that was taken up through a follower stays longer than a handshake may take', async () => {
  await using world = await EnsembleWorld.start({ handshakeMs: 2_000 });
  const [from, to] = world.running.filter((id) => id !== world.leader) as [number, number];
  const client = await world.open(from);
  const again = await world.dial(to);
  await world.wait(again.resume(client));

  await world.clock.advance(5_000);

  assert.is(again.end, null);
});

test.run();
