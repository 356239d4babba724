import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { makeZxid, type Entry, type PeerLimits, type RestoredHistory } from '../../../core/zab/index.js';
import {
  ackEpoch,
  Conversation,
  diskWith,
  entry,
  epochOfEntries,
  saysItLeads,
  tableOf,
  text,
  TICK_MS,
} from './conversation.js';

/** Epochs 1 and 2, then the epoch 3 that the leader of these tests establishes. */
const HISTORY = [...epochOfEntries(1, 3), ...epochOfEntries(2, 4)];
const MARKER = makeZxid(3, 0);

function leaderWith(
  restored: RestoredHistory = diskWith(HISTORY),
  limits: Partial<PeerLimits> = {},
): Conversation {
  const conversation = new Conversation({ id: 3, observers: [4], limits }, restored);
  conversation.elect();
  return conversation;
}

/** What a learner with this history is sent: how it begins, and the zxids that follow. */
function synced(history: readonly Entry[]): { header: string; after: bigint; zxids: bigint[] } {
  const conversation = leaderWith();
  conversation.promise(1, history, 2);
  const header = [...conversation.takeSent(1, 'diff'), ...conversation.takeSent(1, 'trunc')];
  assert.is(header.length, 1);
  const zxids = conversation
    .takeSent(1, 'proposal')
    .flatMap(({ entries }) => entries.map(({ zxid }) => zxid));
  return { header: header[0]!.type, after: header[0]!.after, zxids };
}

/** A follower of member 3 in epoch 3, with its disk held from then on. */
function followerWith(history: readonly Entry[]): Conversation {
  const conversation = new Conversation({ id: 1 }, diskWith(history, 2));
  conversation.follow(3);
  conversation.isDiskHeld = true;
  return conversation;
}

function lastAck(conversation: Conversation): bigint | undefined {
  return conversation.takeSent(3, 'ack').at(-1)?.zxid;
}

test('Zab phase 2: a learner with the same history gets an empty DIFF and the marker', () => {
  assert.equal(synced(HISTORY), { header: 'diff', after: HISTORY.at(-1)!.zxid, zxids: [MARKER] });
});

test('Zab phase 2: a learner that is behind gets a DIFF of what it lacks', () => {
  const { header, after, zxids } = synced(HISTORY.slice(0, 6));
  assert.equal([header, after], ['diff', makeZxid(2, 1)]);
  assert.equal(zxids, [makeZxid(2, 2), makeZxid(2, 3), makeZxid(2, 4), MARKER]);
});

test('Zab phase 2: a learner with an empty history gets everything', () => {
  assert.equal(synced([]), {
    header: 'diff',
    after: 0n,
    zxids: [...HISTORY.map(({ zxid }) => zxid), MARKER],
  });
});

test('Zab phase 2: a tail that the leader lacks is cut, across epochs too, and nothing more', () => {
  const withinEpoch = [...HISTORY.slice(0, 4), entry(1, 4), entry(1, 5)];
  const cut = synced(withinEpoch);
  assert.equal([cut.header, cut.after, cut.zxids[0]], ['trunc', makeZxid(1, 3), makeZxid(2, 0)]);

  const otherEpoch = [...epochOfEntries(1, 2), ...epochOfEntries(2, 1)];
  const conversation = new Conversation(
    { id: 3 },
    diskWith([...epochOfEntries(1, 3), ...epochOfEntries(3, 0)]),
  );
  conversation.elect();
  conversation.promise(1, otherEpoch);
  assert.is(conversation.takeSent(1, 'trunc')[0]!.after, makeZxid(1, 2));
});

test('Zab phase 2: what has left the memory is read from the log, in pieces, and proposals wait behind it', () => {
  const conversation = leaderWith(diskWith(HISTORY), { windowEntries: 2 });
  conversation.promise(2, HISTORY);
  conversation.hear(2, { type: 'ack', epoch: 3, zxid: MARKER });
  for (const words of ['a', 'b', 'c']) conversation.run(() => conversation.peer.propose(text(words)));
  conversation.hear(2, { type: 'ack', epoch: 3, zxid: makeZxid(3, 3) });

  conversation.promise(1, HISTORY.slice(0, 2), 1);
  const [read] = conversation.reads;
  assert.is(read!.after, HISTORY[1]!.zxid);
  assert.equal(conversation.sentTypes(1), []);

  const everything = [...HISTORY, entry(3, 0), entry(3, 1)];
  conversation.run(() => conversation.peer.entriesRead(read!.request, everything.slice(2, 6)));
  const [, next] = conversation.reads;
  assert.is(next!.after, everything[5]!.zxid);
  conversation.run(() => conversation.peer.entriesRead(next!.request, everything.slice(6)));
  conversation.run(() => conversation.peer.propose(text('d')));
  const zxids = conversation
    .takeSent(1, 'proposal')
    .flatMap(({ entries }) => entries.map(({ zxid }) => zxid));
  assert.equal(zxids, [
    ...HISTORY.slice(2).map(({ zxid }) => zxid),
    ...[0, 1, 2, 3, 4].map((counter) => makeZxid(3, counter)),
  ]);
});

test('Zab phase 2: where the log does not reach back, a snapshot is sent in chunks and what follows it behind', () => {
  const snapshotZxid = makeZxid(2, 2);
  const conversation = leaderWith({
    acceptedEpoch: 2,
    snapshotZxid,
    epochs: tableOf(HISTORY.slice(0, 7)),
    entries: HISTORY.slice(7),
  });
  conversation.promise(1, HISTORY.slice(0, 2), 1);
  const [read] = conversation.reads;
  conversation.run(() => conversation.peer.entriesRead(read!.request, null));
  const [open] = conversation.snapshots;
  assert.is(open!.type, 'open');
  const { request } = open!;

  conversation.run(() => conversation.peer.snapshotOpened(request, snapshotZxid));
  assert.equal(conversation.takeSent(1, 'snap')[0]!.epochs, tableOf(HISTORY.slice(0, 7)));
  const asked = (): number => conversation.snapshots.filter(({ type }) => type === 'next').length;
  assert.is(asked(), 4);
  conversation.run(() => conversation.peer.snapshotRead(request, text('one'), false));
  conversation.hear(1, { type: 'snapshotAck', epoch: 3, chunks: 1 });
  assert.is(asked(), 5);

  conversation.run(() => conversation.peer.snapshotRead(request, text('two'), true));
  assert.equal(conversation.sentTypes(1), ['snapshotChunk', 'snapshotChunk', 'proposal']);
  const zxids = conversation
    .takeSent(1, 'proposal')
    .flatMap(({ entries }) => entries.map(({ zxid }) => zxid));
  assert.equal(zxids, [makeZxid(2, 3), makeZxid(2, 4), MARKER]);
});

test('a learner that is gone lets go of its snapshot', () => {
  const conversation = leaderWith({
    ...diskWith([]),
    acceptedEpoch: 2,
    snapshotZxid: makeZxid(2, 4),
    epochs: tableOf(HISTORY),
  });
  conversation.promise(1, [], 1);
  const [read] = conversation.reads;
  conversation.run(() => conversation.peer.entriesRead(read!.request, null));
  conversation.disconnect(1);
  const steps = conversation.snapshots;
  assert.equal(
    steps.map(({ type }) => type),
    ['open', 'close'],
  );
  conversation.run(() => conversation.peer.snapshotOpened(steps[0]!.request, makeZxid(2, 4)));
  assert.equal(conversation.sentTypes(1), []);
});

for (const [how, end] of [
  ['gives up', (conversation) => conversation.pass(20 * TICK_MS)],
  ['has lost its disk', (conversation) => conversation.run(() => conversation.peer.storageFailed())],
] as const satisfies readonly (readonly [string, (conversation: Conversation) => void])[]) {
  test(`a leader that ${how} lets go of the snapshots of its learners`, () => {
    const conversation = leaderWith({
      ...diskWith([]),
      acceptedEpoch: 2,
      snapshotZxid: makeZxid(2, 4),
      epochs: tableOf(HISTORY),
    });
    conversation.promise(1, [], 1);
    const [read] = conversation.reads;
    conversation.run(() => conversation.peer.entriesRead(read!.request, null));
    conversation.run(() =>
      conversation.peer.snapshotOpened(conversation.snapshots[0]!.request, makeZxid(2, 4)),
    );
    end(conversation);
    assert.not.equal(conversation.peer.status().state, 'leading');
    assert.is(conversation.snapshots.at(-1)!.type, 'close');
  });
}

test('Zab phase 2: the leader is established when a quorum with itself holds the marker, not before', () => {
  const conversation = leaderWith();
  conversation.isDiskHeld = true;
  conversation.hear(1, { type: 'learnerInfo', attempt: 1, acceptedEpoch: 2, standing: 'full' });
  conversation.sync();
  conversation.hear(1, ackEpoch(3, HISTORY));
  conversation.hear(1, { type: 'ack', epoch: 3, zxid: MARKER });
  assert.is(conversation.peer.status().phase, 'synchronization');
  assert.equal(conversation.applied, []);

  conversation.sync();
  assert.is(conversation.peer.status().isEstablishedLeader, true);
  assert.is(conversation.appliedZxids.at(-1), MARKER);
});

test('Zab phase 2: an acknowledgement short of the marker establishes nothing, whoever sends it', () => {
  const conversation = leaderWith();
  conversation.promise(1, HISTORY.slice(0, 5));
  conversation.hear(1, { type: 'ack', epoch: 3, zxid: makeZxid(2, 4) });
  assert.is(conversation.peer.status().phase, 'synchronization');
  assert.equal(conversation.applied, []);
});

test('Zab phase 2: UPTODATE goes to each learner that holds the marker, with all that is committed by then', () => {
  const conversation = leaderWith();
  conversation.promise(1, HISTORY);
  assert.equal(conversation.takeSent(1, 'upToDate'), []);
  conversation.hear(1, { type: 'ack', epoch: 3, zxid: MARKER });
  assert.is(conversation.takeSent(1, 'upToDate')[0]!.commit, MARKER);

  conversation.run(() => conversation.peer.propose(text('a')));
  conversation.hear(1, { type: 'ack', epoch: 3, zxid: MARKER + 1n });
  conversation.promise(2, HISTORY);
  assert.equal(conversation.takeSent(2, 'upToDate'), []);
  conversation.hear(2, { type: 'ack', epoch: 3, zxid: MARKER });
  assert.is(conversation.takeSent(2, 'upToDate')[0]!.commit, MARKER + 1n);
});

test('Zab phase 2: a follower acknowledges the marker when all before it is durable', () => {
  const conversation = followerWith(HISTORY.slice(0, 6));
  conversation.hear(3, { type: 'diff', epoch: 3, after: makeZxid(2, 1) });
  assert.is(lastAck(conversation), makeZxid(2, 1));
  const entries = [...HISTORY.slice(6), entry(3, 0)];
  conversation.hear(3, { type: 'proposal', epoch: 3, entries: entries.slice(0, 2), commit: 0n });
  conversation.hear(3, { type: 'proposal', epoch: 3, entries: entries.slice(2), commit: 0n });
  assert.is(lastAck(conversation), undefined);

  conversation.sync(conversation.persisted.at(-2)!.number);
  assert.is(lastAck(conversation), makeZxid(2, 3));
  conversation.sync();
  assert.is(lastAck(conversation), MARKER);
  assert.equal(conversation.applied, []);
});

test('Zab phase 2: a follower serves only when it has applied what was committed at UPTODATE', () => {
  const conversation = followerWith(HISTORY);
  conversation.hear(3, { type: 'diff', epoch: 3, after: HISTORY.at(-1)!.zxid });
  const entries = epochOfEntries(3, 2);
  conversation.hear(3, { type: 'proposal', epoch: 3, entries, commit: MARKER });
  conversation.hear(3, { type: 'upToDate', epoch: 3, commit: makeZxid(3, 2) });
  conversation.sync();
  assert.is(conversation.appliedZxids.at(-1), MARKER);
  assert.is(conversation.peer.status().isServing, false);

  conversation.hear(3, { type: 'commit', epoch: 3, zxid: makeZxid(3, 2) });
  assert.is(conversation.peer.status().isServing, true);
  assert.equal(
    conversation.appliedZxids,
    [...HISTORY, ...entries].map(({ zxid }) => zxid),
  );
});

test('Zab phase 2: an observer that had everything before serves at UPTODATE, without a further entry', () => {
  const history = [...HISTORY, entry(3, 0)];
  const conversation = new Conversation({ id: 4, observers: [4] }, diskWith(history));
  conversation.follow(3);
  conversation.hear(3, { type: 'diff', epoch: 3, after: MARKER });
  assert.is(conversation.peer.status().isServing, false);
  conversation.hear(3, { type: 'upToDate', epoch: 3, commit: MARKER });
  assert.is(conversation.peer.status().isServing, true);
  assert.equal(
    conversation.appliedZxids,
    history.map(({ zxid }) => zxid),
  );
});

test('a TRUNC cuts the disk before anything is appended', () => {
  const conversation = followerWith(HISTORY);
  conversation.hear(3, { type: 'trunc', epoch: 3, after: makeZxid(2, 2) });
  conversation.hear(3, { type: 'proposal', epoch: 3, entries: [entry(3, 0)], commit: 0n });
  const [truncation, append] = conversation.persisted.slice(-2);
  assert.is(truncation!.truncateAfter, makeZxid(2, 2));
  assert.equal(append!.entries, [entry(3, 0)]);
  conversation.sync();
  assert.is(lastAck(conversation), MARKER);
});

test('a follower applies and acknowledges nothing of a snapshot before it is in its place', () => {
  const conversation = followerWith(HISTORY.slice(0, 3));
  conversation.forgetSent();
  const epochs = tableOf([...HISTORY, entry(3, 0), entry(3, 1)]);
  conversation.hear(3, { type: 'snap', epoch: 3, zxid: makeZxid(3, 1), epochs });
  conversation.hear(3, { type: 'snapshotChunk', epoch: 3, bytes: text('one'), isLast: false });
  assert.equal(
    conversation.takeSent(3, 'snapshotAck').map(({ chunks }) => chunks),
    [1],
  );
  conversation.hear(3, { type: 'snapshotChunk', epoch: 3, bytes: text('two'), isLast: true });
  conversation.hear(3, { type: 'proposal', epoch: 3, entries: [entry(3, 2)], commit: makeZxid(3, 2) });
  conversation.hear(3, { type: 'upToDate', epoch: 3, commit: makeZxid(3, 2) });
  const steps = conversation.installs;
  assert.equal(
    steps.map(({ type }) => type),
    ['begin', 'chunk', 'chunk'],
  );
  const [install, append] = conversation.persisted.slice(-2);
  assert.equal(install!.installSnapshot, { install: 1, zxid: makeZxid(3, 1), epochs });
  assert.is(lastAck(conversation), undefined);

  conversation.sync(install!.number);
  assert.is(lastAck(conversation), makeZxid(3, 1));
  assert.equal(conversation.applied, []);
  conversation.sync(append!.number);
  assert.is(lastAck(conversation), makeZxid(3, 2));
  assert.equal(conversation.appliedZxids, [makeZxid(3, 2)]);
  assert.is(conversation.peer.status().isServing, true);
});

test('a snapshot that is complete takes its place even if the leader is lost before it is durable', () => {
  const conversation = followerWith(HISTORY.slice(0, 3));
  const epochs = tableOf([...HISTORY, entry(3, 0)]);
  conversation.hear(3, { type: 'snap', epoch: 3, zxid: MARKER, epochs });
  conversation.hear(3, { type: 'snapshotChunk', epoch: 3, bytes: text('state'), isLast: true });
  conversation.disconnect(3);
  conversation.forgetSent();
  conversation.sync();
  const { delivered, committed, lastDurable } = conversation.peer.status();
  assert.equal([delivered, committed, lastDurable], [MARKER, MARKER, MARKER]);
  assert.is(conversation.takeSent(2, 'notification').at(-1)!.vote.zxid, MARKER);
});

test('a voter whose state diverged asks for a snapshot until one is in its place, and never after', () => {
  const conversation = new Conversation({ id: 1 }, diskWith(HISTORY, 2));
  conversation.connect(2, 3);
  const follow = (epoch: number, round: number): boolean => {
    conversation.hear(3, saysItLeads(3, { round, epoch: epoch - 1 }));
    const { attempt } = conversation.takeSent(3, 'learnerInfo').at(-1)!;
    conversation.hear(3, { type: 'newEpoch', attempt, epoch });
    return conversation.takeSent(3, 'ackEpoch').at(-1)!.needsSnapshot;
  };
  const loseLeader = (): void => {
    conversation.disconnect(3);
    conversation.connect(3);
    // Attempts that fail one after another are made more slowly.
    conversation.pass(1_000);
  };

  assert.is(follow(3, 1), false);
  conversation.run(() => conversation.peer.stateDiverged());
  assert.is(follow(4, 2), true);
  loseLeader();
  assert.is(follow(5, 3), true, 'no snapshot has come');

  const zxid = makeZxid(2, 4);
  conversation.hear(3, { type: 'snap', epoch: 5, zxid, epochs: tableOf(HISTORY) });
  conversation.hear(3, { type: 'snapshotChunk', epoch: 5, bytes: text('all'), isLast: true });
  loseLeader();
  assert.is(follow(6, 4), false);
});

test('observers are synchronized with committed entries only', () => {
  const conversation = leaderWith();
  conversation.connect(4);
  const epoch = conversation.promise(1, HISTORY);
  conversation.hear(1, { type: 'ack', epoch, zxid: MARKER });
  conversation.run(() => conversation.peer.propose(text('a')));
  conversation.promise(4, HISTORY.slice(0, 5), 0);
  const informed = (): bigint[] =>
    conversation.takeSent(4, 'inform').flatMap(({ entries }) => entries.map(({ zxid }) => zxid));
  assert.is(informed().at(-1), MARKER);

  conversation.hear(1, { type: 'ack', epoch, zxid: MARKER + 1n });
  assert.equal(informed(), [MARKER + 1n]);
});

test('what an observer gets from the log is committed, though the log has more', () => {
  const conversation = leaderWith(diskWith(HISTORY), { windowEntries: 2 });
  conversation.connect(4);
  conversation.promise(2, HISTORY);
  conversation.hear(2, { type: 'ack', epoch: 3, zxid: MARKER });
  conversation.run(() => conversation.peer.propose(text('a')));
  conversation.promise(4, HISTORY.slice(0, 2), 0);
  const [read] = conversation.reads;
  const log = [...HISTORY.slice(2), entry(3, 0), entry(3, 1)];
  conversation.run(() => conversation.peer.entriesRead(read!.request, log));
  const informed = (): bigint[] =>
    conversation.takeSent(4, 'inform').flatMap(({ entries }) => entries.map(({ zxid }) => zxid));
  assert.equal(
    informed(),
    log.slice(0, -1).map(({ zxid }) => zxid),
  );

  conversation.hear(2, { type: 'ack', epoch: 3, zxid: makeZxid(3, 1) });
  assert.equal(informed(), [makeZxid(3, 1)]);
});

test('an observer that has everything already serves without hearing of another transaction', () => {
  const history = [...HISTORY, ...epochOfEntries(3, 2)];
  const conversation = new Conversation({ id: 4, voters: [1, 2, 3], observers: [4] }, diskWith(history));
  conversation.connect(1, 3);
  const last = history.at(-1)!.zxid;
  conversation.hear(3, saysItLeads(3, { round: 2, epoch: 3, zxid: MARKER }));
  const { attempt } = conversation.takeSent(3, 'learnerInfo').at(-1)!;
  conversation.hear(3, { type: 'newEpoch', attempt, epoch: 3 }, { type: 'diff', epoch: 3, after: last });
  assert.is(lastAck(conversation), last);

  conversation.hear(3, { type: 'upToDate', epoch: 3, commit: last });
  const { isServing, delivered } = conversation.peer.status();
  assert.equal([isServing, delivered], [true, last]);
});

test('an observer whose state diverged asks for a snapshot, and its disk has nothing to say about its vote', () => {
  const conversation = new Conversation({ id: 4, observers: [4] }, diskWith(HISTORY, 2));
  conversation.run(() => conversation.peer.stateDiverged());
  assert.equal(conversation.persisted, []);
  conversation.connect(3);
  conversation.hear(3, saysItLeads(3, { round: 1, epoch: 2 }));
  const { attempt } = conversation.takeSent(3, 'learnerInfo').at(-1)!;
  conversation.hear(3, { type: 'newEpoch', attempt, epoch: 3 });
  assert.is(conversation.takeSent(3, 'ackEpoch')[0]!.needsSnapshot, true);
});

test.run();
