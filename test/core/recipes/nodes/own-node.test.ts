import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { OutcomeUnknownError } from '../../../../core/client/index.js';
import { TryLock } from '../../../../core/recipes/index.js';
import { alteredClient, givenUpWhileCreating } from '../altered-client.js';
import { RecipeWorld } from '../recipe-world.js';

test('a release whose outcome is unknown, at a server that lags behind, takes the lock from nobody who has it since', async () => {
  await RecipeWorld.play(async (world) => {
    const [one, other] = [await world.join(), await world.join()];
    const { client } = one;
    let isBehind = false;
    let known = await client.exists('/');
    const lagging = alteredClient(client, {
      async delete(path, options) {
        if (isBehind) return client.delete(path, options);
        known = await client.exists(path);
        isBehind = true;
        await client.delete(path, options);
        throw new OutcomeUnknownError({ operation: 'delete', path });
      },
      async sync(path, options) {
        await client.sync(path, options);
        isBehind = false;
      },
      async exists(path, options) {
        return isBehind ? known : client.exists(path, options);
      },
    });
    const hold = await new TryLock(lagging, 'door').acquire();
    const waiting = new TryLock(other.client, 'door').acquire();
    await world.sleep(100);

    await hold.release();

    const next = await waiting;
    await world.sleep(1000);
    assert.not.ok(next.signal.aborted);
    await next.release();
  });
});

test('a try-lock that is given up between two tries is not tried again, and not held', async () => {
  await RecipeWorld.play(async (world) => {
    const { client } = await world.join();
    const { late, stop, creates } = givenUpWhileCreating(client);

    const outcome = await new TryLock(late, 'door')
      .acquire({ signal: stop.signal })
      .catch((error: Error) => error.message);

    assert.is(outcome, 'enough');
    await world.sleep(1000);
    assert.is(creates(), 1);
    assert.is(await new TryLock(client, 'door').owner(), null);
  });
});

test.run();
