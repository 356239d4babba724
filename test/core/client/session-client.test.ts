import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { NoNodeError } from '../../../core/client/index.js';
import { ClientWorld, SESSION_TIMEOUT_MS } from './client-world.js';

test('a client connects by itself and does what it is asked', async () => {
  const world = new ClientWorld();
  const client = await world.connected();

  const created = await world.get(client.create('/a', 'hello'));
  const { data } = await world.get(client.getData('/a'));
  const { children } = await world.get(client.getChildren('/'));

  assert.is(created.path, '/a');
  assert.is(new TextDecoder().decode(data), 'hello');
  assert.equal(children, ['a']);
  assert.is(client.session.timeoutMs, SESSION_TIMEOUT_MS);
  assert.is(client.session.epoch, 1);
  assert.is(await world.get(client.exists('/b')), null);
  assert.instance(await world.failure(client.getData('/b')), NoNodeError);
  await world.close();
  assert.is(client.state, 'closed');
});

test.run();
