import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { makeZxid } from '../../../core/zab/index.js';
import { ackEpoch, Conversation, diskWith, entry, epochOfEntries, saysItLeads } from './conversation.js';

const HISTORY = epochOfEntries(2, 3);

function candidate(acceptedEpoch = 2): Conversation {
  const conversation = new Conversation({ id: 3 }, diskWith(HISTORY, acceptedEpoch));
  conversation.elect();
  return conversation;
}

function info(
  acceptedEpoch: number,
  attempt = 1,
): { type: 'learnerInfo'; attempt: number; acceptedEpoch: number; standing: 'full' } {
  return { type: 'learnerInfo', attempt, acceptedEpoch, standing: 'full' };
}

test('Zab phase 1: the new epoch is larger than any that a quorum has promised', () => {
  const low = candidate();
  low.hear(1, info(2));
  assert.is(low.takeSent(1, 'newEpoch')[0]!.epoch, 3);

  const high = candidate();
  high.hear(1, info(6));
  assert.is(high.takeSent(1, 'newEpoch')[0]!.epoch, 7);
});

test('Zab phase 1: no epoch is announced before a quorum has come, and before it is durable', () => {
  const conversation = candidate();
  conversation.isDiskHeld = true;
  assert.equal(conversation.persisted, []);
  conversation.hear(1, info(2));
  assert.is(conversation.persisted.at(-1)!.acceptedEpoch, 3);
  assert.equal(conversation.takeSent(1, 'newEpoch'), []);
  conversation.sync();
  assert.is(conversation.takeSent(1, 'newEpoch').length, 1);
});

test('Zab phase 1: a voter that wanted to follow too early, and looks again since, is not waited for', () => {
  const conversation = new Conversation({ id: 3 }, diskWith(HISTORY));
  conversation.connect(1, 2);
  conversation.hear(1, info(2));
  conversation.hearVote(1, 3, HISTORY.at(-1)!.zxid);
  conversation.hearVote(2, 3, HISTORY.at(-1)!.zxid);
  assert.is(conversation.peer.status().state, 'leading');
  assert.equal(conversation.persisted, [], 'no quorum has come');
  conversation.hear(2, info(2));
  assert.is(conversation.takeSent(2, 'newEpoch').length, 1);
  assert.equal(conversation.takeSent(1, 'newEpoch'), []);
});

test('Zab phase 1: a learner that comes later is told the same epoch', () => {
  const conversation = candidate();
  conversation.hear(1, info(2));
  conversation.hear(2, info(1, 4));
  assert.equal(conversation.takeSent(2, 'newEpoch'), [{ type: 'newEpoch', attempt: 4, epoch: 3 }]);
});

test('Zab phase 1: nothing that changes a history is sent before a quorum has promised', () => {
  const conversation = new Conversation({ id: 3, voters: [1, 2, 3, 4, 5] }, diskWith(HISTORY));
  conversation.connect(1, 2, 4, 5);
  const [vote] = conversation.takeSent(1, 'notification').slice(-1);
  for (const other of [1, 2, 4, 5]) conversation.hear(other, vote!);
  for (const other of [1, 2]) conversation.hear(other, info(2));
  conversation.hear(1, ackEpoch(3, []));
  assert.equal(conversation.sentTypes(1), ['newEpoch']);
  assert.is(conversation.peer.status().phase, 'discovery');

  conversation.hear(2, ackEpoch(3, HISTORY));
  assert.equal(conversation.sentTypes(1), ['newEpoch', 'diff', 'proposal']);
  assert.is(conversation.persisted.at(-1)!.entries[0]!.zxid, makeZxid(3, 0));
});

test('Zab phase 1: the promise of a voter with a more recent history does not count', () => {
  const conversation = candidate();
  conversation.hear(1, info(2));
  conversation.hear(1, ackEpoch(3, epochOfEntries(2, 4)));
  conversation.pass(100);
  assert.is(conversation.peer.status().phase, 'discovery');
  assert.equal(conversation.takeSent(1, 'trunc'), []);
  conversation.promise(2, HISTORY);
  assert.is(conversation.takeSent(1, 'trunc')[0]!.after, makeZxid(2, 3), 'a quorum lacks what it has more');
});

test('Zab phase 1: a longer tail that comes after the quorum is cut, for it cannot be committed', () => {
  const conversation = candidate();
  conversation.promise(1, HISTORY);
  conversation.promise(2, epochOfEntries(2, 9));
  assert.is(conversation.takeSent(2, 'trunc')[0]!.after, makeZxid(2, 3));
});

test('Zab phase 1: a member that has promised the epoch before counts for nobody, but may follow', () => {
  const conversation = candidate();
  conversation.hear(1, info(2));
  conversation.hear(1, ackEpoch(3, HISTORY, false));
  assert.is(conversation.peer.status().phase, 'discovery');
  conversation.promise(2, HISTORY);
  assert.is(conversation.peer.status().phase, 'synchronization');
  assert.is(conversation.takeSent(1, 'diff').length, 1);
});

test('Zab phase 1: a follower promises only what is durable', () => {
  const conversation = new Conversation({ id: 1 }, diskWith(HISTORY));
  conversation.isDiskHeld = true;
  conversation.follow(3);
  assert.is(conversation.persisted.at(-1)!.acceptedEpoch, 3);
  assert.equal(conversation.takeSent(3, 'ackEpoch'), []);
  conversation.sync();
  assert.equal(conversation.takeSent(3, 'ackEpoch'), [ackEpoch(3, HISTORY)]);
});

test('Zab phase 1: a follower refuses an epoch lower than it has promised', () => {
  const conversation = new Conversation({ id: 1 }, diskWith(HISTORY, 5));
  conversation.follow(4);
  assert.equal(conversation.takeSent(3, 'ackEpoch'), []);
  assert.is(conversation.peer.status().state, 'looking');
});

test('Zab phase 1: the same epoch is promised to one candidate only, as often as that one asks', () => {
  const conversation = new Conversation({ id: 1 }, diskWith(HISTORY));
  conversation.follow(3);
  assert.is(conversation.takeSent(3, 'ackEpoch')[0]!.isPromise, true);

  conversation.disconnect(3);
  conversation.connect(3);
  conversation.hear(3, saysItLeads(3, { round: 2, epoch: 2 }));
  const { attempt } = conversation.takeSent(3, 'learnerInfo').at(-1)!;
  conversation.hear(3, { type: 'newEpoch', attempt, epoch: 3 });
  assert.is(conversation.takeSent(3, 'ackEpoch')[0]!.isPromise, true);

  const restarted = new Conversation({ id: 1 }, diskWith(HISTORY, 3));
  restarted.follow(3);
  assert.is(restarted.takeSent(3, 'ackEpoch')[0]!.isPromise, false);
});

test('Zab phase 1: an epoch that was promised to one candidate is no promise to another', () => {
  const conversation = new Conversation({ id: 1 }, diskWith(HISTORY));
  conversation.follow(3);
  assert.is(conversation.takeSent(3, 'ackEpoch')[0]!.isPromise, true);
  conversation.disconnect(3);
  conversation.hear(2, saysItLeads(2, { round: 2, epoch: 2 }));
  const { attempt } = conversation.takeSent(2, 'learnerInfo').at(-1)!;
  conversation.hear(2, { type: 'newEpoch', attempt, epoch: 3 });
  assert.is(conversation.takeSent(2, 'ackEpoch')[0]!.isPromise, false);
});

test('Zab phase 1: an answer to an older attempt is not taken for one to the newer', () => {
  const conversation = new Conversation({ id: 1 }, diskWith(HISTORY));
  conversation.connect(2, 3);
  conversation.hear(3, saysItLeads(3, { round: 1, epoch: 2 }));
  conversation.connect(3);
  const attempts = conversation.takeSent(3, 'learnerInfo').map(({ attempt }) => attempt);
  assert.is(attempts.length, 2);
  conversation.hear(3, { type: 'newEpoch', attempt: attempts[0]!, epoch: 3 });
  assert.equal(conversation.takeSent(3, 'ackEpoch'), []);
  conversation.hear(3, { type: 'newEpoch', attempt: attempts[1]!, epoch: 3 });
  assert.is(conversation.takeSent(3, 'ackEpoch').length, 1);
});

test('an observer is told only an established epoch, and helps no quorum', () => {
  const conversation = new Conversation({ id: 3, observers: [4] }, diskWith(HISTORY));
  conversation.elect();
  conversation.connect(4);
  conversation.hear(4, info(2));
  assert.is(conversation.peer.status().epoch, 0);
  const epoch = conversation.promise(1, HISTORY);
  assert.equal(conversation.takeSent(4, 'newEpoch'), []);
  conversation.hear(1, { type: 'ack', epoch, zxid: makeZxid(epoch, 0) });
  assert.is(conversation.takeSent(4, 'newEpoch').length, 1);
});

test('who wants to follow before this member leads is remembered', () => {
  const conversation = new Conversation({ id: 3 }, diskWith(HISTORY));
  conversation.connect(1, 2);
  conversation.hear(1, info(2));
  const [vote] = conversation.takeSent(1, 'notification').slice(-1);
  for (const other of [2]) conversation.hear(other, vote!);
  conversation.pass(200);
  assert.is(conversation.takeSent(1, 'newEpoch').length, 1);
});

test('a candidate that meets a voter with a higher promise starts over with a higher epoch', () => {
  const conversation = candidate();
  conversation.hear(1, info(2));
  conversation.hear(2, info(8));
  assert.is(conversation.takeSent(1, 'handOver')[0]!.leader, 3);
  conversation.hear(1, info(3, 2));
  assert.is(conversation.takeSent(2, 'newEpoch').at(-1)!.epoch, 9);
  assert.is(conversation.takeSent(1, 'newEpoch').at(-1)!.epoch, 9);
});

test('a voter stranded with a higher promise is taken in by an orderly change of epoch, not at once', () => {
  const conversation = new Conversation({ id: 3 }, diskWith(HISTORY));
  const epoch = conversation.establish(HISTORY);
  conversation.hear(2, info(8));
  conversation.passInCompany(500, [1], epoch);
  assert.equal(conversation.takeSent(2, 'newEpoch'), []);
  assert.is(conversation.peer.status().admits, true);

  conversation.passInCompany(600, [1], epoch);
  assert.is(conversation.takeSent(1, 'handOver')[0]!.leader, 3);
  conversation.hear(1, info(epoch, 2));
  assert.is(conversation.takeSent(2, 'newEpoch')[0]!.epoch, 9);
});

test('a promise of an absurd epoch is not believed', () => {
  const conversation = candidate();
  conversation.hear(1, info(0x7fffffff));
  assert.is(conversation.disconnects.length, 1);
  assert.is(conversation.peer.status().epoch, 0);
});

test('without a quorum within the limit a candidate looks again', () => {
  const conversation = candidate();
  conversation.pass(999);
  assert.is(conversation.peer.status().state, 'leading');
  conversation.pass(26);
  assert.is(conversation.peer.status().state, 'looking');
});

test('Zab phase 1: a promise counts towards the next epoch though its voter is not there any more', () => {
  const conversation = new Conversation({ id: 3, voters: [1, 2, 3, 4, 5] }, diskWith(HISTORY));
  conversation.elect(1, 2, 4);
  conversation.hear(2, info(8));
  conversation.disconnect(2);
  for (const voter of [1, 4]) conversation.hear(voter, info(2));
  assert.equal(conversation.takeSent(1, 'newEpoch'), [{ type: 'newEpoch', attempt: 1, epoch: 9 }]);
});

test('Zab phase 1: what an observer has promised raises no epoch', () => {
  const conversation = new Conversation({ id: 3, observers: [4] }, diskWith(HISTORY));
  conversation.connect(4);
  conversation.hear(4, info(8));
  conversation.elect(1);
  conversation.hear(1, info(2));
  assert.equal(conversation.takeSent(1, 'newEpoch'), [{ type: 'newEpoch', attempt: 1, epoch: 3 }]);
});

test('an observer that promised a later epoch as a voter follows an established leader of an earlier one', () => {
  const conversation = new Conversation({ id: 4, observers: [4] }, diskWith(HISTORY, 8));
  conversation.follow(3);
  assert.is(conversation.takeSent(3, 'ackEpoch')[0]?.epoch, 3);
  const after = makeZxid(2, 3);
  conversation.hear(
    3,
    { type: 'diff', epoch: 3, after },
    { type: 'inform', epoch: 3, entries: [entry(3, 0)] },
  );
  assert.is(conversation.peer.status().lastDurable, makeZxid(3, 0));
  assert.equal(
    conversation.persisted.filter(({ acceptedEpoch }) => acceptedEpoch !== undefined),
    [],
    'the promise stays',
  );
});

test('an observer follows no leader of an epoch before its last entry', () => {
  const conversation = new Conversation({ id: 4, observers: [4] }, diskWith(HISTORY, 8));
  conversation.follow(1);
  assert.equal(conversation.takeSent(3, 'ackEpoch'), []);
});

test('Zab phase 1: a follower that has been told an epoch takes no other one over the same attempt', () => {
  const conversation = new Conversation({ id: 1 }, diskWith(HISTORY));
  conversation.follow(3);
  const persisted = conversation.persisted.length;
  conversation.hear(3, { type: 'newEpoch', attempt: 1, epoch: 4 });
  assert.is(conversation.peer.status().epoch, 3);
  assert.is(conversation.persisted.length, persisted);
  assert.is(conversation.takeSent(3, 'ackEpoch').length, 1);
});

test.run();
