import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { makeZxid, type PeerLimits } from '../../../core/zab/index.js';
import { ackEpoch, Conversation, entry, text } from './conversation.js';

const MARKER = makeZxid(1, 0);

/** Member 3 leads epoch 1, with 1 and 2 as its followers and 4 as its observer, all up to date. */
function leading(limits: Partial<PeerLimits> = {}): Conversation {
  const conversation = new Conversation({ id: 3, observers: [4], limits });
  conversation.establish();
  conversation.connect(4);
  for (const learner of [2, 4]) {
    conversation.promise(learner);
    conversation.hear(learner, { type: 'ack', epoch: 1, zxid: MARKER });
  }
  conversation.forgetSent();
  return conversation;
}

function ack(conversation: Conversation, from: number, counter: number): void {
  conversation.hear(from, { type: 'ack', epoch: 1, zxid: makeZxid(1, counter) });
}

/** Member 1 follows member 3 in epoch 1 and serves; its disk is held from then on. */
function following(): Conversation {
  const conversation = new Conversation({ id: 1 });
  conversation.follow(1);
  conversation.hear(3, { type: 'diff', epoch: 1, after: 0n });
  conversation.hear(3, { type: 'proposal', epoch: 1, entries: [entry(1, 0)], commit: MARKER });
  conversation.hear(3, { type: 'upToDate', epoch: 1, commit: MARKER });
  conversation.forgetSent();
  conversation.isDiskHeld = true;
  return conversation;
}

test('Zab phase 3: all proposals of one turn go to each follower in one message, the same one for all', () => {
  const conversation = leading();
  conversation.run(() => {
    for (const words of ['a', 'b', 'c']) conversation.peer.propose(text(words));
  });
  const [toFirst] = conversation.takeSent(1, 'proposal');
  const [toSecond] = conversation.takeSent(2, 'proposal');
  assert.equal(
    toFirst!.entries.map(({ zxid }) => zxid),
    [makeZxid(1, 1), makeZxid(1, 2), makeZxid(1, 3)],
  );
  assert.is(toFirst, toSecond);
  assert.equal(conversation.sentTypes(4), []);
});

test('Zab phase 3: a proposal is committed by a quorum, in order, with everything before it', () => {
  const conversation = leading();
  for (const words of ['a', 'b', 'c']) conversation.run(() => conversation.peer.propose(text(words)));
  assert.is(conversation.appliedZxids.at(-1), MARKER);
  ack(conversation, 2, 2);
  assert.equal(conversation.appliedZxids.slice(-2), [makeZxid(1, 1), makeZxid(1, 2)]);
  ack(conversation, 1, 3);
  assert.is(conversation.appliedZxids.at(-1), makeZxid(1, 3));
});

test('Zab phase 3: an acknowledgement counts no longer once its link is gone', () => {
  const conversation = new Conversation({ id: 3, voters: [1, 2, 3, 4, 5] });
  conversation.elect();
  for (const voter of [1, 2])
    conversation.hear(voter, { type: 'learnerInfo', attempt: 1, acceptedEpoch: 0, standing: 'full' });
  for (const voter of [1, 2]) conversation.hear(voter, ackEpoch(1, []));
  for (const voter of [1, 2]) conversation.hear(voter, { type: 'ack', epoch: 1, zxid: makeZxid(1, 0) });
  assert.is(conversation.peer.status().isEstablishedLeader, true);

  const zxid = makeZxid(1, 1);
  conversation.run(() => conversation.peer.propose(text('a')));
  conversation.hear(1, { type: 'ack', epoch: 1, zxid });
  conversation.disconnect(1);
  conversation.hear(2, { type: 'ack', epoch: 1, zxid });
  assert.is(conversation.peer.status().committed, makeZxid(1, 0), 'the disk of member 1 may be lost');

  conversation.connect(1);
  conversation.promise(1, [entry(1, 0), entry(1, 1)]);
  conversation.hear(1, { type: 'ack', epoch: 1, zxid });
  assert.is(conversation.peer.status().committed, zxid);
});

test('Zab phase 3: a commit rides on the next proposal, or goes alone if there is none', () => {
  const conversation = leading();
  conversation.run(() => conversation.peer.propose(text('a')));
  ack(conversation, 1, 1);
  assert.is(conversation.takeSent(2, 'commit')[0]!.zxid, makeZxid(1, 1));

  conversation.run(() => conversation.peer.propose(text('b')));
  conversation.forgetSent();
  const link = conversation.linkTo(1);
  conversation.run(() => {
    conversation.peer.step(1, link, { type: 'ack', epoch: 1, zxid: makeZxid(1, 2) });
    conversation.peer.propose(text('c'));
  });
  assert.is(conversation.takeSent(2, 'proposal')[0]!.commit, makeZxid(1, 2));
  assert.equal(
    conversation.takeSent(2, 'commit').map(({ zxid }) => zxid),
    [],
  );
});

test('Zab phase 3: a quorum of followers commits without the leader, which applies only what is on its own disk', () => {
  const conversation = leading();
  conversation.isDiskHeld = true;
  conversation.run(() => conversation.peer.propose(text('a')));
  ack(conversation, 1, 1);
  ack(conversation, 2, 1);
  assert.is(conversation.takeSent(1, 'commit')[0]!.zxid, makeZxid(1, 1));
  assert.is(conversation.appliedZxids.at(-1), MARKER);
  conversation.sync();
  assert.is(conversation.appliedZxids.at(-1), makeZxid(1, 1));
});

test('an observer is informed of what is committed, and its acknowledgement counts for nothing', () => {
  const conversation = leading();
  conversation.isDiskHeld = true;
  conversation.run(() => conversation.peer.propose(text('a')));
  ack(conversation, 1, 1);
  assert.equal(conversation.takeSent(4, 'inform'), []);
  conversation.sync();
  assert.is(conversation.takeSent(4, 'inform')[0]!.entries[0]!.zxid, makeZxid(1, 1));

  conversation.run(() => conversation.peer.propose(text('b')));
  conversation.sync();
  conversation.hear(4, { type: 'ack', epoch: 1, zxid: makeZxid(1, 1) });
  assert.is(conversation.peer.status().committed, makeZxid(1, 1));
});

test('a learner that acknowledges slowly is sent no more than so many bytes, and then the rest', () => {
  const conversation = leading({ inFlightBytes: 250, messageBytes: 60, windowEntries: 100 });
  for (let count = 0; count < 6; count++)
    conversation.run(() => conversation.peer.propose(new Uint8Array(50)));
  const sent = (): bigint | undefined =>
    conversation
      .takeSent(1, 'proposal')
      .flatMap(({ entries }) => entries)
      .at(-1)?.zxid;
  assert.is(sent(), makeZxid(1, 3));
  ack(conversation, 1, 3);
  assert.is(sent(), makeZxid(1, 6));
});

test('Zab phase 3: a follower acknowledges what is durable, up to the last of it at once', () => {
  const conversation = following();
  for (const counter of [1, 2, 3]) {
    conversation.hear(3, { type: 'proposal', epoch: 1, entries: [entry(1, counter)], commit: MARKER });
  }
  assert.equal(conversation.takeSent(3, 'ack'), []);
  conversation.sync();
  assert.equal(
    conversation.takeSent(3, 'ack').map(({ zxid }) => zxid),
    [makeZxid(1, 3)],
  );
});

test('Zab phase 3: a follower applies what is committed and durable, whichever comes last', () => {
  const conversation = following();
  conversation.hear(3, { type: 'proposal', epoch: 1, entries: [entry(1, 1), entry(1, 2)], commit: MARKER });
  conversation.hear(3, { type: 'commit', epoch: 1, zxid: makeZxid(1, 1) });
  assert.is(conversation.appliedZxids.at(-1), MARKER);
  conversation.sync();
  assert.is(conversation.appliedZxids.at(-1), makeZxid(1, 1));
  conversation.hear(3, { type: 'commit', epoch: 1, zxid: makeZxid(1, 2) });
  assert.is(conversation.appliedZxids.at(-1), makeZxid(1, 2));
});

test('Zab phase 3: a follower that misses a proposal leaves, and never logs a gap', () => {
  const conversation = following();
  conversation.hear(3, { type: 'proposal', epoch: 1, entries: [entry(1, 2)], commit: MARKER });
  assert.is(conversation.peer.status().state, 'looking');
  assert.is(conversation.disconnects[0]!.peer, 3);
  assert.equal(conversation.persisted.at(-1)!.entries, [entry(1, 0)]);
});

test('a follower leaves a leader that commits what it never proposed', () => {
  const conversation = following();
  conversation.hear(3, { type: 'commit', epoch: 1, zxid: makeZxid(1, 1) });
  assert.is(conversation.peer.status().state, 'looking');
});

test('what belongs to another epoch than the current one is not listened to', () => {
  const conversation = following();
  conversation.hear(3, { type: 'proposal', epoch: 2, entries: [entry(1, 1)], commit: MARKER });
  assert.is(conversation.peer.status().lastProposed, MARKER);

  const leader = leading();
  leader.run(() => leader.peer.propose(text('a')));
  leader.hear(1, { type: 'ack', epoch: 2, zxid: makeZxid(1, 1) });
  assert.is(leader.peer.status().committed, MARKER);
});

test('a learner that acknowledges what it never got is put off', () => {
  const conversation = leading();
  ack(conversation, 1, 7);
  assert.equal(
    conversation.disconnects.map(({ peer }) => peer),
    [1],
  );
  assert.is(conversation.peer.status().committed, MARKER);
});

test('bytes of the application travel both ways in order with the proposals', () => {
  const conversation = leading();
  conversation.run(() => {
    conversation.peer.propose(text('a'));
    assert.is(conversation.peer.sendToLearner(1, text('after a')), true);
    assert.is(conversation.peer.sendToLearner(9, text('to nobody')), false);
    assert.is(conversation.peer.sendToLeader(text('to itself')), false);
  });
  assert.equal(conversation.sentTypes(1), ['proposal', 'application']);
  conversation.hear(1, { type: 'application', epoch: 1, bytes: text('back') });
  assert.equal(
    conversation.readies.flatMap(({ received }) => received),
    [{ from: 1, bytes: text('back') }],
  );

  const follower = following();
  follower.run(() => assert.is(follower.peer.sendToLeader(text('hello')), true));
  assert.equal(follower.takeSent(3, 'application')[0]!.bytes, text('hello'));
});

test('bytes ride on the next ping and on its echo, once, and wait until they have gone', () => {
  const leader = leading();
  assert.is(leader.peer.offerPingPayload(text('from the leader')), true);
  leader.pass(50);
  assert.equal(leader.takeSent(1, 'ping')[0]!.payload, text('from the leader'));
  leader.hear(1, { type: 'pong', epoch: 1, nonce: 1, payload: text('touched') });
  assert.equal(
    leader.readies.flatMap(({ pings }) => pings),
    [{ from: 1, bytes: text('touched') }],
  );

  const follower = following();
  assert.is(follower.peer.offerPingPayload(text('touched')), true);
  assert.is(follower.peer.offerPingPayload(text('more')), false);
  follower.hear(3, { type: 'ping', epoch: 1, nonce: 8, heard: 0, payload: text('') });
  assert.equal(follower.takeSent(3, 'pong'), [
    { type: 'pong', epoch: 1, nonce: 8, payload: text('touched') },
  ]);
  assert.is(follower.peer.offerPingPayload(text('more')), true);
});

test('the leader lists its learners with what they have acknowledged', () => {
  const conversation = leading();
  conversation.run(() => conversation.peer.propose(text('a')));
  ack(conversation, 2, 1);
  assert.equal(conversation.peer.learners(), [
    { id: 1, isVoter: true, isRejoining: false, isUpToDate: true, acked: MARKER },
    { id: 2, isVoter: true, isRejoining: false, isUpToDate: true, acked: makeZxid(1, 1) },
    { id: 4, isVoter: false, isRejoining: false, isUpToDate: true, acked: MARKER },
  ]);
});

test('ZOOKEEPER-1675, ZOOKEEPER-2136: a read index is answered when a quorum has echoed a ping sent after it', () => {
  const conversation = leading();
  conversation.pass(50);
  const [before] = conversation.takeSent(1, 'ping');
  conversation.run(() => conversation.peer.readIndex(5));
  const [after] = conversation.takeSent(1, 'ping');
  const answers = (): unknown[] => conversation.readIndexes;

  conversation.hear(1, { type: 'pong', epoch: 1, nonce: before!.nonce, payload: text('') });
  conversation.hear(4, { type: 'pong', epoch: 1, nonce: after!.nonce, payload: text('') });
  assert.equal(answers(), []);
  conversation.hear(1, { type: 'pong', epoch: 1, nonce: after!.nonce, payload: text('') });
  assert.equal(answers(), [{ token: 5, zxid: MARKER }]);
});

test('a read index waits for what was proposed before it to be committed', () => {
  const conversation = leading();
  conversation.run(() => conversation.peer.propose(text('a')));
  conversation.run(() => conversation.peer.readIndex(5));
  const { nonce } = conversation.takeSent(1, 'ping').at(-1)!;
  conversation.hear(1, { type: 'pong', epoch: 1, nonce, payload: text('') });
  assert.equal(conversation.readIndexes, []);
  ack(conversation, 2, 1);
  assert.equal(conversation.readIndexes, [{ token: 5, zxid: makeZxid(1, 1) }]);
});

test.run();
