import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { LeaderContact } from '../../../core/zab/leader-contact.js';
import { makeZxid, type Peer } from '../../../core/zab/index.js';
import { ackEpoch, Conversation, entry, saysItLeads, text, TICK_MS } from './conversation.js';

const MARKER = makeZxid(1, 0);
const SYNC_LIMIT_MS = 5 * TICK_MS;
const INIT_LIMIT_MS = 10 * TICK_MS;

function leading(): Conversation {
  const conversation = new Conversation({ id: 3 });
  conversation.establish();
  conversation.promise(2);
  conversation.hear(2, { type: 'ack', epoch: 1, zxid: MARKER });
  conversation.forgetSent();
  return conversation;
}

function following(): Conversation {
  const conversation = new Conversation({ id: 1 });
  conversation.follow(1);
  conversation.hear(3, { type: 'diff', epoch: 1, after: 0n });
  conversation.hear(3, { type: 'proposal', epoch: 1, entries: [entry(1, 0)], commit: MARKER });
  conversation.hear(3, { type: 'upToDate', epoch: 1, commit: MARKER });
  return conversation;
}

function stateOf(peer: Peer): string {
  return peer.status().state;
}

test('a leader pings its learners twice in every tick', () => {
  const conversation = leading();
  conversation.passInCompany(4 * TICK_MS, [2], 1);
  const pings = conversation.takeSent(1, 'ping').length;
  assert.ok(pings >= 7 && pings <= 9, `${pings} pings in four ticks`);
});

test('a leader that hears no quorum for syncLimit ticks steps down', () => {
  const conversation = leading();
  conversation.pass(SYNC_LIMIT_MS);
  assert.is(stateOf(conversation.peer), 'leading');
  conversation.pass(TICK_MS);
  assert.is(stateOf(conversation.peer), 'looking');
});

test('a leader with a quorum drops a learner that is silent for syncLimit ticks, and stays', () => {
  const conversation = leading();
  conversation.passInCompany(SYNC_LIMIT_MS + TICK_MS, [1], 1);
  assert.equal(
    conversation.disconnects.map(({ peer }) => peer),
    [2],
  );
  assert.is(conversation.peer.status().isEstablishedLeader, true);
});

test('a leader steps down at once when its quorum looks for another', () => {
  const conversation = leading();
  for (const voter of [1, 2]) conversation.hearVote(voter, voter, MARKER, 2);
  conversation.pass(25);
  assert.is(stateOf(conversation.peer), 'looking');
});

test('a candidate does not wait for initLimit when one voter is gone and the other looks for another leader', () => {
  const conversation = new Conversation({ id: 3 });
  conversation.elect();
  assert.is(stateOf(conversation.peer), 'leading');
  conversation.disconnect(1);
  conversation.pass(TICK_MS);
  assert.is(stateOf(conversation.peer), 'leading', 'one that has not come yet still may');
  conversation.hearVote(2, 2, 0n, 2);
  conversation.pass(25);
  assert.is(stateOf(conversation.peer), 'looking');
});

test('a candidate keeps a voter that looks in the round of its own election, and no voter of a later round', () => {
  const conversation = new Conversation({ id: 3 });
  conversation.elect();
  conversation.disconnect(1);
  conversation.hearVote(2, 2, 0n, 1);
  conversation.pass(25);
  assert.is(stateOf(conversation.peer), 'leading');
  conversation.hearVote(2, 2, 0n, 2);
  conversation.pass(25);
  assert.is(stateOf(conversation.peer), 'looking');
});

test('a voter that looked for another leader counts for a candidate again once it wants to follow it', () => {
  const conversation = new Conversation({ id: 3 });
  conversation.elect();
  conversation.hearVote(2, 2, 0n, 2);
  conversation.hear(2, { type: 'learnerInfo', attempt: 1, acceptedEpoch: 0, standing: 'full' });
  conversation.disconnect(1);
  conversation.pass(25);
  assert.is(stateOf(conversation.peer), 'leading');
});

test('a voter that looked for another leader may come back to an established one', () => {
  const conversation = new Conversation({ id: 5, voters: [1, 2, 3, 4, 5] });
  conversation.elect();
  for (const voter of [1, 2])
    conversation.hear(voter, { type: 'learnerInfo', attempt: 1, acceptedEpoch: 0, standing: 'full' });
  for (const voter of [1, 2]) conversation.hear(voter, ackEpoch(1, []));
  for (const voter of [1, 2]) conversation.hear(voter, { type: 'ack', epoch: 1, zxid: MARKER });
  conversation.connect(3, 4);
  for (const voter of [3, 4]) conversation.hearVote(voter, voter, 0n, 2);
  conversation.disconnect(1);
  conversation.forgetSent();

  conversation.hearVote(3, 3, 0n, 2);
  const { state, canLead } = conversation.takeSent(3, 'notification').at(-1)!;
  assert.equal([state, canLead], ['leading', true]);
});

test('links that break and come back within syncLimit ticks cost no leadership', () => {
  const conversation = leading();
  for (const voter of [1, 2]) conversation.disconnect(voter);
  conversation.pass(SYNC_LIMIT_MS - TICK_MS);
  conversation.connect(1);
  conversation.hear(1, { type: 'learnerInfo', attempt: 2, acceptedEpoch: 1, standing: 'full' });
  conversation.hear(1, {
    type: 'ackEpoch',
    epoch: 1,
    isPromise: true,
    needsSnapshot: false,
    lastZxid: MARKER,
    epochs: [{ epoch: 1, lastZxid: MARKER }],
  });
  conversation.hear(1, { type: 'ack', epoch: 1, zxid: MARKER });
  conversation.passInCompany(INIT_LIMIT_MS, [1], 1);
  assert.is(conversation.peer.status().isEstablishedLeader, true);
});

test('a learner that echoes pings but acknowledges nothing for syncLimit ticks is dropped', () => {
  const conversation = leading();
  conversation.run(() => conversation.peer.propose(text('a')));
  conversation.hear(1, { type: 'ack', epoch: 1, zxid: makeZxid(1, 1) });
  conversation.passInCompany(SYNC_LIMIT_MS + TICK_MS, [1, 2], 1);
  assert.equal(conversation.disconnects, [
    { peer: 2, link: conversation.linkTo(2), reason: 'it acknowledges too slowly' },
  ]);
});

test('a learner that acknowledges steadily, but never everything, is kept under any load', () => {
  const conversation = leading();
  conversation.run(() => conversation.peer.propose(text('a')));
  for (let counter = 1; counter <= 20; counter++) {
    conversation.run(() => conversation.peer.propose(text('a')));
    conversation.hear(1, { type: 'ack', epoch: 1, zxid: makeZxid(1, counter + 1) });
    conversation.hear(2, { type: 'ack', epoch: 1, zxid: makeZxid(1, counter) });
    conversation.passInCompany(TICK_MS, [1, 2], 1);
  }
  assert.equal(conversation.disconnects, []);
});

test('a learner that synchronises has initLimit ticks to acknowledge what it was sent', () => {
  const conversation = new Conversation({ id: 3 });
  conversation.establish();
  conversation.promise(2);
  conversation.passInCompany(INIT_LIMIT_MS - TICK_MS, [1, 2], 1);
  assert.equal(conversation.disconnects, []);
  conversation.passInCompany(3 * TICK_MS, [1, 2], 1);
  assert.equal(conversation.disconnects, [
    { peer: 2, link: conversation.linkTo(2), reason: 'it acknowledges too slowly' },
  ]);
});

test('a learner that was told the epoch has initLimit ticks to promise it', () => {
  const conversation = new Conversation({ id: 3 });
  conversation.establish();
  conversation.hear(2, { type: 'learnerInfo', attempt: 1, acceptedEpoch: 0, standing: 'full' });
  conversation.passInCompany(INIT_LIMIT_MS - TICK_MS, [1], 1);
  assert.equal(conversation.disconnects, []);
  conversation.passInCompany(3 * TICK_MS, [1], 1);
  assert.equal(conversation.disconnects, [
    { peer: 2, link: conversation.linkTo(2), reason: 'it has been silent for too long' },
  ]);
});

test('ZOOKEEPER-2247: a leader whose own disk is stuck for syncLimit ticks steps down and tells everybody', () => {
  const conversation = leading();
  conversation.isDiskHeld = true;
  conversation.run(() => conversation.peer.propose(text('a')));
  for (const voter of [1, 2]) conversation.hear(voter, { type: 'ack', epoch: 1, zxid: makeZxid(1, 1) });
  conversation.forgetSent();
  conversation.passInCompany(SYNC_LIMIT_MS + TICK_MS, [1, 2], 1);
  assert.is(stateOf(conversation.peer), 'looking');
  assert.is(conversation.takeSent(1, 'notification')[0]!.vote.leader, 0);

  conversation.sync();
  assert.is(conversation.takeSent(1, 'notification')[0]!.vote.zxid, makeZxid(1, 1));
});

test('a leader whose slow disk confirms one batch after another keeps its leadership', () => {
  const conversation = leading();
  conversation.isDiskHeld = true;
  for (let counter = 1; counter <= 8; counter++) conversation.run(() => conversation.peer.propose(text('a')));
  const batches = conversation.persisted.slice(-8).map(({ number }) => number);
  for (const voter of [1, 2]) conversation.hear(voter, { type: 'ack', epoch: 1, zxid: makeZxid(1, 8) });
  for (const number of batches) {
    conversation.passInCompany(SYNC_LIMIT_MS - TICK_MS, [1, 2], 1);
    conversation.sync(number);
  }
  assert.is(conversation.peer.status().isEstablishedLeader, true);
});

test('a learner that hears nothing for syncLimit ticks looks for a leader', () => {
  const conversation = following();
  conversation.pass(SYNC_LIMIT_MS);
  assert.is(stateOf(conversation.peer), 'following');
  conversation.hear(3, { type: 'ping', epoch: 1, nonce: 1, heard: 0, payload: text('') });
  conversation.hear(3, { type: 'ping', epoch: 1, nonce: 2, heard: 1, payload: text('') });
  conversation.pass(SYNC_LIMIT_MS);
  assert.is(stateOf(conversation.peer), 'following');
  conversation.pass(TICK_MS);
  assert.is(stateOf(conversation.peer), 'looking');
});

test('a learner that hears only what the leader sent before it gave the learner up looks for a leader', () => {
  const conversation = following();
  for (let nonce = 1; nonce <= 20 && stateOf(conversation.peer) === 'following'; nonce++) {
    // A slow line goes on delivering; but no echo since the second is said to have been heard.
    conversation.hear(3, { type: 'ping', epoch: 1, nonce, heard: Math.min(2, nonce - 1), payload: text('') });
    conversation.pass(SYNC_LIMIT_MS / 4);
  }
  assert.is(stateOf(conversation.peer), 'looking');
});

test('a learner whose leader pings a thousand times per round trip keeps it', () => {
  const conversation = following();
  let nonce = 0;
  for (let step = 0; step < 3 * SYNC_LIMIT_MS; step += 25) {
    conversation.pass(25);
    // The leader hears each echo 200 ms later, when 1,000 more pings are under way.
    for (let count = 0; count < 125; count++) {
      nonce += 1;
      const heard = Math.max(0, nonce - 1_000);
      conversation.hear(3, { type: 'ping', epoch: 1, nonce, heard, payload: text('') });
    }
  }
  assert.is(stateOf(conversation.peer), 'following');
});

test('contact is proven by the oldest echo however many moments have passed since', () => {
  const contact = new LeaderContact(0);
  for (let nonce = 1; nonce <= 10_000; nonce++) contact.echoed(nonce, 0, nonce);
  contact.echoed(10_001, 1, 10_001);
  assert.is(contact.provenMs, 1);
  contact.echoed(10_002, 10_001, 10_002);
  assert.ok(contact.provenMs > 9_800 && contact.provenMs <= 10_001, `${contact.provenMs}`);
});

test('a learner leaves its leader the moment the link breaks, or the leader says it looks itself', () => {
  const broken = following();
  broken.disconnect(3);
  assert.is(stateOf(broken.peer), 'looking');

  const told = following();
  told.hearVote(3, 3, MARKER, 2);
  assert.is(stateOf(told.peer), 'looking');
});

test('a follower that is not invited yet leaves a leader that looks for a leader, in whatever round', () => {
  for (const round of [1, 2]) {
    const conversation = new Conversation({ id: 1 });
    conversation.connect(2, 3);
    conversation.hear(3, saysItLeads(3, { round: 2, epoch: 0 }));
    assert.is(stateOf(conversation.peer), 'following');
    // A process that was restarted begins in the first round.
    conversation.hearVote(3, 3, 0n, round);
    assert.is(stateOf(conversation.peer), 'looking');
  }
});

test('a follower that is not invited yet waits a tick for a broken link to its leader, and no longer', () => {
  const conversation = new Conversation({ id: 1 });
  conversation.connect(2, 3);
  conversation.hear(3, saysItLeads(3, { round: 1, epoch: 0 }));
  conversation.pass(3 * TICK_MS);
  conversation.disconnect(3);
  conversation.pass(TICK_MS);
  assert.is(stateOf(conversation.peer), 'following');
  conversation.connect(3);
  conversation.pass(3 * TICK_MS);
  assert.is(stateOf(conversation.peer), 'following');
  conversation.disconnect(3);
  conversation.pass(TICK_MS + 25);
  assert.is(stateOf(conversation.peer), 'looking');
});

test('a follower whose leader hands over to a member that it has no link to waits for a link for a tick', () => {
  const conversation = following();
  conversation.disconnect(2);
  conversation.hear(3, { type: 'handOver', epoch: 1, leader: 2, round: 1 });
  conversation.pass(TICK_MS);
  assert.is(conversation.peer.status().leader, 2);
  conversation.pass(25);
  assert.is(stateOf(conversation.peer), 'looking');
});

test('a learner whose leader does not answer within initLimit ticks looks again', () => {
  const conversation = new Conversation({ id: 1 });
  conversation.follow(1);
  conversation.pass(INIT_LIMIT_MS - 25);
  assert.is(stateOf(conversation.peer), 'following');
  conversation.pass(50);
  assert.is(stateOf(conversation.peer), 'looking');
});

test('a synchronization may take longer than initLimit ticks, as long as it goes on', () => {
  const conversation = new Conversation({ id: 1 });
  conversation.follow(1);
  conversation.hear(3, { type: 'snap', epoch: 1, zxid: MARKER, epochs: [{ epoch: 1, lastZxid: MARKER }] });
  for (let chunk = 0; chunk < 8; chunk++) {
    conversation.pass(SYNC_LIMIT_MS - TICK_MS);
    conversation.hear(3, { type: 'snapshotChunk', epoch: 1, bytes: text('x'), isLast: false });
  }
  assert.is(stateOf(conversation.peer), 'following');
});

test('a pause of the process is not taken for silence of the others', () => {
  const leader = leading();
  leader.nowMs += 60_000;
  leader.pass(TICK_MS);
  assert.is(leader.peer.status().isEstablishedLeader, true);

  const follower = following();
  follower.nowMs += 60_000;
  follower.pass(TICK_MS);
  assert.is(stateOf(follower.peer), 'following');
});

test('after a pause a leader is not sure of its quorum until that has echoed a ping sent since', () => {
  const conversation = leading();
  conversation.pass(50);
  const [stale] = conversation.takeSent(1, 'ping').slice(-1);
  assert.is(conversation.peer.status().isQuorumConfirmed, true);

  conversation.nowMs += 60_000;
  conversation.pass(25);
  assert.is(conversation.peer.status().isQuorumConfirmed, false);
  const [fresh] = conversation.takeSent(1, 'ping').slice(-1);
  conversation.hear(1, { type: 'pong', epoch: 1, nonce: stale!.nonce, payload: text('') });
  assert.is(conversation.peer.status().isQuorumConfirmed, false);
  conversation.hear(1, { type: 'pong', epoch: 1, nonce: fresh!.nonce, payload: text('') });
  assert.is(conversation.peer.status().isQuorumConfirmed, true);
});

test('attempts that fail one after another are made more and more slowly', () => {
  const conversation = new Conversation(
    { id: 1 },
    { acceptedEpoch: 9, snapshotZxid: 0n, epochs: [], entries: [] },
  );
  conversation.connect(2, 3);
  const attemptsWithin = (ms: number): number => {
    let attempts = 0;
    for (let passed = 0; passed < ms; passed += 25) {
      conversation.pass(25);
      conversation.hear(3, saysItLeads(3, { round: 50, epoch: 2 }));
      for (const { attempt } of conversation.takeSent(3, 'learnerInfo')) {
        attempts += 1;
        conversation.hear(3, { type: 'newEpoch', attempt, epoch: 2 });
      }
    }
    return attempts;
  };
  const first = attemptsWithin(1000);
  attemptsWithin(5000);
  const later = attemptsWithin(5000);
  assert.ok(first >= 3, `${first} attempts in the first second`);
  assert.ok(later <= 6, `${later} attempts in five seconds, later on`);
});

test.run();
