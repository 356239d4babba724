import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ErrorCode } from '../../../core/protocol/index.js';
import { EnsembleWorld } from './ensemble-world.js';

test('three members elect a leader, take writes through each of them, and answer reads on all', async () => {
  await using world = await EnsembleWorld.start();

  for (const id of world.running) {
    const client = await world.open(id);
    assert.is((await world.wait(client.create(`/from-${id}`, 'x'))).err, ErrorCode.ok);
  }
  await world.converged();

  for (const id of world.running) {
    const client = await world.open(id);
    for (const from of world.running) {
      const { body } = await world.wait(client.getData(`/from-${from}`));
      assert.equal(Buffer.from(body!.data!).toString(), 'x');
    }
  }
});

test('when the leader dies the others elect another one, and what was acknowledged is there', async () => {
  await using world = await EnsembleWorld.start();
  const first = world.leader!;
  const client = await world.open(first === 1 ? 2 : 1);
  for (let count = 0; count < 20; count++) await world.wait(client.create(`/${count}`));

  world.kill(first);
  const second = await world.serving();

  assert.is.not(second, first);
  const other = await world.open(second);
  for (let count = 0; count < 20; count++) {
    assert.is((await world.wait(other.exists(`/${count}`))).err, ErrorCode.ok);
  }
  assert.is((await world.wait(other.create('/after'))).err, ErrorCode.ok);
  await world.converged();
});

test.run();
