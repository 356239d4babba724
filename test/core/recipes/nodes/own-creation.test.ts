import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { OutcomeUnknownError, RequestQueueFullError, type Client } from '../../../../core/client/index.js';
import { createOwnNode } from '../../../../core/recipes/nodes/own-creation.js';
import { FairLock, Semaphore, type Lock } from '../../../../core/recipes/index.js';
import { alteredClient, givenUpWhileCreating } from '../altered-client.js';
import { RecipeWorld } from '../recipe-world.js';

/** The first answer about an ephemeral znode is lost for good, after the servers have carried it out or before. */
function uncertain(client: Client, isCarriedOut: boolean): Client {
  let isFirst = true;
  return alteredClient(client, {
    async create(path, data, options) {
      const isMeant = options?.mode?.startsWith('ephemeral') === true && isFirst;
      if (!isMeant) return client.create(path, data, options);
      isFirst = false;
      if (isCarriedOut) await client.create(path, data, options);
      throw new OutcomeUnknownError({ operation: 'create', path });
    },
  });
}

for (const isSequential of [true, false]) {
  for (const isCarriedOut of [true, false]) {
    const kind = isSequential ? 'sequential' : 'plain';
    const what = isCarriedOut ? 'was carried out' : 'was not';
    test(`a ${kind} create of unknown outcome is looked up, and there is one znode in the end, if it ${what}`, async () => {
      await RecipeWorld.play(async (world) => {
        const { client } = await world.join();
        const path = '/places/_c_one-';
        const { session } = client;

        const node = await createOwnNode(uncertain(client, isCarriedOut), {
          path,
          data: 'mine',
          isSequential,
          session,
        });

        const { children } = await client.getChildren('/places');
        assert.equal(
          children.map((name) => `/places/${name}`),
          [node.path],
        );
        assert.is((await client.exists(node.path))?.czxid, node.czxid);
      });
    });
  }
}

for (const [kind, make] of [
  ['lock', (client: Client) => new FairLock(client, 'door')],
  ['semaphore', (client: Client) => new Semaphore(client, 'door', { permits: 1 })],
] as readonly (readonly [string, (client: Client) => Lock])[]) {
  test(`a ${kind} whose request was of unknown outcome is held by who asked for it, and free afterwards`, async () => {
    await RecipeWorld.play(async (world) => {
      const { client } = await world.join();

      const hold = await make(uncertain(client, true)).acquire({ timeoutMs: 5000 });
      await hold.release();

      const next = await make(client).acquire({ timeoutMs: 5000 });
      await next.release();
      assert.equal(await client.getEphemerals('/locks'), []);
    });
  });

  test(`a ${kind} is waited for while the client has no room for a request`, async () => {
    await RecipeWorld.play(async (world) => {
      const { client } = await world.join();
      let refusals = 0;
      const full = alteredClient(client, {
        async create(path, data, options) {
          if (++refusals <= 3) throw new RequestQueueFullError({ operation: 'create', path });
          return client.create(path, data, options);
        },
      });

      const hold = await make(full).acquire();

      assert.ok(refusals > 3);
      await hold.release();
    });
  });
}

test('what was made although nobody waits for it any more is removed, and no other is made', async () => {
  await RecipeWorld.play(async (world) => {
    const { client } = await world.join();
    const { late, stop, creates } = givenUpWhileCreating(client);
    const { session } = client;

    const outcome = await createOwnNode(
      late,
      { path: '/places/one', data: null, isSequential: false, session },
      stop.signal,
    ).catch((error: Error) => error.message);

    assert.is(outcome, 'enough');
    await world.sleep(1000);
    assert.is(creates(), 1);
    assert.equal((await client.getChildren('/places')).children, []);
  });
});

test.run();
