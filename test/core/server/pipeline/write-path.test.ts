import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { OpCode } from '../../../../core/protocol/index.js';
import { Proposals, type Proposal } from '../../../../core/server/pipeline/write-path.js';
import { World } from '../world.js';

function proposal(zxid: bigint, bytes: number): Proposal<string> {
  return { zxid, txn: null, bytes, token: 'a' };
}

test('proposals that were applied do not count as under way', () => {
  const proposals = new Proposals<string>();
  proposals.push(proposal(1n, 100));
  proposals.push(proposal(2n, 20));
  assert.equal([proposals.length, proposals.bytes], [2, 120]);
  proposals.take(1n);
  assert.equal([proposals.length, proposals.bytes], [1, 20]);
  assert.is(proposals.take(7n), undefined, 'a transaction of somebody else');
  proposals.take(2n);
  assert.equal([proposals.length, proposals.bytes], [0, 0]);
});

test('a member goes on taking writes when many times more bytes went through it than may be under way', async () => {
  await using world = await World.start({ maxBytesInFlight: 10_000 });
  const client = await world.open();
  await world.wait(client.create('/a'));
  for (let count = 0; count < 50; count++) {
    const { err } = await world.wait(client.setData('/a', 'x'.repeat(3_000)));
    assert.is(err, 0);
  }
});

test('writes beyond the bytes that may be under way wait and are carried out', async () => {
  await using world = await World.start({ maxBytesInFlight: 5_000 });
  const client = await world.open();
  await world.wait(client.create('/a'));
  const body = { path: '/a', data: Buffer.alloc(3_000), version: -1 };
  const replies = client.sendAll(Array.from({ length: 20 }, () => ({ op: OpCode.setData, body })));
  const errors = (await world.wait(Promise.all(replies))).map(({ err }) => err);
  assert.ok(errors.every((err) => err === 0));
});

test.run();
