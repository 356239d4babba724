import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { makeZxid, type PeerMessage } from '../../../core/zab/index.js';
import { ackEpoch, Conversation, diskWith, EMPTY_DISK, entry, text } from './conversation.js';
import { PeerCluster } from './peer-cluster.js';
import type { DrivenPeer } from './driven-peer.js';

const HISTORY = [entry(1, 0), entry(1, 1)];

/** Member 3 leads epoch 2 with member 1; member 2 does not take part yet. */
function leading(): Conversation {
  const conversation = new Conversation({ id: 3 }, diskWith(HISTORY));
  conversation.establish(HISTORY);
  conversation.forgetSent();
  return conversation;
}

/** Member 2 has lost its disk and comes to follow. */
function rejoin(conversation: Conversation, epoch: number, attempt = 1): void {
  const info = { type: 'learnerInfo', attempt, acceptedEpoch: epoch - 1, standing: 'rejoining' } as const;
  conversation.hear(2, info);
  conversation.hear(2, ackEpoch(epoch, []));
  conversation.hear(2, { type: 'ack', epoch, zxid: makeZxid(epoch, 0) });
}

/** Own time passes; only these answer pings. Until something of that type is sent to member 2. */
function passUntilSent(conversation: Conversation, type: PeerMessage['type']): void {
  for (let passed = 0; passed < 3_000 && !conversation.sentTypes(2).includes(type); passed += 50) {
    conversation.passInCompany(50, [1, 2], 2);
  }
  assert.ok(conversation.sentTypes(2).includes(type), `${type} was sent`);
}

function settled(voters: number, seed = 5): PeerCluster {
  const cluster = new PeerCluster(seed, { voters, observers: 0 });
  cluster.startAll();
  cluster.runUntil(() => cluster.isSettled(), 'an ensemble is formed');
  return cluster;
}

function followersOf(cluster: PeerCluster): DrivenPeer[] {
  return cluster.members.filter((member) => member !== cluster.leader());
}

test('a voter that has forgotten something is brought up to date, but its acknowledgements commit nothing', () => {
  const conversation = leading();
  rejoin(conversation, 2);
  assert.ok(conversation.sentTypes(2).includes('upToDate'));
  assert.equal(
    conversation.peer.learners().find(({ id }) => id === 2),
    { id: 2, isVoter: true, isRejoining: true, isUpToDate: true, acked: makeZxid(2, 0) },
  );

  conversation.run(() => conversation.peer.propose(text('a')));
  conversation.hear(2, { type: 'ack', epoch: 2, zxid: makeZxid(2, 1) });
  assert.is(conversation.peer.status().committed, makeZxid(2, 0));
  conversation.hear(1, { type: 'ack', epoch: 2, zxid: makeZxid(2, 1) });
  assert.is(conversation.peer.status().committed, makeZxid(2, 1));
});

test('its answers to pings are no sign that its leader still leads', () => {
  const conversation = leading();
  rejoin(conversation, 2);
  conversation.run(() => conversation.peer.readIndex(9));
  const { nonce } = conversation.takeSent(2, 'ping').at(-1)!;
  conversation.hear(2, { type: 'pong', epoch: 2, nonce, payload: text('') });
  assert.equal(conversation.readIndexes, []);

  for (let passed = 0; passed < 1_000; passed += 50) conversation.passInCompany(50, [2], 2);
  assert.is(conversation.peer.status().state, 'looking', 'with that one alone the leader has no quorum');
});

test('it is not taken back in an epoch that was fixed before its loss was known, but the leader opens a later one', () => {
  const conversation = leading();
  rejoin(conversation, 2);
  assert.not(
    conversation.sentTypes(2).includes('readmit'),
    'a promise that it forgot may still outdo epoch 2',
  );

  passUntilSent(conversation, 'handOver');
  assert.not(conversation.sentTypes(2).includes('readmit'));
  conversation.forgetSent();
  conversation.promise(1, [...HISTORY, entry(2, 0)]);
  conversation.hear(1, { type: 'ack', epoch: 3, zxid: makeZxid(3, 0) });
  rejoin(conversation, 3, 2);
  assert.ok(conversation.sentTypes(2).includes('readmit'));

  conversation.run(() => conversation.peer.propose(text('a')));
  conversation.hear(2, { type: 'ack', epoch: 3, zxid: makeZxid(3, 1) });
  assert.is(
    conversation.peer.status().committed,
    makeZxid(3, 0),
    'it has not confirmed yet that it remembers',
  );
  conversation.hear(2, { type: 'readmitted', epoch: 3 });
  assert.is(conversation.peer.status().committed, makeZxid(3, 1));
});

test('another process of the same member, over a new link, is not taken for the one whose loss was known', () => {
  const conversation = leading();
  rejoin(conversation, 2);
  passUntilSent(conversation, 'handOver');
  conversation.forgetSent();
  conversation.promise(1, [...HISTORY, entry(2, 0)]);
  conversation.hear(1, { type: 'ack', epoch: 3, zxid: makeZxid(3, 0) });

  conversation.disconnect(2);
  conversation.connect(2);
  rejoin(conversation, 3);

  assert.not(conversation.sentTypes(2).includes('readmit'));
});

test('nobody is taken back before the epoch is established without it', () => {
  const conversation = new Conversation({ id: 3 }, diskWith(HISTORY));
  conversation.connect(1, 2);
  const [vote] = conversation.takeSent(1, 'notification').slice(-1);
  conversation.hear(2, { ...vote!, state: 'looking', standing: 'rejoining' });
  conversation.hear(1, { ...vote!, state: 'looking' });
  conversation.hear(2, { type: 'learnerInfo', attempt: 1, acceptedEpoch: 0, standing: 'rejoining' });
  assert.equal(conversation.takeSent(2, 'newEpoch'), [], 'its word is no quorum with the leader');

  conversation.promise(1, HISTORY);
  conversation.hear(2, ackEpoch(2, []));
  conversation.hear(2, { type: 'ack', epoch: 2, zxid: makeZxid(2, 0) });
  assert.is(conversation.peer.status().phase, 'synchronization');
  assert.not(conversation.sentTypes(2).includes('readmit'));

  conversation.hear(1, { type: 'ack', epoch: 2, zxid: makeZxid(2, 0) });
  assert.ok(conversation.sentTypes(2).includes('readmit'));
});

test('a leader opens no new epoch while a voter makes its readmission durable', () => {
  const conversation = new Conversation({ id: 3 }, diskWith(HISTORY));
  conversation.connect(1, 2);
  const [vote] = conversation.takeSent(1, 'notification').slice(-1);
  conversation.hear(2, { ...vote!, state: 'looking', standing: 'rejoining' });
  conversation.hear(1, { ...vote!, state: 'looking' });
  conversation.promise(1, HISTORY);
  conversation.hear(1, { type: 'ack', epoch: 2, zxid: makeZxid(2, 0) });
  rejoin(conversation, 2);
  assert.ok(conversation.sentTypes(2).includes('readmit'));

  for (let passed = 0; passed < 2_000; passed += 50) conversation.passInCompany(50, [1, 2], 2);
  assert.equal(conversation.takeSent(1, 'handOver'), []);
  assert.ok(conversation.peer.status().admits);
  conversation.hear(2, { type: 'readmitted', epoch: 2 });
  assert.not(conversation.peer.learners().find(({ id }) => id === 2)!.isRejoining);
});

test('a member says that it can be counted again only when its disk says so', () => {
  const follower = new Conversation({ id: 1 }, { ...EMPTY_DISK, rejoining: 'new' });
  follower.follow(2);
  follower.hear(3, { type: 'diff', epoch: 2, after: 0n });
  follower.hear(3, { type: 'proposal', epoch: 2, entries: [entry(2, 0)], commit: makeZxid(2, 0) });
  assert.is(follower.peer.status().isRejoining, true);

  follower.isDiskHeld = true;
  follower.hear(3, { type: 'readmit', epoch: 2 });
  assert.is(follower.persisted.at(-1)!.rejoining, 'founding');
  assert.equal(follower.takeSent(3, 'readmitted'), []);
  follower.sync();

  assert.is(follower.takeSent(3, 'readmitted').length, 1);
  assert.is(follower.peer.status().isRejoining, false);
});

test('a member with an empty directory that follows a founded ensemble makes durable that it has lost its disk', () => {
  const follower = new Conversation({ id: 1 }, { ...EMPTY_DISK, rejoining: 'new' });
  follower.follow(2);
  follower.hear(3, { type: 'diff', epoch: 2, after: 0n });
  follower.hear(3, { type: 'proposal', epoch: 2, entries: [entry(2, 0)], commit: makeZxid(2, 0) });
  follower.hear(3, { type: 'upToDate', epoch: 2, commit: makeZxid(2, 0) });
  assert.is(follower.persisted.at(-1)!.rejoining, 'damaged');
  follower.hear(3, { type: 'readmit', epoch: 2 });
  assert.is(follower.persisted.at(-1)!.rejoining, null);
});

test('a leader whose only follower comes back without its disk has no quorum, though that one answers', () => {
  const conversation = leading();
  conversation.connect(1);
  conversation.hear(1, { type: 'learnerInfo', attempt: 1, acceptedEpoch: 0, standing: 'empty' });
  conversation.hear(1, ackEpoch(2, []));
  conversation.hear(1, { type: 'ack', epoch: 2, zxid: makeZxid(2, 0) });
  for (let passed = 0; passed < 1_000; passed += 50) conversation.passInCompany(50, [1], 2);
  assert.is(conversation.peer.status().state, 'looking');
});

test('a new ensemble begins when all of its voters are there and empty, and not before', () => {
  for (let seed = 1; seed <= 20; seed++) {
    const cluster = new PeerCluster(seed, { voters: 3, observers: 1 });
    for (const { disk } of cluster.members) disk.wipe();
    for (const id of [1, 2, 4]) cluster.member(id).start();
    cluster.run(10_000);
    assert.is(cluster.ghost.epochs, 0);

    cluster.member(3).start();
    cluster.runUntil(() => cluster.isSettled(), 'they have begun');
    cluster.demandProgress();
  }
});

test('what only wiped voters and less than a quorum are left to do is to wait, however often they start', () => {
  const cluster = settled(3);
  cluster.propose();
  cluster.runUntil(() => cluster.isSettled(), 'a transaction is everywhere');
  const [wiped, away] = followersOf(cluster);
  away!.crash();
  wiped!.loseDisk('wiped');
  const established = cluster.ghost.epochs;
  for (let round = 0; round < 5; round++) {
    wiped!.start();
    cluster.run(4_000);
    wiped!.crash();
  }
  assert.is(cluster.ghost.epochs, established);

  wiped!.start();
  away!.start();
  cluster.runUntil(() => cluster.isSettled(), 'all count again');
  cluster.demandProgress();
});

test('voters that lose their disks one after the other, in turn and for ever, lose nothing', () => {
  for (const voters of [3, 5]) {
    const cluster = settled(voters);
    for (let round = 0; round < 12; round++) {
      cluster.propose();
      const loser = cluster.members[round % voters]!;
      loser.loseDisk(round % 3 === 2 ? 'damaged' : 'wiped');
      cluster.run(round * 10);
      loser.start();
      cluster.propose();
      cluster.runUntil(() => cluster.isSettled(), `round ${round}`);
    }
    assert.ok(cluster.ghost.list.length > 12);
    cluster.demandProgress();
  }
});

test('a voter that was taken back makes a quorum again', () => {
  const cluster = settled(3);
  const [wiped, other] = followersOf(cluster);
  wiped!.loseDisk('wiped');
  wiped!.start();
  cluster.runUntil(() => cluster.isSettled(), 'it is taken back');

  other!.crash();
  const before = cluster.ghost.list.length;
  cluster.run(3_000);
  cluster.propose();
  cluster.runUntil(() => cluster.ghost.list.length > before, 'two of three go on');
});

test.run();
