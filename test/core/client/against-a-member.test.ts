import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  BadVersionError,
  MultiError,
  NoAuthError,
  NoChildrenForEphemeralsError,
  NodeExistsError,
  NotEmptyError,
  OutcomeUnknownError,
  Permission,
  type Client,
  type WatchNotice,
} from '../../../core/client/index.js';
import { SeededRandom } from '../../../core/runtime/index.js';
import { breakEverywhere, RecipeWorld, SESSION_TIMEOUT_MS } from '../recipes/recipe-world.js';

const text = (bytes: Uint8Array | null): string => new TextDecoder().decode(bytes ?? undefined);
const failureOf = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    (value) => assert.unreachable(`it was expected to reject, but gave ${String(value)}`),
    (error: unknown) => error,
  );

test('every operation does at a member what the door says', async () => {
  await RecipeWorld.play(async (world) => {
    const { client } = await world.join();
    const { path, stat } = await client.create('/a', 'one');
    assert.is(path, '/a');
    assert.is(stat.version, 0);
    assert.is(client.lastZxid, stat.czxid);

    assert.is((await client.setData('/a', 'two', { version: 0 })).version, 1);
    assert.instance(await failureOf(client.setData('/a', 'three', { version: 0 })), BadVersionError);
    assert.is(text((await client.getData('/a')).data), 'two');
    assert.instance(await failureOf(client.create('/a')), NodeExistsError);

    const modes = ['persistent-sequential', 'ephemeral-sequential', 'container'] as const;
    for (const mode of modes) await client.create('/a/n-', null, { mode });
    await client.create('/a/ttl', null, { mode: 'persistent-ttl', ttlMs: 60_000 });
    const { children } = await client.getChildren('/a');
    assert.equal(children, ['n-', 'n-0000000000', 'n-0000000001', 'ttl']);
    assert.equal(await client.getEphemerals(), ['/a/n-0000000001']);
    assert.equal(await client.getEphemerals('/b'), []);
    assert.is(await client.countDescendants('/a'), 4);
    assert.instance(await failureOf(client.create('/a/n-0000000001/x')), NoChildrenForEphemeralsError);
    assert.instance(await failureOf(client.delete('/a')), NotEmptyError);
    await client.sync('/a');
    await client.delete('/a/ttl', { version: 0 });
    assert.is(await client.exists('/a/ttl'), null);
    assert.is((await client.exists('/a'))!.numChildren, 3);
  });
});

test('what an access control list says holds, and an identity is whoever was added', async () => {
  await RecipeWorld.play(async (world) => {
    const [{ client: owner }, { client: stranger }] = [await world.join(), await world.join()];
    await owner.addAuth('digest', 'ann:secret');
    assert.ok((await owner.whoAmI()).some(({ scheme, user }) => scheme === 'digest' && user === 'ann'));
    const acl = [{ perms: Permission.all, id: { scheme: 'auth', id: '' } }];
    await owner.create('/mine', 'x', { acl });
    assert.instance(await failureOf(stranger.getData('/mine')), NoAuthError);
    assert.is((await owner.getAcl('/mine')).acl[0]!.id.scheme, 'digest');
    const opened = await owner.setAcl('/mine', [
      { perms: Permission.read, id: { scheme: 'world', id: 'anyone' } },
      ...acl,
    ]);
    assert.is(opened.aversion, 1);
    assert.is(text((await stranger.getData('/mine')).data), 'x');
    assert.instance(await failureOf(stranger.setData('/mine', 'y')), NoAuthError);
  });
});

test('an identity holds on every connection', async () => {
  await RecipeWorld.play(async (world) => {
    const { client, line } = await world.join();
    await client.addAuth('digest', 'ann:secret');
    await client.create('/mine', 'x', { acl: [{ perms: Permission.all, id: { scheme: 'auth', id: '' } }] });
    for (let round = 0; round < 3; round++) {
      line.loseConnection();
      assert.is(text((await client.getData('/mine')).data), 'x');
    }
  });
});

test('a multi happens wholly or not at all', async () => {
  await RecipeWorld.play(async (world) => {
    const { client } = await world.join();
    const results = await client.multi([
      { type: 'create', path: '/a', data: 'x' },
      { type: 'create', path: '/a/b-', mode: 'persistent-sequential' },
      { type: 'setData', path: '/a', data: 'y' },
      { type: 'check', path: '/a', version: 1 },
    ]);
    assert.equal(
      results.map(({ type }) => type),
      ['create', 'create', 'setData', 'check'],
    );
    const failure = (await failureOf(
      client.multi([
        { type: 'create', path: '/c', mode: 'container' },
        { type: 'delete', path: '/a' },
        { type: 'create', path: '/d' },
      ]),
    )) as MultiError;
    assert.instance(failure, MultiError);
    assert.is(failure.index, 1);
    assert.instance(failure.cause, NotEmptyError);
    assert.is(await client.exists('/c'), null);
    assert.equal(await client.multi([]), []);
  });
});

test('one-shot watches tell what another client did', async () => {
  await RecipeWorld.play(async (world) => {
    const [{ client: watcher }, { client: writer }] = [await world.join(), await world.join()];
    const notices: WatchNotice[] = [];
    const watch = (notice: WatchNotice): void => void notices.push(notice);
    await watcher.exists('/a', { watch });
    const { stat } = await writer.create('/a', 'x');
    await world.until(() => notices.length === 1);
    assert.equal(notices[0], { type: 'created', path: '/a', zxid: stat.czxid });
    await watcher.getData('/a', { watch });
    await watcher.getChildren('/a', { watch });
    await writer.create('/a/b');
    await writer.delete('/a/b');
    await writer.delete('/a');
    await world.until(() => notices.length === 3);
    assert.equal(
      notices.map(({ type }) => type),
      ['created', 'childrenChanged', 'deleted'],
    );
  });
});

test('a change made while the connection was gone still reaches its watch', async () => {
  await RecipeWorld.play(async (world) => {
    const [{ client: watcher, line }, { client: writer }] = [await world.join(), await world.join()];
    await writer.create('/a', 'x');
    await writer.create('/gone');
    const notices: string[] = [];
    const watch = (notice: WatchNotice): void => void notices.push(`${notice.type} ${notice.path}`);
    await watcher.getData('/a', { watch });
    await watcher.exists('/new', { watch });
    await watcher.getChildren('/', { watch });
    await watcher.getData('/gone', { watch });
    await watcher.getChildren('/a', { watch });
    line.cutOff();
    await writer.setData('/a', 'y');
    await writer.create('/new');
    await writer.delete('/gone');
    line.rejoin();
    await watcher.sync('/');
    assert.equal(notices.sort(), ['childrenChanged /', 'created /new', 'dataChanged /a', 'deleted /gone']);
  });
});

test('a stream and a re-read at every armed never lose sight of the truth', async () => {
  await RecipeWorld.play(async (world) => {
    const random = new SeededRandom(5);
    const [{ client: reader, line }, { client: writer }] = [await world.join(), await world.join()];
    await writer.create('/tree');
    const known = new Map<string, string>();
    const stop = new AbortController();
    const read = async (path: string): Promise<void> => {
      const { data } = await reader.getData(path);
      known.set(path, text(data));
    };
    const readAll = async (): Promise<void> => {
      known.clear();
      const { children } = await reader.getChildren('/tree');
      for (const child of children) await read(`/tree/${child}`).catch(() => undefined);
    };
    const following = (async () => {
      for await (const event of reader.watch('/tree', { recursive: true, signal: stop.signal })) {
        if (event.type === 'armed') await readAll();
        else if (event.path === '/tree') continue;
        else if (event.type === 'deleted') known.delete(event.path);
        else await read(event.path).catch(() => known.delete(event.path));
      }
    })();

    for (let step = 0; step < 300; step++) {
      const path = `/tree/${Math.floor(random.next() * 8)}`;
      const chance = random.next();
      if (chance < 0.4) await writer.create(path, String(step)).catch(() => undefined);
      else if (chance < 0.7) await writer.setData(path, String(step)).catch(() => undefined);
      else if (chance < 0.9) await writer.delete(path).catch(() => undefined);
      else if (chance < 0.97) line.loseConnection();
      else await world.expire({ client: reader, line });
    }

    const truth = new Map<string, string>();
    for (const child of (await writer.getChildren('/tree')).children) {
      truth.set(`/tree/${child}`, text((await writer.getData(`/tree/${child}`)).data));
    }
    const sorted = (map: Map<string, string>): string =>
      [...map]
        .map((entry) => entry.join('='))
        .sort()
        .join();
    await world.until(() => sorted(known) === sorted(truth), 10_000);
    stop.abort();
    await following;
  });
});

test('the last stream at a path takes its registration off the member', async () => {
  await RecipeWorld.play(async (world) => {
    const [{ client, requests }, { client: writer }] = [await world.join(), await world.join()];
    for (const recursive of [false, true]) {
      for await (const { type } of client.watch('/a', { recursive })) if (type === 'armed') break;
    }
    await client.sync('/');
    const received: number[] = [];
    const before = requests.length;
    await writer.create('/a');
    await client.sync('/');
    received.push(requests.length - before);
    assert.equal(received, [1]);
  });
});

test('a create of a unique name happens exactly once, wherever the connection breaks', async () => {
  for (const mode of ['ephemeral-sequential', 'persistent-sequential', 'ephemeral'] as const) {
    const breaks = await breakEverywhere(async (world, { client }, plan) => {
      const { client: other } = await world.join();
      await other.create('/locks');
      plan();
      const { path, stat } = await client.create('/locks/_c_1-', 'x', { mode, uniqueName: true });
      const { children } = await other.getChildren('/locks');
      assert.equal(
        children.map((child) => `/locks/${child}`),
        [path],
      );
      assert.is((await other.exists(path))!.czxid, stat.czxid);
    });
    assert.ok(breaks >= 2, `${breaks} breaks`);
  }
});

test('missing parents are made exactly once, wherever the connection breaks', async () => {
  const breaks = await breakEverywhere(async (world, { client }, plan) => {
    plan();
    const options = { mode: 'ephemeral-sequential', uniqueName: true, createParents: true } as const;
    const { path } = await client.create('/a/b/c/n-', 'x', options);
    assert.equal((await client.getChildren('/a/b/c')).children, [path.slice('/a/b/c/'.length)]);
    assert.is(await client.countDescendants('/a'), 3);
    await world.sleep(0);
  });
  assert.ok(breaks >= 8, `${breaks} breaks`);
});

/** Writers that count what they were told; then the tree must agree with every one of them. */
async function hammer(seed: number): Promise<number> {
  let unknown = 0;
  await RecipeWorld.play(async (world) => {
    const random = new SeededRandom(seed);
    const broken = await world.join();
    const { client } = broken;
    const { client: judge } = await world.join();
    await judge.create('/n');
    const outcomes = new Map<string, 'made' | 'unknown'>();
    const order: number[] = [];
    const write = async (name: string, index: number): Promise<void> => {
      try {
        await client.create(`/n/${name}`);
        outcomes.set(name, 'made');
        order.push(index);
      } catch (error) {
        assert.instance(error, OutcomeUnknownError);
        outcomes.set(name, 'unknown');
      }
    };
    const writes: Promise<void>[] = [];
    for (let index = 0; index < 200; index++) {
      writes.push(write(`w${index}`, index));
      if (random.next() < 0.3) await world.sleep(0);
      if (random.next() < 0.1) {
        broken.breakAt(random.next() < 0.5 ? 'request' : 'reply', 1 + Math.floor(random.next() * 3));
      }
    }
    await Promise.all(writes);
    await judge.sync('/n');
    const { children } = await judge.getChildren('/n');
    for (const [name, outcome] of outcomes) {
      if (outcome === 'made') assert.ok(children.includes(name), `${name} was answered but is not there`);
      else unknown += 1;
    }
    assert.equal(
      order,
      [...order].sort((a, b) => a - b),
    );
    const czxids = await Promise.all(
      children.map(async (name) => ({ name, stat: await judge.exists(`/n/${name}`) })),
    );
    const made = czxids
      .sort((a, b) => Number(a.stat!.czxid - b.stat!.czxid))
      .map(({ name }) => Number(name.slice(1)));
    assert.equal(
      made,
      [...made].sort((a, b) => a - b),
      'writes took effect out of order',
    );
  });
  return unknown;
}

test('through lost connections, what was answered is there, and writes take effect in the order they were made', async () => {
  let unknown = 0;
  for (let seed = 1; seed <= 10; seed++) unknown += await hammer(seed);
  assert.ok(unknown > 10, `only ${unknown} writes had an unknown outcome: too little was disturbed`);
});

test('ephemerals outlive a lost connection and end with the session, at once when it is closed', async () => {
  await RecipeWorld.play(async (world) => {
    const [one, two] = [await world.join(), await world.join()];
    const { client: judge } = await world.join();
    await one.client.create('/one', null, { mode: 'ephemeral' });
    await two.client.create('/two', null, { mode: 'ephemeral' });
    one.line.loseConnection();
    await one.client.sync('/');
    assert.ok(await judge.exists('/one'));
    await one.client.close();
    assert.is(await judge.exists('/one'), null);

    const { signal } = two.client.session;
    const lostAt = new Promise<number>((resolve) =>
      signal.addEventListener('abort', () => resolve(world.clock.now()), { once: true }),
    );
    const goneAt = new Promise<number>((resolve) => {
      const watch = (): void => resolve(world.clock.now());
      void judge.exists('/two', { watch });
    });
    two.line.cutOff();
    assert.ok((await lostAt) < (await goneAt), 'the holder must know before anybody else');
    two.line.rejoin();
    await two.client.connected();
    assert.is(two.client.session.epoch, 2);
  });
});

test('a session of its own is never taken over by another client', async () => {
  await RecipeWorld.play(async (world) => {
    const clients: Client[] = [];
    for (let count = 0; count < 5; count++) clients.push((await world.join()).client);
    assert.is(new Set(clients.map(({ session }) => session.id)).size, 5);
    assert.ok(clients.every(({ session }) => session.timeoutMs === SESSION_TIMEOUT_MS));
  });
});

test.run();
