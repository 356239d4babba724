import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { connect, WatchLimitError } from '../../../../core/client/index.js';
import { ErrorCode, OpCode } from '../../../../core/protocol/index.js';
import { World } from '../world.js';

/** Room for ten watches at paths of about four characters. */
const TEN = 10 * (256 + 4);

const NO_WATCHES = {
  relativeZxid: 0n,
  dataWatches: [],
  existWatches: [],
  childWatches: [],
  persistentWatches: [],
  persistentRecursiveWatches: [],
};

test('a connection with too many watches gets no further one, and everything else of it works', async () => {
  await using world = await World.start({ maxWatchBytes: TEN });
  const [client, other] = [await world.open(), await world.open()];
  await world.wait(client.create('/a'));
  for (let index = 0; index < 10; index++) await world.wait(client.exists(`/n-${index}`, true));

  assert.is((await world.wait(client.exists('/n-x', true))).err, ErrorCode.quotaExceeded);
  const children = client.send(OpCode.getChildren, { path: '/a', watch: true });
  assert.is((await world.wait(children)).err, ErrorCode.quotaExceeded);
  const recursive = client.send(OpCode.addWatch, { path: '/a', mode: 1 });
  assert.is((await world.wait(recursive)).err, ErrorCode.quotaExceeded);
  assert.is((await world.wait(client.exists('/a'))).err, ErrorCode.ok);
  assert.is((await world.wait(client.setData('/a', 'x'))).err, ErrorCode.ok);
  assert.is(
    (await world.wait(other.exists('/a', true))).err,
    ErrorCode.ok,
    'other connections have their own',
  );

  await world.wait(other.create('/n-3'));
  assert.ok(client.arrivals.includes('event 1 /n-3'), 'a watch that is there reports');
  assert.is(
    (await world.wait(client.exists('/n-x', true))).err,
    ErrorCode.noNode,
    'one that fired makes room',
  );
});

test('all connections together have a limit of watches, and one that ends makes room', async () => {
  await using world = await World.start({ maxTotalWatchBytes: TEN });
  const [holder, other] = [await world.open(), await world.open()];
  for (let index = 0; index < 10; index++) await world.wait(holder.exists(`/n-${index}`, true));
  assert.is((await world.wait(other.exists('/n-x', true))).err, ErrorCode.quotaExceeded);

  holder.connection.terminate();
  await world.clock.settle();
  assert.is((await world.wait(other.exists('/n-x', true))).err, ErrorCode.noNode);
});

test('a long path counts with all its bytes', async () => {
  await using world = await World.start({ maxWatchBytes: 5_000 });
  const client = await world.open();
  assert.is((await world.wait(client.exists(`/${'x'.repeat(4_000)}`, true))).err, ErrorCode.noNode);
  assert.is((await world.wait(client.exists(`/${'y'.repeat(1_000)}`, true))).err, ErrorCode.quotaExceeded);
  assert.is((await world.wait(client.exists('/short', true))).err, ErrorCode.noNode);
});

test('a connection that takes up more watches than are allowed ends, so that its client misses no event', async () => {
  await using world = await World.start({ maxWatchBytes: TEN, watchPathsPerTurn: 4 });
  const [client, other] = [await world.open(), await world.open()];
  const existWatches = Array.from({ length: 11 }, (_, index) => `/n-${index}`);
  const reply = await world.wait(client.send(OpCode.setWatches2, { ...NO_WATCHES, existWatches }));
  assert.is(reply.err, ErrorCode.quotaExceeded);
  await world.wait(client.closed);
  const fitting = { ...NO_WATCHES, existWatches: existWatches.slice(0, 9) };
  assert.is((await world.wait(other.send(OpCode.setWatches2, fitting))).err, ErrorCode.ok);
});

test('a persistent watch counts twice when it is taken up again, because it stands in both tables', async () => {
  await using world = await World.start({ maxWatchBytes: TEN });
  const client = await world.open();
  const persistentWatches = Array.from({ length: 6 }, (_, index) => `/n-${index}`);
  const reply = await world.wait(client.send(OpCode.setWatches2, { ...NO_WATCHES, persistentWatches }));
  assert.is(reply.err, ErrorCode.quotaExceeded);
});

test('nothing is left of many watches of a connection that ended, and others keep theirs', async () => {
  await using world = await World.start();
  const [holder, other] = [await world.open(), await world.open()];
  const existWatches = Array.from({ length: 20_000 }, (_, index) => `/n-${index}`);
  await world.wait(holder.send(OpCode.setWatches2, { ...NO_WATCHES, existWatches }));
  await world.wait(other.exists('/n-7', true));
  const figures = (): { readonly watches: number; readonly watchBytes: number } =>
    world.embedded.member.inspection.figures();
  assert.is(figures().watches, 20_001);

  holder.connection.terminate();
  for (let turns = 0; turns < 100 && figures().watches > 1; turns++) await world.wait(other.exists('/'));
  assert.is(figures().watches, 1);
  await world.wait(other.create('/n-7'));
  assert.ok(other.arrivals.includes('event 1 /n-7'));
  assert.is(figures().watchBytes, 0);
});

test('our client rejects a watch beyond the limit as WATCH_LIMIT', async () => {
  await using world = await World.start({ maxWatchBytes: 400 });
  const { embedded, clock } = world;
  const dial: typeof embedded.dialer.dial = (_address, options) =>
    embedded.dialer.dial(embedded.address, options);
  const client = await world.wait(connect('memory://embedded:7300', { dialer: { dial }, clock }));
  await world.wait(client.exists('/a', { watch: () => undefined }));
  const error = await world.wait(
    client.exists('/b', { watch: () => undefined }).catch((failure: unknown) => failure),
  );
  assert.instance(error, WatchLimitError);
  assert.is((error as WatchLimitError).retryable, false);
  assert.is(await world.wait(client.exists('/b')), null);
  await world.wait(client.close());
});

test.run();
