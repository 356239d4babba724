import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { makeZxid, type Entry } from '../../../core/zab/index.js';
import { ackEpoch, Conversation, diskWith, entry, epochOfEntries, tableOf, text } from './conversation.js';

const OWN = epochOfEntries(2, 3);
const NEWER = epochOfEntries(2, 6);
const LAST = makeZxid(2, 6);

/** Member 3 of so many voters, elected, with its epoch announced to these, who have promised it and have this history. */
function promised(histories: ReadonlyMap<number, readonly Entry[]>, voters = 3, own = OWN): Conversation {
  const ids = Array.from({ length: voters }, (_, index) => index + 1);
  const conversation = new Conversation({ id: 3, voters: ids }, diskWith(own));
  conversation.elect(...ids.filter((id) => id !== 3));
  for (const id of histories.keys())
    conversation.hear(id, { type: 'learnerInfo', attempt: 1, acceptedEpoch: 2, standing: 'full' });
  for (const [id, history] of histories) conversation.hear(id, ackEpoch(3, history));
  return conversation;
}

/** That voter echoes the newest ping. */
function echo(conversation: Conversation, from: number): void {
  const { nonce } = conversation.takeSent(from, 'ping').at(-1)!;
  conversation.hear(from, { type: 'pong', epoch: 3, nonce, payload: text('') });
}

function proposal(entries: readonly Entry[]): Parameters<Conversation['hear']>[1] {
  return { type: 'proposal', epoch: 3, entries, commit: 0n };
}

test('a candidate that is behind takes over the history of its quorum, and then begins its epoch', () => {
  const conversation = promised(new Map([[1, NEWER]]));
  assert.is(conversation.peer.status().phase, 'discovery');
  conversation.pass(50);
  echo(conversation, 1);
  assert.equal(conversation.takeSent(1, 'lend'), [
    { type: 'lend', epoch: 3, lastZxid: makeZxid(2, 3), epochs: tableOf(OWN) },
  ]);
  conversation.isDiskHeld = true;
  conversation.hear(1, { type: 'diff', epoch: 3, after: makeZxid(2, 3) }, proposal(NEWER.slice(4, 5)));
  const { number } = conversation.persisted.at(-1)!;
  conversation.hear(1, proposal(NEWER.slice(5)));
  conversation.sync(number);
  assert.is(conversation.peer.status().phase, 'discovery', 'not all that is taken over is durable yet');
  conversation.isDiskHeld = false;
  conversation.sync();
  assert.is(conversation.peer.status().phase, 'synchronization');
  assert.is(conversation.takeSent(1, 'diff')[0]!.after, LAST);
  assert.is(conversation.takeSent(1, 'proposal')[0]!.entries[0]!.zxid, makeZxid(3, 0));
});

test('a candidate cuts what its quorum never had before it takes over the rest', () => {
  const newer = [...epochOfEntries(1, 2), ...epochOfEntries(2, 1)];
  const conversation = promised(new Map([[1, newer]]), 3, epochOfEntries(1, 4));
  conversation.pass(50);
  echo(conversation, 1);
  assert.is(conversation.takeSent(1, 'lend')[0]!.lastZxid, makeZxid(1, 4));
  conversation.hear(1, { type: 'trunc', epoch: 3, after: makeZxid(1, 2) }, proposal(newer.slice(3)));
  assert.is(conversation.persisted.find((batch) => 'truncateAfter' in batch)?.truncateAfter, makeZxid(1, 2));
  assert.is(conversation.peer.status().phase, 'synchronization');
  assert.is(conversation.takeSent(1, 'diff')[0]!.after, makeZxid(2, 1));
});

test('nothing is taken over before one round of pings has confirmed a quorum of promises', () => {
  const conversation = promised(new Map(), 5);
  for (const other of [1, 2])
    conversation.hear(other, { type: 'learnerInfo', attempt: 1, acceptedEpoch: 2, standing: 'full' });
  conversation.hear(1, ackEpoch(3, OWN));
  conversation.pass(50);
  const [early] = conversation.takeSent(1, 'ping').slice(-1);
  conversation.hear(2, ackEpoch(3, NEWER));
  conversation.pass(50);
  echo(conversation, 2);
  conversation.hear(1, { type: 'pong', epoch: 3, nonce: early!.nonce, payload: text('') });
  assert.equal(
    conversation.takeSent(2, 'lend'),
    [],
    'voter 1 may have lost its disk before voter 2 promised',
  );
  echo(conversation, 1);
  assert.is(conversation.takeSent(2, 'lend').length, 1);
});

test('a promise over a link that is down confirms nothing', () => {
  const conversation = promised(
    new Map([
      [1, OWN],
      [2, NEWER],
    ]),
    5,
  );
  conversation.pass(50);
  conversation.disconnect(1);
  echo(conversation, 2);
  conversation.connect(1);
  conversation.hear(1, { type: 'learnerInfo', attempt: 2, acceptedEpoch: 3, standing: 'full' });
  conversation.hear(1, ackEpoch(3, OWN, false));
  conversation.pass(100);
  for (const other of [1, 2]) echo(conversation, other);
  assert.equal(conversation.takeSent(2, 'lend'), []);
});

test('no promise completes the quorum while a history is taken over in part', () => {
  const conversation = promised(new Map([[1, NEWER]]));
  conversation.pass(50);
  echo(conversation, 1);
  conversation.hear(1, { type: 'diff', epoch: 3, after: makeZxid(2, 3) }, proposal(NEWER.slice(4, 5)));
  conversation.promise(2, OWN);
  assert.is(conversation.peer.status().phase, 'discovery');
  conversation.hear(1, proposal(NEWER.slice(5)));
  assert.is(conversation.peer.status().phase, 'synchronization');
  assert.is(conversation.peer.status().lastProposed, makeZxid(3, 0));
});

test('a candidate gives up if the voter whose history it takes over is gone', () => {
  const conversation = promised(
    new Map([
      [1, NEWER],
      [2, NEWER],
    ]),
    5,
  );
  conversation.pass(50);
  for (const other of [1, 2]) echo(conversation, other);
  conversation.disconnect(1);
  assert.is(conversation.peer.status().state, 'looking');
});

test('what nobody asked for is not taken over', () => {
  const conversation = promised(new Map([[1, NEWER]]));
  conversation.hear(1, { type: 'diff', epoch: 3, after: makeZxid(2, 3) });
  assert.is(conversation.disconnects.length, 1);

  const gap = promised(new Map([[1, NEWER]]));
  gap.pass(50);
  echo(gap, 1);
  gap.hear(1, { type: 'diff', epoch: 3, after: makeZxid(2, 3) }, proposal(NEWER.slice(5)));
  assert.is(gap.peer.status().state, 'looking');
  assert.is(gap.peer.status().lastProposed, makeZxid(2, 3));
});

/** Member 1, with this history, has promised epoch 3 to member 3. */
function lender(history: readonly Entry[]): Conversation {
  const conversation = new Conversation({ id: 1, limits: { messageBytes: 8 } }, diskWith(history));
  conversation.follow(3);
  conversation.forgetSent();
  return conversation;
}

test('a follower sends a leader that is behind what it has more, in pieces', () => {
  const conversation = lender(NEWER);
  conversation.hear(3, { type: 'lend', epoch: 3, lastZxid: makeZxid(2, 3), epochs: tableOf(OWN) });
  assert.is(conversation.takeSent(3, 'diff')[0]!.after, makeZxid(2, 3));
  const sent = conversation.takeSent(3, 'proposal');
  assert.ok(sent.length > 1);
  assert.equal(
    sent.flatMap(({ entries }) => entries),
    NEWER.slice(4),
  );
});

test('a follower tells a leader that is behind to cut what it does not have', () => {
  const conversation = lender([...epochOfEntries(1, 2), entry(2, 0)]);
  conversation.hear(3, {
    type: 'lend',
    epoch: 3,
    lastZxid: makeZxid(1, 4),
    epochs: tableOf(epochOfEntries(1, 4)),
  });
  assert.is(conversation.takeSent(3, 'trunc')[0]!.after, makeZxid(1, 2));
  assert.is(conversation.takeSent(3, 'proposal')[0]!.entries[0]!.zxid, makeZxid(2, 0));
});

test('a follower leaves a leader that is further behind than its own memory reaches', () => {
  const snapshot = { snapshotZxid: LAST, epochs: tableOf(NEWER), entries: [], acceptedEpoch: 2 };
  const conversation = new Conversation({ id: 1 }, snapshot);
  conversation.follow(3);
  conversation.hear(3, { type: 'lend', epoch: 3, lastZxid: makeZxid(2, 3), epochs: tableOf(OWN) });
  assert.is(conversation.peer.status().state, 'looking');
});

test.run();
