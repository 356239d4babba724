import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  LOCAL_ERRORS,
  RequestQueueFullError,
  SERVER_ERRORS,
  type Client,
} from '../../../../core/client/index.js';
import { QuorateError } from '../../../../core/runtime/index.js';
import { FairLock } from '../../../../core/recipes/index.js';
import { isTransient } from '../../../../core/recipes/waiting/failure.js';
import { alteredClient } from '../altered-client.js';
import { RecipeWorld } from '../recipe-world.js';

test('what may go better in a while is tried again, and what a server refused is not', () => {
  const codes = [...LOCAL_ERRORS, ...SERVER_ERRORS].map(({ facts }) => facts.code);
  const transient = codes.filter((code) => isTransient(new QuorateError(code, 'failed')));
  assert.equal(transient.toSorted(), [
    'CONNECTION_LOSS',
    'NOT_READ_ONLY',
    'OPERATION_TIMEOUT',
    'OUTCOME_UNKNOWN',
    'REQUEST_QUEUE_FULL',
    'REQUEST_TIMEOUT',
    'SESSION_MOVED',
    'THROTTLED_OP',
  ]);
  assert.not.ok(isTransient(new Error('REQUEST_QUEUE_FULL')));
});

test('a lock that is released while the client has no room for a request is free for the next one all the same', async () => {
  await RecipeWorld.play(async (world) => {
    const { client } = await world.join();
    let refusals = 0;
    const full: Client = alteredClient(client, {
      async delete(path, options) {
        if (++refusals <= 3) throw new RequestQueueFullError({ operation: 'delete', path });
        return client.delete(path, options);
      },
    });

    const hold = await new FairLock(full, 'door').acquire();
    await hold.release();

    const next = await new FairLock(client, 'door').acquire({ timeoutMs: 1000 });
    await next.release();
  });
});

test.run();
