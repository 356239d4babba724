import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Client } from '../../../../core/client/index.js';
import { CacheOverflowError, NodeCache, TreeCache, type CacheEvent } from '../../../../core/recipes/index.js';
import { alteredClient } from '../altered-client.js';
import { breakEverywhere, RecipeWorld, SESSION_TIMEOUT_MS } from '../recipe-world.js';

const text = (data: Uint8Array | null | undefined): string =>
  new TextDecoder().decode(data ?? new Uint8Array());

function contents(cache: TreeCache): Record<string, string> {
  return Object.fromEntries(
    [...cache.snapshot()]
      .map(([path, { data }]) => [path, text(data)])
      .sort(([a], [b]) => (a! < b! ? -1 : 1)),
  );
}

function collect(changes: AsyncIterable<CacheEvent>): string[] {
  const told: string[] = [];
  void (async () => {
    for await (const { type, path } of changes) told.push(`${type} ${path}`);
  })();
  return told;
}

async function plant(client: Client, paths: Readonly<Record<string, string>>): Promise<void> {
  for (const [path, data] of Object.entries(paths)) await client.create(path, data);
}

test('many reads at once are not taken for a leak of listeners', async () => {
  const warnings: string[] = [];
  const onWarning = ({ name }: Error): void => void warnings.push(name);
  process.on('warning', onWarning);
  await RecipeWorld.play(async (world) => {
    const { client } = await world.join();
    await client.create('/wide', '');
    for (let child = 0; child < 40; child++) await client.create(`/wide/${child}`, '');
    await using cache = new TreeCache(client, '/wide').start();
    await cache.ready();
    assert.is(cache.children('/wide').length, 40);
  });
  await new Promise((resolve) => setImmediate(resolve));
  process.off('warning', onWarning);
  assert.equal(warnings, []);
});

test('a subtree is read once and then followed', async () => {
  await RecipeWorld.play(async (world) => {
    const [watching, writing] = [await world.join(), await world.join()];
    await plant(writing.client, { '/app': 'r', '/app/a': '1', '/app/a/deep': '2', '/other': 'x' });
    const cache = new TreeCache(watching.client, '/app').start();
    const told = collect(cache.changes());
    await cache.ready();
    assert.equal(contents(cache), { '/app': 'r', '/app/a': '1', '/app/a/deep': '2' });
    assert.equal(cache.children('/app'), ['a']);
    const before = cache.snapshot();

    await writing.client.setData('/app/a', '1b');
    await writing.client.create('/app/b', '3');
    await writing.client.delete('/app/a/deep');
    await writing.client.setData('/other', 'y');
    await world.sleep(100);

    assert.equal(contents(cache), { '/app': 'r', '/app/a': '1b', '/app/b': '3' });
    assert.equal(cache.children('/app'), ['a', 'b']);
    assert.equal(cache.children('/app/a'), []);
    assert.is(text(before.get('/app/a')?.data), '1');
    assert.equal(told, [
      'created /app',
      'created /app/a',
      'created /app/a/deep',
      'changed /app/a',
      'created /app/b',
      'deleted /app/a/deep',
    ]);
    await cache.close();
    assert.is(cache.state, 'closed');
  });
});

test('a root that does not exist is an empty cache until it does', async () => {
  await RecipeWorld.play(async (world) => {
    const { client } = await world.join();
    const cache = new TreeCache(client, '/app').start();
    await cache.ready();
    assert.is(cache.get('/app'), null);

    await plant(client, { '/app': 'r', '/app/a': '1' });
    await world.until(() => cache.get('/app/a') !== null);

    assert.equal(contents(cache), { '/app': 'r', '/app/a': '1' });
  });
});

test('a cache ends up the same wherever the connection is lost', async () => {
  const breaks = await breakEverywhere(async (world, { client }, plan) => {
    const writing = await world.join();
    await plant(writing.client, { '/app': 'r', '/app/a': '1', '/app/b': '2' });
    plan();
    const cache = new TreeCache(client, '/app').start();
    const told = collect(cache.changes());
    await cache.ready();
    await writing.client.setData('/app/a', '1b');
    await writing.client.delete('/app/b');
    await world.sleep(100);
    await writing.client.create('/app/c', '3');
    const wanted = JSON.stringify({ '/app': 'r', '/app/a': '1b', '/app/c': '3' });
    await world.until(() => JSON.stringify(contents(cache)) === wanted);
    assert.is(told.filter((event) => event === 'created /app/c').length, 1);
    await cache.close();
  });
  assert.ok(breaks >= 4, `only ${breaks} breaks`);
});

test('what changed during an outage, even one that cost the session, is told when it is over', async () => {
  for (const outageMs of [SESSION_TIMEOUT_MS / 2, 3 * SESSION_TIMEOUT_MS]) {
    await RecipeWorld.play(async (world) => {
      const [watching, writing] = [await world.join(), await world.join()];
      await plant(writing.client, { '/app': 'r', '/app/a': '1', '/app/b': '2' });
      const cache = new TreeCache(watching.client, '/app').start();
      await cache.ready();
      const told = collect(cache.changes());

      watching.line.cutOff();
      await world.sleep(outageMs / 2);
      await writing.client.delete('/app/b');
      await writing.client.setData('/app/a', '1b');
      await writing.client.create('/app/c', '3');
      await writing.client.create('/app/fleeting');
      await writing.client.delete('/app/fleeting');
      assert.equal(contents(cache), { '/app': 'r', '/app/a': '1', '/app/b': '2' });
      await world.sleep(outageMs / 2);
      watching.line.rejoin();
      await world.until(() => told.length === 3);
      await world.sleep(1000);

      assert.equal(told, ['deleted /app/b', 'changed /app/a', 'created /app/c']);
      assert.is(cache.state, 'started');
    });
  }
});

test('a depth limit keeps what is deeper out', async () => {
  await RecipeWorld.play(async (world) => {
    const { client } = await world.join();
    await plant(client, { '/app': 'r', '/app/a': '1', '/app/a/deep': '2' });
    const cache = new TreeCache(client, '/app', { maxDepth: 1 }).start();
    await cache.ready();

    await plant(client, { '/app/b': '3', '/app/b/deep': '4' });
    await world.until(() => cache.get('/app/b') !== null);
    await world.sleep(50);

    assert.equal(contents(cache), { '/app': 'r', '/app/a': '1', '/app/b': '3' });
  });
});

test('a cache that does not fit fails with an error that says so, at the start and later', async () => {
  await RecipeWorld.play(async (world) => {
    const { client } = await world.join();
    await plant(client, { '/app': 'r', '/app/a': '1', '/app/b': '2' });
    const tooSmall = new TreeCache(client, '/app', { maxNodes: 2 }).start();
    const justFits = new TreeCache(client, '/app', { maxNodes: 3 }).start();
    const failure = await tooSmall.ready().catch((error: unknown) => error);
    await justFits.ready();

    let thrown: unknown;
    const reading = (async () => {
      for await (const _ of justFits.changes());
    })().catch((error: unknown) => (thrown = error));
    await client.create('/app/c');
    await reading;

    assert.instance(failure, CacheOverflowError);
    assert.instance(thrown, CacheOverflowError);
    assert.is(tooSmall.state, 'failed');
    assert.is(justFits.state, 'failed');
    assert.ok(justFits.get('/app/a') !== null);
  });
});

test('reads under way at once are bounded', async () => {
  await RecipeWorld.play(async (world) => {
    const { client } = await world.join();
    await client.create('/app');
    for (let number = 0; number < 40; number++) await client.create(`/app/${number}`);
    let underWay = 0;
    let most = 0;
    const counting = alteredClient(client, {
      async getData(path) {
        most = Math.max(most, ++underWay);
        return await client.getData(path).finally(() => underWay--);
      },
    });

    const cache = new TreeCache(counting, '/app', { parallelReads: 5 }).start();
    await cache.ready();

    assert.is(cache.snapshot().size, 41);
    assert.is(most, 5);
    await cache.close();
  });
});

test('a slow consumer gets the changes of one znode merged, and never a wrong last one', async () => {
  await RecipeWorld.play(async (world) => {
    const { client } = await world.join();
    await plant(client, { '/app': 'r', '/app/a': '1' });
    const cache = new TreeCache(client, '/app').start();
    await cache.ready();
    const changes = cache.changes();

    for (let value = 2; value <= 50; value++) await client.setData('/app/a', String(value));
    await client.create('/app/b');
    await client.delete('/app/b');
    await world.sleep(100);
    const { value } = await changes.next();
    await changes.return?.();

    assert.is(value?.type, 'changed');
    assert.is(text((value as { node: { data: Uint8Array } }).node.data), '50');
    assert.is(text((value as { previous: { data: Uint8Array } }).previous.data), '1');
    await cache.close();
  });
});

test('after close nothing is watched any more', async () => {
  await RecipeWorld.play(async (world) => {
    const watching = await world.join();
    const writing = await world.join();
    const cache = new TreeCache(watching.client, '/app').start();
    await cache.ready();
    await cache.close();
    await world.sleep(10);
    const before = watching.receivedMessages;

    await writing.client.create('/app');
    await world.sleep(50);

    assert.is(watching.receivedMessages, before);
    assert.throws(() => cache.start(), /closed/);
  });
});

test('the iterators end, and the cache closes, with the client', async () => {
  await RecipeWorld.play(async (world) => {
    const { client } = await world.join();
    const cache = new TreeCache(client, '/app').start();
    await cache.ready();
    let hasEnded = false;
    void (async () => {
      for await (const _ of cache.changes());
      hasEnded = true;
    })();

    await client.close();

    await world.until(() => hasEnded && cache.state === 'closed');
  });
});

test('a node cache follows one znode through its life', async () => {
  await RecipeWorld.play(async (world) => {
    const { client } = await world.join();
    const cache = new NodeCache(client, '/flag').start();
    const told = collect(cache.changes());
    await cache.ready();
    assert.is(cache.current, null);

    await client.create('/flag', 'on');
    await world.until(() => text(cache.current?.data) === 'on');
    await client.create('/flag/child');
    await client.setData('/flag', 'off');
    await world.until(() => text(cache.current?.data) === 'off');
    await client.delete('/flag/child');
    await client.delete('/flag');
    await world.until(() => cache.current === null);

    await world.sleep(10);
    assert.equal(told, ['created /flag', 'changed /flag', 'deleted /flag']);
    await cache.close();
  });
});

test('a node cache of a znode that may not be read fails, and does not take it for one that is not there', async () => {
  await RecipeWorld.play(async (world) => {
    const { client } = await world.join();
    const acl = [{ perms: 2, id: { scheme: 'world', id: 'anyone' } }];
    await client.create('/sealed', 'x', { acl });
    const cache = new NodeCache(client, '/sealed').start();

    const error = await cache.ready().catch((reason: { code: string }) => reason);

    assert.is((error as { code: string }).code, 'NO_AUTH');
    assert.is(cache.state, 'failed');
    await cache.close();
  });
});

test.run();
