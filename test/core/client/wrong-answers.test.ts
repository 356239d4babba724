import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { MarshallingError, OutcomeUnknownError } from '../../../core/client/index.js';
import { OpCode } from '../../../core/protocol/index.js';
import { ClientWorld } from './client-world.js';

test('an answer out of turn ends that connection, and reads are asked again on the next', async () => {
  const world = new ClientWorld();
  world.world.put('/a');
  const client = await world.connected();
  let isFirst = true;
  world.server.respond = (request, link) => {
    if (!isFirst) return undefined;
    isFirst = false;
    link.answer({ ...request, xid: request.xid + 7 }, world.world.answer(request, 0n));
    return null;
  };
  await world.get(client.getData('/a'));
  assert.is(world.server.links.length, 2);
  assert.is(world.server.links[0]!.closeCode, 1002);
  await world.close();
});

test('an answer that cannot be decoded rejects its request, ends that connection, and nothing else', async () => {
  const world = new ClientWorld();
  world.world.put('/a');
  const client = await world.connected();
  world.server.respond = (request) => {
    const isOdd = request.op === OpCode.getData || request.op === OpCode.setData;
    return isOdd ? { reply: { op: OpCode.closeSession, body: {} } } : undefined;
  };
  const read = await world.failure(client.getData('/a'));
  const write = await world.failure(client.setData('/a', 'x'));
  assert.instance(read, MarshallingError);
  assert.instance(write, OutcomeUnknownError);
  await world.get(client.exists('/a'));
  assert.is(world.server.links.length, 3);
  await world.close();
});

for (const [what, bytes] of [
  ['nothing at all', []],
  ['a length without a packet', [0, 0, 0, 9]],
  ['a negative length', [255, 255, 255, 255, 0, 0, 0, 0]],
  ['a packet too short for a header', [0, 0, 0, 8, 0, 0, 0, 1, 0, 0, 0, 0]],
  ['an answer to nothing', [0, 0, 0, 16, 0, 0, 0, 99, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]],
] as const) {
  test(`${what} from a server harms neither the process nor the session`, async () => {
    const world = new ClientWorld();
    const client = await world.connected();
    world.server.link.sendRaw(Uint8Array.from(bytes));
    await world.clock.settle();
    await world.get(client.exists('/'));
    assert.is(client.session.epoch, 1);
    await world.close();
  });
}

test.run();
