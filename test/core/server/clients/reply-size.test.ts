import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  connect,
  ReplyTooLargeError,
  RequestTooLargeError,
  retry,
  type Client,
} from '../../../../core/client/index.js';
import { ErrorCode, JuteWriter, OpCode, writeReply, type Reply } from '../../../../core/protocol/index.js';
import { World } from '../world.js';

const LIMIT = 20_000;
const big = 'x'.repeat(6_000);

const getData = { op: OpCode.getData, body: { path: '/big', watch: false } } as const;
const getChildren = { op: OpCode.getChildren, body: { path: '/list', watch: false } } as const;

async function worldWithLimit(maxReplyBytes = LIMIT): Promise<World> {
  const world = await World.start({ maxReplyBytes, maxPacketBytes: 10_000 });
  const client = await world.open();
  await world.wait(client.create('/big', big));
  await world.wait(client.create('/list'));
  return world;
}

/** Bytes of a reply, without its length field. */
function sizeOf(reply: Reply): number {
  const writer = new JuteWriter();
  writeReply(writer, { xid: 1, zxid: 1n, err: ErrorCode.ok }, reply);
  return writer.length - 4;
}

test('a multiRead with too large a reply fails alone, with size and limit', async () => {
  await using world = await worldWithLimit();
  const [client, other] = [await world.open(), await world.open()];
  const ops = Array.from({ length: 100 }, () => getData);
  const before = client.send(OpCode.getData, getData.body);
  const bomb = client.send(OpCode.multiRead, { ops });
  const behind = client.setData('/big', 'small');
  const elsewhere = other.exists('/list');
  assert.is((await world.wait(before)).err, ErrorCode.ok);
  assert.is((await world.wait(bomb)).err, ErrorCode.marshallingError);
  assert.is((await world.wait(behind)).err, ErrorCode.ok);
  assert.is((await world.wait(elsewhere)).err, ErrorCode.ok);
  assert.is(client.end, null);
});

test('a reply of exactly the limit is sent, and one byte more is refused', async () => {
  const answers = async (limit: number): Promise<{ readonly err: number; readonly bytes: number }> => {
    await using world = await worldWithLimit(limit);
    const client = await world.open();
    for (const name of ['a', 'käse', '日本']) await world.wait(client.create(`/list/${name}`));
    const ops = [
      getData,
      getChildren,
      { op: OpCode.getData, body: { path: '/none', watch: false } },
    ] as const;
    const { err, body } = await world.wait(client.send(OpCode.multiRead, { ops }));
    return { err, bytes: body === null ? 0 : sizeOf({ op: OpCode.multiRead, body }) };
  };
  const { err, bytes } = await answers(LIMIT);
  assert.is(err, ErrorCode.ok);
  assert.equal(await answers(bytes), { err: ErrorCode.ok, bytes });
  assert.equal(await answers(bytes - 1), { err: ErrorCode.marshallingError, bytes: 0 });
});

for (const op of [OpCode.getChildren, OpCode.getChildren2]) {
  test(`a list of children of exactly the limit is sent, one byte more is refused (operation ${op})`, async () => {
    const answers = async (limit: number): Promise<{ readonly err: number; readonly bytes: number }> => {
      await using world = await worldWithLimit(limit);
      const client = await world.open();
      for (let index = 0; index < 30; index++) {
        await world.wait(client.create(`/list/${'ä'.repeat(30)}${index}`));
      }
      const { err, body } = await world.wait(client.send(op, { path: '/list', watch: false }));
      return { err, bytes: body === null ? 0 : sizeOf({ op, body } as Reply) };
    };
    const { err, bytes } = await answers(LIMIT);
    assert.is(err, ErrorCode.ok);
    assert.equal(await answers(bytes), { err: ErrorCode.ok, bytes });
    assert.equal(await answers(bytes - 1), { err: ErrorCode.marshallingError, bytes: 0 });
  });
}

test('a list of ephemerals and an ACL that are too large are refused', async () => {
  await using world = await worldWithLimit(1_500);
  const client = await world.open();
  for (let index = 0; index < 20; index++) {
    await world.wait(client.create(`/${'e'.repeat(100)}${index}`, null, 1));
  }
  const list = await world.wait(client.send(OpCode.getEphemerals, { prefixPath: '' }));
  assert.is(list.err, ErrorCode.marshallingError);
  const few = await world.wait(client.send(OpCode.getEphemerals, { prefixPath: `/${'e'.repeat(100)}1` }));
  assert.is(few.body?.ephemerals.length, 11);

  const acl = Array.from({ length: 100 }, (_, index) => ({
    perms: 31,
    id: { scheme: 'ip', id: `10.0.0.${index}` },
  }));
  acl.push({ perms: 31, id: { scheme: 'world', id: 'anyone' } });
  const set = await world.wait(client.send(OpCode.setAcl, { path: '/list', acl, version: -1 }));
  assert.is(set.err, ErrorCode.ok);
  assert.is(
    (await world.wait(client.send(OpCode.getAcl, { path: '/list' }))).err,
    ErrorCode.marshallingError,
  );
});

async function clientOf(world: World): Promise<Client> {
  const { embedded, clock } = world;
  return world.wait(
    connect('memory://embedded:7300', {
      dialer: { dial: (_address, options) => embedded.dialer.dial(embedded.address, options) },
      clock,
    }),
  );
}

test('our client rejects a read with too large a reply as REPLY_TOO_LARGE, and no retry repeats it', async () => {
  await using world = await worldWithLimit();
  const client = await clientOf(world);
  const filler = await world.open();
  for (let index = 0; index < 30; index++) {
    await world.wait(filler.create(`/list/${'n'.repeat(800)}${index}`));
  }
  let attempts = 0;
  const attempt = (): Promise<unknown> => {
    attempts += 1;
    return client.getChildren('/list');
  };
  const states: string[] = [];
  client.onState((state) => void states.push(state));
  const writes = Promise.all([client.setData('/list', 'a'), client.setData('/list', 'b')]);
  const error = await world.wait(
    retry(attempt).then(
      () => null,
      (failure: unknown) => failure,
    ),
  );
  assert.instance(error, ReplyTooLargeError);
  const { code, retryable, fields, path, message } = error as ReplyTooLargeError;
  assert.is(code, 'REPLY_TOO_LARGE');
  assert.is(retryable, false);
  assert.is(path, '/list');
  assert.is(fields.limit, LIMIT);
  assert.ok(Number(fields.bytes) > LIMIT);
  assert.match(message, new RegExp(`${LIMIT}`));
  assert.is(attempts, 1);
  await world.wait(writes);
  assert.equal(states, [], 'the connection stays');
  await world.wait(client.close());
});

test('a large read is refused as throttled while slow clients hold too much output, and works afterwards', async () => {
  await using world = await World.start({
    maxTotalOutputBytes: 60_000,
    outputHighWaterBytes: 1_000,
    maxSessionMs: 600_000,
  });
  const [slow, other] = [await world.open(600_000), await world.open(600_000)];
  await world.wait(other.create('/big', 'x'.repeat(40_000)));
  await world.wait(other.create('/small', 'x'));
  slow.connection.pause();
  const taken = slow.getData('/big');
  await world.clock.settle();

  assert.is((await world.wait(other.getData('/big'))).err, ErrorCode.throttledOp);
  assert.is((await world.wait(other.getData('/small'))).err, ErrorCode.ok);
  assert.is((await world.wait(other.setData('/small', 'y'))).err, ErrorCode.ok);

  slow.connection.resume();
  assert.is((await world.wait(taken)).body?.data?.length, 40_000);
  assert.is((await world.wait(other.getData('/big'))).err, ErrorCode.ok);
});

test('identities of a connection that take too many bytes are refused, and those that fit are not', async () => {
  await using world = await World.start();
  const [large, small] = [await world.open(), await world.open()];
  const auth = (user: string): { type: number; scheme: string; auth: Uint8Array } => ({
    type: 0,
    scheme: 'digest',
    auth: Buffer.from(`${user}:secret`),
  });
  assert.is((await world.wait(small.send(OpCode.auth, auth('u'.repeat(60_000))))).err, ErrorCode.ok);
  assert.is((await world.wait(large.send(OpCode.auth, auth('u'.repeat(70_000))))).err, ErrorCode.authFailed);
  await world.wait(large.closed);
  assert.is((await world.wait(small.exists('/'))).err, ErrorCode.ok);
});

test('a member with larger packets tells our client, which sends a znode of that size and refuses a larger one', async () => {
  await using world = await World.start({ maxPacketBytes: 3_000_000 });
  const client = await clientOf(world);
  await world.wait(client.create('/big', new Uint8Array(2_500_000)));
  assert.is((await world.wait(client.getData('/big'))).data?.length, 2_500_000);
  const tooLarge = client.create('/bigger', new Uint8Array(3_000_000)).catch((error: unknown) => error);
  assert.instance(await world.wait(tooLarge), RequestTooLargeError);
  await world.wait(client.close());
});

test.run();
