import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { OpCode } from '../../../../../core/protocol/index.js';
import type { ClientConnection } from '../../../../../core/server/clients/connection/client-connection.js';
import { ClientSession } from '../../../../../core/server/clients/connection/client-session.js';
import { ShareGroup } from '../../../../../core/server/clients/connection/share-group.js';
import { WriteShares } from '../../../../../core/server/clients/connection/write-shares.js';
import { OwedReplies } from '../../../../../core/server/clients/connection/owed-replies.js';
import { ReplySlot } from '../../../../../core/server/clients/connection/reply-slot.js';

const CONNECTION = { session: new ClientSession([]) } as unknown as ClientConnection;

function slotOf(op: number, { isWrite = false, isDone = false } = {}): ReplySlot {
  const slot = new ReplySlot(CONNECTION, 1);
  Object.assign(slot, { op, isWrite, isDone, mayTakeEffect: isWrite });
  return slot;
}

/** How many requests of this operation a write may have in front of it. */
function mostBeforeWrite(op: number): number {
  const owed = new OwedReplies(new WriteShares());
  owed.push(slotOf(OpCode.setData, { isWrite: true }));
  let count = 0;
  for (; owed.mayTakeWrite; count++) owed.push(slotOf(op));
  return count - 1;
}

test('a write is taken behind some reads, fewer of those whose replies can be large', () => {
  assert.is(mostBeforeWrite(OpCode.exists), 63);
  assert.is(mostBeforeWrite(OpCode.getData), 15);
  for (const op of [OpCode.getChildren, OpCode.getChildren2, OpCode.getEphemerals])
    assert.is(mostBeforeWrite(op), 3);
});

test('a write is not taken behind a request that can take several turns', () => {
  for (const op of [OpCode.sync, OpCode.setWatches, OpCode.setWatches2, OpCode.multiRead])
    assert.is(mostBeforeWrite(op), 0);
});

test('a write is taken again when the requests before it have been answered or dropped', () => {
  const owed = new OwedReplies(new WriteShares());
  owed.push(slotOf(OpCode.sync));
  owed.push(slotOf(OpCode.exists));
  assert.not(owed.mayTakeWrite);
  owed.shift();
  assert.ok(owed.mayTakeWrite);
  owed.push(slotOf(OpCode.sync));
  owed.clear();
  assert.ok(owed.mayTakeWrite);
  owed.shift();
  assert.ok(owed.mayTakeWrite);
});

test('requests that are answered already, and writes, do not hold up a write', () => {
  const owed = new OwedReplies(new WriteShares());
  for (let count = 0; count < 1_000; count++) {
    owed.push(slotOf(OpCode.setData, { isWrite: true }));
    owed.push(slotOf(OpCode.sync, { isDone: true }));
  }
  assert.ok(owed.mayTakeWrite);
});

test('a read may wait for room only while no write stands behind it', () => {
  const owed = new OwedReplies(new WriteShares());
  owed.push(slotOf(OpCode.getData));
  assert.ok(owed.mayWaitForRoom);
  owed.push(slotOf(OpCode.setData, { isWrite: true }));
  assert.not(owed.mayWaitForRoom);
  owed.shift();
  owed.shift();
  assert.ok(owed.mayWaitForRoom);
});

test('replies are in doubt as long as one is owed for a write that may take effect', () => {
  const owed = new OwedReplies(new WriteShares());
  owed.push(slotOf(OpCode.getData));
  assert.not(owed.isAnyInDoubt);
  const write = slotOf(OpCode.setData, { isWrite: true });
  owed.push(write);
  assert.ok(owed.isAnyInDoubt);
  write.mayTakeEffect = false;
  assert.not(owed.isAnyInDoubt);
});

test('a connection that writes beside others takes a write only within its share, and all of it alone', () => {
  const shares = new WriteShares();
  const [flood, other] = [new OwedReplies(shares), new OwedReplies(shares)];
  const write = (): ReplySlot => slotOf(OpCode.setData, { isWrite: true });
  for (let count = 0; count < 1_500; count++) flood.push(write());
  assert.ok(flood.mayTakeWrite, 'it writes alone');

  other.push(write());
  assert.not(flood.mayTakeWrite);
  assert.ok(other.mayTakeWrite);
  other.shift();
  assert.ok(flood.mayTakeWrite);

  other.push(write());
  for (let count = 0; count < 501; count++) flood.shift();
  assert.ok(flood.mayTakeWrite, 'half of the shared writes');
  flood.clear();
  for (let count = 0; count < 5_000; count++) other.push(write());
  assert.ok(other.mayTakeWrite, 'one writer is left');
});

test('connections of one group share what one connection of another group has', () => {
  const shares = new WriteShares();
  const groups = [new ShareGroup('ip:tenant'), new ShareGroup('ip:other')] as const;
  const tenant = Array.from({ length: 10 }, () => new OwedReplies(shares, () => groups[0]));
  const other = new OwedReplies(shares, () => groups[1]);
  const most = (owed: OwedReplies): number => {
    let count = 0;
    for (; owed.mayTakeWrite; count++) owed.push(slotOf(OpCode.setData, { isWrite: true }));
    return count;
  };
  for (const owed of [...tenant, other]) owed.push(slotOf(OpCode.setData, { isWrite: true }));
  assert.is(most(other), 999);
  assert.equal(
    tenant.map(most),
    tenant.map(() => 99),
  );
});

test('writes of many bytes take a share of the bytes, and one is always taken', () => {
  const shares = new WriteShares();
  const [flood, other] = [new OwedReplies(shares), new OwedReplies(shares)];
  const large = (): ReplySlot => {
    const slot = slotOf(OpCode.setData, { isWrite: true });
    slot.bytes = 1024 * 1024;
    return slot;
  };
  other.push(large());
  assert.ok(flood.mayTakeWrite);
  let count = 0;
  for (; flood.mayTakeWrite; count++) flood.push(large());
  assert.is(count, 4);
  flood.clear();
  assert.ok(flood.mayTakeWrite);
});

test('however many connections write, each may have some writes under way', () => {
  const shares = new WriteShares();
  for (let count = 0; count < 10_000; count++) shares.begin(shares.everybody);
  const owed = new OwedReplies(shares);
  owed.push(slotOf(OpCode.setData, { isWrite: true }));
  assert.ok(owed.mayTakeWrite);
});

test.run();
