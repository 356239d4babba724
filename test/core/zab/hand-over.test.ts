import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { makeZxid, type PeerConfig } from '../../../core/zab/index.js';
import { Conversation, entry, saysItFollows, text, TICK_MS } from './conversation.js';
import { PeerCluster } from './peer-cluster.js';

const MARKER = makeZxid(1, 0);

function leading(config: Partial<PeerConfig> = {}): Conversation {
  const conversation = new Conversation({ id: 3, ...config });
  conversation.establish();
  conversation.promise(2);
  conversation.hear(2, { type: 'ack', epoch: 1, zxid: MARKER });
  conversation.forgetSent();
  return conversation;
}

function settledCluster(): PeerCluster {
  const cluster = new PeerCluster(1, { voters: 3, observers: 1 });
  cluster.startAll();
  cluster.runUntil(() => cluster.isSettled(), 'an ensemble is formed');
  return cluster;
}

test('a leader that is to hand over admits nothing more, and waits for what is in flight', () => {
  const conversation = leading();
  conversation.run(() => conversation.peer.propose(text('a')));
  conversation.run(() => assert.is(conversation.peer.transferLeadership(), true));
  assert.is(conversation.peer.status().admits, false);
  assert.is(conversation.peer.status().isServing, true);
  assert.equal(conversation.takeSent(1, 'handOver'), []);

  conversation.hear(1, { type: 'ack', epoch: 1, zxid: makeZxid(1, 1) });
  assert.equal(conversation.takeSent(1, 'handOver'), [], 'the other follower has clients to answer, too');
  conversation.hear(2, { type: 'ack', epoch: 1, zxid: makeZxid(1, 1) });
  assert.is(conversation.takeSent(1, 'handOver')[0]!.leader, 2);
  assert.is(conversation.peer.status().state, 'following');
  assert.is(conversation.takeSent(2, 'learnerInfo').length, 1);
  assert.is(conversation.peer.status().endedByHandOver, true);
});

test('a leader that is to hand over waits for a follower that does not keep up until it has given that one up', () => {
  const conversation = leading();
  conversation.run(() => conversation.peer.propose(text('a')));
  conversation.run(() => conversation.peer.transferLeadership());
  conversation.hear(1, { type: 'ack', epoch: 1, zxid: makeZxid(1, 1) });
  conversation.passInCompany(5 * TICK_MS - 25, [1, 2], 1);
  assert.equal(conversation.takeSent(1, 'handOver'), []);
  conversation.passInCompany(100, [1, 2], 1);
  assert.is(conversation.takeSent(1, 'handOver')[0]!.leader, 1);
});

test('a leader hands over when it has applied everything itself, and not when others have committed it', () => {
  const conversation = leading();
  conversation.isDiskHeld = true;
  conversation.run(() => conversation.peer.propose(text('a')));
  conversation.run(() => conversation.peer.transferLeadership());
  for (const follower of [1, 2]) conversation.hear(follower, { type: 'ack', epoch: 1, zxid: makeZxid(1, 1) });
  conversation.passInCompany(2 * TICK_MS, [1, 2], 1);
  assert.is(conversation.peer.status().committed, makeZxid(1, 1));
  assert.equal(conversation.takeSent(1, 'handOver'), []);
  conversation.sync();
  assert.is(conversation.takeSent(1, 'handOver').length, 1);
});

test('the successor hears of all that is committed before it hears of the hand-over', () => {
  const conversation = leading();
  conversation.run(() => conversation.peer.propose(text('a')));
  conversation.run(() => conversation.peer.transferLeadership());
  for (const follower of [1, 2]) conversation.hear(follower, { type: 'ack', epoch: 1, zxid: makeZxid(1, 1) });
  assert.equal(conversation.sentTypes(2), ['proposal', 'commit', 'handOver', 'learnerInfo']);
});

test('a leader that was to succeed itself hands over to another one when it is asked to leave', () => {
  const conversation = leading({ limits: { epochCounter: 1 } });
  conversation.run(() => conversation.peer.propose(text('a')));
  assert.is(conversation.peer.status().admits, false, 'its epoch is used up');
  conversation.run(() => assert.is(conversation.peer.transferLeadership(), true));
  for (const follower of [1, 2]) conversation.hear(follower, { type: 'ack', epoch: 1, zxid: makeZxid(1, 1) });
  assert.is.not(conversation.takeSent(1, 'handOver')[0]!.leader, 3);
});

test('leadership cannot be handed to nobody', () => {
  const alone = new Conversation({ id: 1, voters: [1] });
  assert.is(alone.peer.transferLeadership(), false);
  assert.is(alone.peer.status().admits, true);
});

test('a leader carries on if no follower has caught up within syncLimit ticks', () => {
  const conversation = leading();
  conversation.run(() => conversation.peer.propose(text('a')));
  conversation.run(() => conversation.peer.transferLeadership());
  for (let passed = 0; passed < 600; passed += 50) {
    conversation.passInCompany(50, [1, 2], 1);
    assert.is(conversation.peer.status().state, 'leading');
  }
  conversation.connect(1, 2);
  conversation.promise(1, [entry(1, 0)], 1);
  conversation.hear(1, { type: 'ack', epoch: 1, zxid: makeZxid(1, 1) });
  assert.is(conversation.peer.status().admits, true);
});

test('a follower that is handed the leadership goes to discovery at once', () => {
  const conversation = new Conversation({ id: 1 });
  conversation.follow(1);
  conversation.hear(3, { type: 'diff', epoch: 1, after: 0n });
  conversation.hear(3, { type: 'proposal', epoch: 1, entries: [entry(1, 0)], commit: MARKER });
  conversation.hear(3, { type: 'handOver', epoch: 1, leader: 1, round: 1 });
  assert.is(conversation.peer.status().state, 'leading');
  assert.is(conversation.peer.status().endedByHandOver, false, 'no clients were served yet');
  assert.is(conversation.promise(2, [entry(1, 0)]), 2);
  conversation.hear(2, { type: 'ack', epoch: 2, zxid: makeZxid(2, 0) });
  assert.is(conversation.peer.status().isEstablishedLeader, true);
});

test('a follower that hears of a hand-over before the successor does waits for that one', () => {
  const conversation = new Conversation({ id: 1 });
  conversation.follow(1);
  conversation.hear(3, { type: 'diff', epoch: 1, after: 0n });
  conversation.hear(3, { type: 'proposal', epoch: 1, entries: [entry(1, 0)], commit: MARKER });
  conversation.hear(3, { type: 'handOver', epoch: 1, leader: 2, round: 1 });
  const { attempt } = conversation.takeSent(2, 'learnerInfo').at(-1)!;

  conversation.hear(2, saysItFollows(3, { round: 1, epoch: 1 }));

  const { state, leader } = conversation.peer.status();
  assert.equal([state, leader], ['following', 2]);
  conversation.hear(2, { type: 'newEpoch', attempt, epoch: 2 });
  assert.is(conversation.takeSent(2, 'ackEpoch').length, 1);
});

test('a follower gives up a successor that follows somebody else after all', () => {
  const conversation = new Conversation({ id: 1, voters: [1, 2, 3, 4, 5] });
  conversation.follow(1);
  conversation.connect(4);
  conversation.hear(3, { type: 'diff', epoch: 1, after: 0n });
  conversation.hear(3, { type: 'proposal', epoch: 1, entries: [entry(1, 0)], commit: MARKER });
  conversation.hear(3, { type: 'handOver', epoch: 1, leader: 2, round: 1 });

  conversation.hear(2, saysItFollows(4, { round: 1, epoch: 1 }));

  assert.is(conversation.peer.status().state, 'looking');
});

test('an ensemble hands over its leadership in less time than an election takes, and loses nothing', () => {
  const cluster = settledCluster();
  for (let count = 0; count < 20; count++) cluster.propose();
  const former = cluster.leader()!;
  const startedMs = cluster.time.nowMs;
  former.transferLeadership();
  cluster.runUntil(() => {
    const leader = cluster.leader();
    return leader !== undefined && leader !== former;
  }, 'somebody else leads');
  assert.ok(cluster.time.nowMs - startedMs < 200, `${cluster.time.nowMs - startedMs} ms`);
  cluster.demandProgress();
  assert.is(cluster.ghost.list.length, 20 + 2 + 3);
  assert.is(cluster.ghost.epochs, 2);
});

test('when the leader dies, the next one serves after a few round trips and syncs', () => {
  const cluster = settledCluster();
  for (let count = 0; count < 20; count++) cluster.propose();
  const former = cluster.leader()!;
  const startedMs = cluster.time.nowMs;
  former.crash();
  cluster.runUntil(() => cluster.leader() !== undefined, 'somebody else leads');
  assert.ok(cluster.time.nowMs - startedMs < 250, `${cluster.time.nowMs - startedMs} ms`);
  cluster.heal();
  cluster.demandProgress();
});

test('an ensemble whose epoch is used up opens the next one with the same leader, and loses nothing', () => {
  const cluster = new PeerCluster(2, { voters: 3, observers: 1, limits: { epochCounter: 10 } });
  cluster.startAll();
  cluster.runUntil(() => cluster.isSettled(), 'an ensemble is formed');
  const { id } = cluster.leader()!;
  for (let count = 0; count < 25; count++) {
    cluster.runUntil(() => cluster.leader()?.status()?.admits === true, 'a leader admits');
    cluster.propose();
  }
  cluster.runUntil(() => cluster.isSettled() && cluster.ghost.epochs === 3, 'the third epoch');
  assert.is(cluster.leader()!.id, id);
  assert.is(cluster.ghost.list.length, 25 + 3);
});

test('a member whose storage has failed takes part in nothing any more, and says so', () => {
  const conversation = leading();
  conversation.run(() => conversation.peer.propose(text('a')));
  conversation.forgetSent();
  conversation.run(() => conversation.peer.storageFailed());
  const { state, lastChange } = conversation.peer.status();
  assert.equal([state, lastChange], ['looking', 'the storage has failed']);
  assert.is(conversation.takeSent(1, 'notification')[0]!.state, 'looking');

  const batches = conversation.persisted.length;
  conversation.hearVote(1, 1, MARKER, 5);
  conversation.hear(1, { type: 'learnerInfo', attempt: 9, acceptedEpoch: 1, standing: 'full' });
  conversation.pass(5000);
  assert.equal(conversation.takeSent(1, 'notification'), []);
  assert.is(conversation.persisted.length, batches);
});

test('after a hand-over everybody who asks is told the successor, by the old leader and by those who follow', () => {
  const leader = leading();
  leader.run(() => leader.peer.transferLeadership());
  leader.forgetSent();
  leader.hearVote(1, 1, MARKER, 1);
  assert.is(leader.takeSent(1, 'notification').at(-1)!.vote.leader, 2);

  const follower = new Conversation({ id: 1 });
  follower.follow(1);
  follower.hear(3, { type: 'handOver', epoch: 1, leader: 2, round: 5 });
  follower.forgetSent();
  follower.hearVote(3, 3, MARKER, 1);
  const { vote, round } = follower.takeSent(3, 'notification').at(-1)!;
  assert.equal([vote.leader, round], [2, 5]);
});

test('a leader whose only learner is an observer hands over to nobody, not even when its disk is stuck', () => {
  const self = new Conversation({ id: 3, voters: [3], observers: [4] });
  self.pass(20 * TICK_MS);
  self.connect(4);
  self.pass(3 * TICK_MS);
  const { epoch } = self.peer.status();
  self.promise(4, []);
  self.hear(4, { type: 'ack', epoch, zxid: makeZxid(epoch, 0) });
  assert.ok(self.peer.learners()[0]!.isUpToDate);
  self.run(() => assert.is(self.peer.transferLeadership(), false));
  assert.ok(self.peer.admits);
  self.isDiskHeld = true;
  self.run(() => self.peer.propose(text('a')));
  self.passInCompany(20 * TICK_MS, [4], epoch);
  assert.ok(self.peer.status().isEstablishedLeader);
});

test.run();
