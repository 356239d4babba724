/** One test for each field failure of ZooKeeper's Zab that this design rules out, named after its report. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  InvalidPeerConfig,
  InvariantViolation,
  makeZxid,
  Peer,
  type Entry,
} from '../../../core/zab/index.js';
import {
  ackEpoch,
  Conversation,
  diskWith,
  EMPTY_DISK,
  entry,
  epochOfEntries,
  saysItFollows,
  saysItLeads,
  tableOf,
  text,
} from './conversation.js';

const HISTORY = epochOfEntries(2, 4);

function followerWith(history: readonly Entry[], acceptedEpoch = 2): Conversation {
  const conversation = new Conversation({ id: 1 }, diskWith(history, acceptedEpoch));
  conversation.follow(3);
  conversation.isDiskHeld = true;
  conversation.forgetSent();
  return conversation;
}

function acks(conversation: Conversation): bigint[] {
  return conversation.takeSent(3, 'ack').map(({ zxid }) => zxid);
}

test('ZOOKEEPER-4643, ZOOKEEPER-4785: a member that dies in the middle of a synchronization never votes with the new epoch and the old history', () => {
  const conversation = followerWith(HISTORY.slice(0, 2));
  conversation.hear(3, { type: 'diff', epoch: 3, after: makeZxid(2, 1) });
  conversation.hear(3, {
    type: 'proposal',
    epoch: 3,
    entries: [...HISTORY.slice(2), entry(3, 0)],
    commit: 0n,
  });
  const { entries } = conversation.persisted.at(-1)!;

  for (let durable = 0; durable <= entries.length; durable++) {
    const disk = diskWith([...HISTORY.slice(0, 2), ...entries.slice(0, durable)], 3);
    const restarted = new Conversation({ id: 1 }, disk);
    restarted.connect(2);
    const { vote } = restarted.takeSent(2, 'notification')[0]!;
    assert.is(vote.epoch === 3, durable === entries.length, `${durable} entries durable`);
  }
});

test('ZOOKEEPER-3911, ZOOKEEPER-4646: the marker is not acknowledged while anything before it is on its way to the disk', () => {
  const conversation = followerWith([]);
  conversation.hear(3, { type: 'diff', epoch: 3, after: 0n });
  conversation.hear(3, { type: 'proposal', epoch: 3, entries: HISTORY, commit: 0n });
  const first = conversation.persisted.at(-1)!.number;
  conversation.hear(3, { type: 'proposal', epoch: 3, entries: [entry(3, 0)], commit: 0n });
  assert.equal(acks(conversation), [0n]);
  conversation.sync(first);
  assert.equal(acks(conversation), [makeZxid(2, 4)]);
  conversation.sync();
  assert.equal(acks(conversation), [makeZxid(3, 0)]);
});

test('ZOOKEEPER-4685: no acknowledgement of a proposal overtakes that of the marker', () => {
  const conversation = followerWith(HISTORY);
  conversation.hear(3, { type: 'diff', epoch: 3, after: makeZxid(2, 4) });
  for (const counter of [0, 1, 2]) {
    conversation.hear(3, { type: 'proposal', epoch: 3, entries: [entry(3, counter)], commit: 0n });
  }
  conversation.sync();
  assert.equal(acks(conversation), [makeZxid(2, 4), makeZxid(3, 2)]);

  const leader = new Conversation({ id: 3 }, diskWith(HISTORY));
  leader.elect();
  leader.promise(1, HISTORY);
  leader.hear(1, { type: 'ack', epoch: 3, zxid: makeZxid(3, 0) });
  leader.run(() => leader.peer.propose(text('a')));
  leader.promise(2, HISTORY);
  leader.hear(2, { type: 'ack', epoch: 3, zxid: makeZxid(3, 1) });
  assert.is(leader.peer.status().committed, makeZxid(3, 1));
});

test('ZOOKEEPER-4394, ZOOKEEPER-3023: a commit before UPTODATE is remembered, whatever it finds in the queue', () => {
  const conversation = followerWith(HISTORY);
  conversation.hear(3, { type: 'diff', epoch: 3, after: makeZxid(2, 4) });
  conversation.hear(3, { type: 'commit', epoch: 3, zxid: makeZxid(2, 4) });
  assert.is(conversation.appliedZxids.at(-1), makeZxid(2, 4));
  conversation.hear(3, { type: 'proposal', epoch: 3, entries: [entry(3, 0)], commit: makeZxid(3, 0) });
  assert.is(conversation.appliedZxids.at(-1), makeZxid(2, 4));
  conversation.sync();
  assert.is(conversation.appliedZxids.at(-1), makeZxid(3, 0));
});

test('ZOOKEEPER-3104, ZOOKEEPER-3589: what is proposed while a snapshot is under way reaches the learner behind it, each once', () => {
  const conversation = new Conversation(
    { id: 3 },
    {
      acceptedEpoch: 2,
      snapshotZxid: makeZxid(2, 4),
      epochs: tableOf(HISTORY),
      entries: [],
    },
  );
  conversation.elect();
  conversation.promise(2, HISTORY);
  conversation.hear(2, { type: 'ack', epoch: 3, zxid: makeZxid(3, 0) });
  const propose = (words: string): void => {
    conversation.run(() => conversation.peer.propose(text(words)));
    conversation.hear(2, { type: 'ack', epoch: 3, zxid: conversation.peer.status().lastProposed });
  };

  conversation.promise(1, [], 0);
  const { request: read } = conversation.reads[0]!;
  propose('a');
  conversation.run(() => conversation.peer.entriesRead(read, null));
  const { request } = conversation.snapshots[0]!;
  propose('b');
  conversation.run(() => conversation.peer.snapshotOpened(request, makeZxid(3, 2)));
  propose('c');
  conversation.run(() => conversation.peer.snapshotRead(request, text('state'), true));
  propose('d');

  assert.is(conversation.takeSent(1, 'snap')[0]!.zxid, makeZxid(3, 2));
  const zxids = conversation
    .takeSent(1, 'proposal')
    .flatMap(({ entries }) => entries.map(({ zxid }) => zxid));
  assert.equal(zxids, [makeZxid(3, 3), makeZxid(3, 4)]);
});

test('ZOOKEEPER-2872: a snapshot is acknowledged only when it is durable in the place of the history', () => {
  const conversation = followerWith([]);
  const epochs = tableOf([...HISTORY, entry(3, 0)]);
  conversation.hear(3, { type: 'snap', epoch: 3, zxid: makeZxid(3, 0), epochs });
  conversation.hear(3, { type: 'snapshotChunk', epoch: 3, bytes: text('state'), isLast: true });
  assert.equal(acks(conversation), []);
  conversation.sync();
  assert.equal(acks(conversation), [makeZxid(3, 0)]);
});

test('ZOOKEEPER-3642: a snapshot that breaks off leaves no trace', () => {
  const conversation = followerWith(HISTORY);
  const before = conversation.peer.status();
  const batches = conversation.persisted.length;
  conversation.hear(3, {
    type: 'snap',
    epoch: 3,
    zxid: makeZxid(3, 7),
    epochs: tableOf([...HISTORY, entry(3, 7)]),
  });
  conversation.hear(3, { type: 'snapshotChunk', epoch: 3, bytes: text('half'), isLast: false });
  conversation.disconnect(3);
  assert.equal(
    conversation.installs.map(({ type }) => type),
    ['begin', 'chunk', 'abort'],
  );
  assert.is(conversation.persisted.length, batches);
  const after = conversation.peer.status();
  assert.equal([after.lastProposed, after.lastDurable], [before.lastProposed, before.lastDurable]);
});

test('ZOOKEEPER-2355: a member that loses its leader in a DIFF claims what it has received, not what it was promised', () => {
  const conversation = followerWith(HISTORY.slice(0, 2));
  conversation.isDiskHeld = false;
  conversation.hear(3, { type: 'diff', epoch: 3, after: makeZxid(2, 1) });
  conversation.hear(3, { type: 'proposal', epoch: 3, entries: HISTORY.slice(2, 3), commit: 0n });
  conversation.disconnect(3);
  const { vote } = conversation.takeSent(2, 'notification').at(-1)!;
  assert.is(vote.zxid, makeZxid(2, 2));
});

test('ZOOKEEPER-5094: a TRUNC that breaks off leaves memory and disk at the same place', () => {
  const conversation = followerWith(HISTORY);
  conversation.hear(3, { type: 'trunc', epoch: 3, after: makeZxid(2, 2) });
  conversation.disconnect(3);
  conversation.pass(100);
  assert.equal(
    conversation.takeSent(2, 'notification').filter(({ vote }) => vote.leader === 1),
    [],
  );
  conversation.sync();
  const { vote } = conversation.takeSent(2, 'notification').at(-1)!;
  assert.is(vote.zxid, makeZxid(2, 2));
  assert.is(conversation.peer.status().lastProposed, makeZxid(2, 2));
});

test('ZOOKEEPER-2678, ZOOKEEPER-2845, ZOOKEEPER-3526: an uncommitted tail is never applied before a leader has committed it, nor after it was cut', () => {
  const conversation = followerWith(HISTORY);
  assert.equal(conversation.applied, []);
  conversation.hear(3, { type: 'trunc', epoch: 3, after: makeZxid(2, 2) });
  conversation.hear(3, { type: 'proposal', epoch: 3, entries: [entry(3, 0)], commit: makeZxid(3, 0) });
  conversation.sync();
  assert.equal(conversation.appliedZxids, [makeZxid(2, 0), makeZxid(2, 1), makeZxid(2, 2), makeZxid(3, 0)]);
});

test('ZOOKEEPER-4712, ZOOKEEPER-4502: a vote is computed only when no write of the former role is under way', () => {
  const conversation = followerWith(HISTORY);
  conversation.hear(3, { type: 'diff', epoch: 3, after: makeZxid(2, 4) });
  conversation.hear(3, { type: 'proposal', epoch: 3, entries: [entry(3, 0)], commit: 0n });
  conversation.disconnect(3);
  conversation.pass(1000);
  assert.equal(
    conversation.takeSent(2, 'notification').map(({ vote }) => vote.leader),
    [0],
  );
  conversation.sync();
  assert.is(conversation.takeSent(2, 'notification')[0]!.vote.zxid, makeZxid(3, 0));
});

test('ZOOKEEPER-4882: what a quorum has committed is not applied where the own disk has failed', () => {
  const conversation = followerWith(HISTORY);
  conversation.hear(3, { type: 'diff', epoch: 3, after: makeZxid(2, 4) });
  conversation.hear(3, { type: 'proposal', epoch: 3, entries: [entry(3, 0)], commit: makeZxid(3, 0) });
  conversation.run(() => conversation.peer.storageFailed());
  conversation.pass(1000);
  assert.is(conversation.appliedZxids.at(-1), makeZxid(2, 4));
});

test('ZOOKEEPER-4925: entries with a gap are refused wherever they come from', () => {
  const follower = followerWith(HISTORY);
  follower.hear(3, { type: 'diff', epoch: 3, after: makeZxid(2, 4) });
  follower.hear(3, { type: 'proposal', epoch: 3, entries: [entry(3, 1)], commit: 0n });
  assert.is(follower.peer.status().state, 'looking');
  assert.throws(
    () =>
      new Peer(
        { id: 1, voters: [1], tickMs: 100, seed: 1 },
        { ...EMPTY_DISK, acceptedEpoch: 2, entries: [HISTORY[0]!, HISTORY[2]!] },
      ),
    (error: unknown) => error instanceof InvalidPeerConfig,
  );
});

test('ZOOKEEPER-2418, ZOOKEEPER-4352: a log that does not continue what was sent is an alarm, and no log is not an empty one', () => {
  const conversation = new Conversation(
    { id: 3 },
    { acceptedEpoch: 2, snapshotZxid: makeZxid(2, 4), epochs: tableOf(HISTORY), entries: [] },
  );
  conversation.elect();
  conversation.promise(1, HISTORY.slice(0, 2));
  const { request } = conversation.reads[0]!;
  assert.throws(
    () => conversation.peer.entriesRead(request, HISTORY.slice(3)),
    (error: unknown) =>
      error instanceof InvariantViolation && /must continue what was sent/.test(error.message),
  );

  const other = new Conversation(
    { id: 3 },
    { acceptedEpoch: 2, snapshotZxid: makeZxid(2, 4), epochs: tableOf(HISTORY), entries: [] },
  );
  other.elect();
  other.promise(1, HISTORY.slice(0, 2));
  const [read] = other.reads;
  other.run(() => other.peer.entriesRead(read!.request, []));
  assert.equal(
    other.snapshots.map(({ type }) => type),
    ['open'],
  );
});

test('ZOOKEEPER-1549, ZOOKEEPER-4837: what is committed here is never cut, nor replaced by less: the member stops instead', () => {
  const restored = {
    acceptedEpoch: 2,
    snapshotZxid: makeZxid(2, 3),
    epochs: tableOf(HISTORY.slice(0, 4)),
    entries: HISTORY.slice(4),
  };
  const cut = new Conversation({ id: 1 }, restored);
  cut.follow(3);
  assert.throws(
    () => cut.hear(3, { type: 'trunc', epoch: 3, after: makeZxid(2, 2) }),
    (error: unknown) => error instanceof InvariantViolation,
  );
  const replaced = new Conversation({ id: 1 }, restored);
  replaced.follow(3);
  assert.throws(
    () =>
      replaced.hear(3, {
        type: 'snap',
        epoch: 3,
        zxid: makeZxid(2, 2),
        epochs: tableOf(HISTORY.slice(0, 3)),
      }),
    (error: unknown) => error instanceof InvariantViolation,
  );
});

test('ZOOKEEPER-1549: a snapshot for a learner holds nothing that is not committed', () => {
  const conversation = new Conversation(
    { id: 3 },
    {
      acceptedEpoch: 2,
      snapshotZxid: makeZxid(2, 3),
      epochs: tableOf(HISTORY.slice(0, 4)),
      entries: HISTORY.slice(4),
    },
  );
  conversation.elect();
  conversation.promise(1, []);
  const [read] = conversation.reads;
  conversation.run(() => conversation.peer.entriesRead(read!.request, null));
  const [open] = conversation.snapshots;
  assert.throws(
    () => conversation.peer.snapshotOpened(open!.request, makeZxid(2, 4)),
    (error: unknown) => error instanceof InvariantViolation,
  );
});

test('ZOOKEEPER-1653, ZOOKEEPER-2354, ZOOKEEPER-2307, ZOOKEEPER-4269: a crash at any point of a new epoch leaves a disk that can be started from', () => {
  const conversation = followerWith(HISTORY.slice(0, 3));
  conversation.hear(3, { type: 'trunc', epoch: 3, after: makeZxid(2, 1) });
  conversation.hear(3, { type: 'proposal', epoch: 3, entries: [entry(3, 0), entry(3, 1)], commit: 0n });
  const disks: { entries: readonly Entry[]; acceptedEpoch: number }[] = [
    { entries: HISTORY.slice(0, 3), acceptedEpoch: 2 },
    { entries: HISTORY.slice(0, 3), acceptedEpoch: 3 },
    { entries: HISTORY.slice(0, 2), acceptedEpoch: 3 },
    { entries: [...HISTORY.slice(0, 2), entry(3, 0)], acceptedEpoch: 3 },
    { entries: [...HISTORY.slice(0, 2), entry(3, 0), entry(3, 1)], acceptedEpoch: 3 },
  ];
  for (const { entries, acceptedEpoch } of disks) {
    const restarted = new Conversation({ id: 1 }, diskWith(entries, acceptedEpoch));
    assert.is(restarted.peer.status().lastProposed, entries.at(-1)!.zxid);
  }
});

test('ZOOKEEPER-582: a new epoch is larger than that of the snapshot, of the log and of every promise', () => {
  const conversation = new Conversation(
    { id: 1, voters: [1] },
    {
      acceptedEpoch: 6,
      snapshotZxid: makeZxid(2, 4),
      epochs: tableOf(HISTORY),
      entries: epochOfEntries(4, 1),
    },
  );
  assert.is(conversation.peer.status().epoch, 7);
  assert.is(conversation.peer.nextZxid(), makeZxid(7, 1));
});

test('ZOOKEEPER-1732, ZOOKEEPER-1805, ZOOKEEPER-1818: a leader is followed whatever zxid and round its followers have', () => {
  const conversation = new Conversation({ id: 1 }, diskWith(HISTORY));
  conversation.connect(2, 3);
  conversation.hear(2, saysItFollows(3, { round: 4, epoch: 5 }));
  conversation.hear(3, saysItLeads(3, { round: 6, epoch: 5, zxid: makeZxid(4, 9) }));
  assert.is(conversation.peer.status().leader, 3);
});

test('ZOOKEEPER-1732: once an epoch is established, leader and followers answer with that epoch', () => {
  const leader = new Conversation({ id: 3 }, diskWith(HISTORY));
  leader.establish(HISTORY);
  leader.forgetSent();
  leader.hearVote(2, 2, 0n, 9);
  assert.equal(leader.takeSent(2, 'notification')[0]!.vote, { leader: 3, epoch: 3, zxid: makeZxid(2, 4) });

  const follower = followerWith(HISTORY);
  follower.isDiskHeld = false;
  follower.hear(3, { type: 'diff', epoch: 3, after: makeZxid(2, 4) });
  follower.hear(3, { type: 'proposal', epoch: 3, entries: [entry(3, 0)], commit: makeZxid(3, 0) });
  follower.hear(3, { type: 'upToDate', epoch: 3, commit: makeZxid(3, 0) });
  follower.forgetSent();
  follower.hearVote(2, 2, 0n, 9);
  const { vote } = follower.takeSent(2, 'notification')[0]!;
  assert.equal([vote.leader, vote.epoch], [3, 3]);
});

test('ZOOKEEPER-3109: a candidate whose voters have changed their minds gives up at once', () => {
  const conversation = new Conversation({ id: 3 }, diskWith(HISTORY));
  conversation.elect();
  conversation.hearVote(1, 1, makeZxid(2, 4), 2);
  conversation.pass(25);
  assert.is(conversation.peer.status().state, 'leading');
  conversation.hear(2, saysItFollows(1, { round: 2, epoch: 2 }));
  conversation.pass(25);
  assert.is(conversation.peer.status().state, 'looking');
});

test('a deposed leader commits nothing: acknowledgements that it gathers later are of another epoch', () => {
  const conversation = new Conversation({ id: 3 }, diskWith(HISTORY));
  conversation.establish(HISTORY);
  conversation.run(() => conversation.peer.propose(text('a')));
  conversation.hear(1, { type: 'ack', epoch: 4, zxid: makeZxid(3, 1) });
  conversation.hear(1, ackEpoch(4, HISTORY));
  assert.is(conversation.peer.status().committed, makeZxid(3, 0));
});

test.run();
