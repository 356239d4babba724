/** What a leader sends a learner, from where, how much at once, and how long the learner may owe an answer. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { makeZxid, type PeerLimits } from '../../../core/zab/index.js';
import { ackEpoch, Conversation, diskWith, epochOfEntries, tableOf, text, TICK_MS } from './conversation.js';

const HISTORY = epochOfEntries(2, 4);
const EPOCH = 3;
const MARKER = makeZxid(EPOCH, 0);
const SYNC_LIMIT_MS = 5 * TICK_MS;
const INIT_LIMIT_MS = 10 * TICK_MS;
const SLOW = ['it acknowledges too slowly'];

/** Member 3 leads with member 2; all of `HISTORY` but its last entry has left the memory, the log included. */
function leading(limits: Partial<PeerLimits> = {}): Conversation {
  const [first, last] = [HISTORY.slice(0, 4), HISTORY.slice(4)];
  const restored = {
    acceptedEpoch: 2,
    snapshotZxid: first.at(-1)!.zxid,
    epochs: tableOf(first),
    entries: last,
  };
  const self = new Conversation({ id: 3, observers: [4], limits }, restored);
  self.elect();
  self.promise(2, HISTORY);
  self.hear(2, { type: 'ack', epoch: EPOCH, zxid: MARKER });
  assert.ok(self.peer.status().isEstablishedLeader);
  return self;
}

/** Learner 1 has nothing, and a snapshot is open for it. Returns the snapshot's request. */
function opened(self: Conversation): number {
  self.promise(1, [], 0);
  self.run(() => self.peer.entriesRead(self.reads.at(-1)!.request, null));
  const { request } = self.snapshots.at(-1)!;
  self.run(() => self.peer.snapshotOpened(request, MARKER));
  return request;
}

function read(self: Conversation, request: number, isLast = false): void {
  self.run(() => self.peer.snapshotRead(request, text('state'), isLast));
}

/** Why the leader closed links to learner 1. */
function dropped(self: Conversation): string[] {
  return self.disconnects.filter(({ peer }) => peer === 1).map(({ reason }) => reason);
}

test('a learner that confirms no chunk of a snapshot for initLimit ticks is dropped', () => {
  const self = leading();
  read(self, opened(self));
  self.passInCompany(INIT_LIMIT_MS - TICK_MS, [1, 2], EPOCH);
  assert.equal(dropped(self), []);
  self.passInCompany(2 * TICK_MS, [1, 2], EPOCH);
  assert.equal(dropped(self), SLOW);
});

test('a learner that confirms one chunk after another, each within initLimit ticks, is kept', () => {
  const self = leading();
  const request = opened(self);
  read(self, request);
  for (const chunks of [1, 2, 3]) {
    self.passInCompany(INIT_LIMIT_MS - TICK_MS, [1, 2], EPOCH);
    read(self, request);
    self.hear(1, { type: 'snapshotAck', epoch: EPOCH, chunks });
  }
  assert.equal(dropped(self), []);
});

test('a chunk that the leader sends while others wait gives the learner no more time', () => {
  const self = leading();
  const request = opened(self);
  read(self, request);
  self.passInCompany(INIT_LIMIT_MS - TICK_MS, [1, 2], EPOCH);
  read(self, request);
  self.passInCompany(2 * TICK_MS, [1, 2], EPOCH);
  assert.equal(dropped(self), SLOW);
});

test('the time that the leader takes to read a snapshot is no debt of the learner', () => {
  const self = leading();
  const request = opened(self);
  for (const chunks of [1, 2]) {
    self.passInCompany(2 * INIT_LIMIT_MS, [1, 2], EPOCH);
    read(self, request);
    self.passInCompany(INIT_LIMIT_MS - TICK_MS, [1, 2], EPOCH);
    self.hear(1, { type: 'snapshotAck', epoch: EPOCH, chunks });
  }
  assert.equal(dropped(self), []);
});

test('a learner that does not acknowledge a whole snapshot within initLimit ticks is dropped', () => {
  const self = leading();
  read(self, opened(self), true);
  self.hear(1, { type: 'snapshotAck', epoch: EPOCH, chunks: 1 });
  self.passInCompany(INIT_LIMIT_MS + TICK_MS, [1, 2], EPOCH);
  assert.equal(dropped(self), SLOW);
});

test('nothing but the snapshot is asked for before its last chunk is sent', () => {
  const self = leading();
  const request = opened(self);
  const reads = self.reads.length;
  read(self, request);
  read(self, request);
  self.run(() => self.peer.propose(text('a')));
  assert.is(self.reads.length, reads);
  assert.equal(self.sentTypes(1).slice(-2), ['snapshotChunk', 'snapshotChunk']);
  read(self, request, true);
  assert.equal(self.sentTypes(1).slice(-2), ['snapshotChunk', 'proposal']);
  assert.is(self.snapshots.filter(({ type }) => type === 'close').length, 1);
  self.disconnect(1);
  assert.is(self.snapshots.filter(({ type }) => type === 'close').length, 1, 'it is closed once');
});

for (const [what, confirmed] of [
  ['more chunks than it got', [3]],
  ['fewer chunks than before', [2, 1]],
] as const)
  test(`a learner that confirms ${what} is dropped`, () => {
    const self = leading();
    const request = opened(self);
    read(self, request);
    read(self, request);
    for (const chunks of confirmed) self.hear(1, { type: 'snapshotAck', epoch: EPOCH, chunks });
    assert.equal(dropped(self), ['it confirmed chunks that it never got']);
  });

test('a learner that confirms the same chunk twice is kept', () => {
  const self = leading();
  read(self, opened(self));
  for (const chunks of [1, 1]) self.hear(1, { type: 'snapshotAck', epoch: EPOCH, chunks });
  assert.equal(dropped(self), []);
});

test('a learner whose snapshot cannot be read is dropped', () => {
  const self = leading();
  const request = opened(self);
  self.run(() => self.peer.sourceFailed(request));
  assert.equal(dropped(self), ['its history is not available any more']);
});

test('a learner is dropped if the log is purged between two reads, for it was promised the entries', () => {
  const self = leading();
  self.promise(1, [], 0);
  self.run(() => self.peer.entriesRead(self.reads.at(-1)!.request, HISTORY.slice(0, 2)));
  assert.equal(self.sentTypes(1).slice(-2), ['diff', 'proposal']);
  self.run(() => self.peer.entriesRead(self.reads.at(-1)!.request, null));
  assert.is(self.snapshots.length, 0);
  assert.is(dropped(self).length, 1);
});

test('a learner is told once where its entries go on, however many reads of the log they take', () => {
  const self = leading();
  self.promise(1, [], 0);
  for (const [from, to] of [
    [0, 2],
    [2, 3],
    [3, 4],
  ] as const)
    self.run(() => self.peer.entriesRead(self.reads.at(-1)!.request, HISTORY.slice(from, to)));
  assert.is(self.takeSent(1, 'diff').length, 1);
  const zxids = self.takeSent(1, 'proposal').flatMap(({ entries }) => entries.map(({ zxid }) => zxid));
  assert.equal(zxids, [...HISTORY.map(({ zxid }) => zxid), MARKER]);
});

test('a learner that acknowledges before it was sent anything is dropped', () => {
  const self = leading();
  self.promise(1, [], 0);
  self.hear(1, { type: 'ack', epoch: EPOCH, zxid: 0n });
  assert.is(dropped(self).length, 1);
});

test('an observer gets from the log what is committed, up to the last of it, and no commit messages', () => {
  const self = leading();
  self.connect(4);
  self.promise(4, [], 0);
  const everything = [...HISTORY, { zxid: MARKER, payload: text('') }];
  self.run(() => self.peer.entriesRead(self.reads.at(-1)!.request, everything));
  const zxids = self.takeSent(4, 'inform').flatMap(({ entries }) => entries.map(({ zxid }) => zxid));
  assert.is(zxids.at(-1), MARKER);
  assert.equal(self.takeSent(4, 'commit'), []);
});

test('a learner whose state diverged gets a snapshot when the leader has applied what both have, whatever is in the log', () => {
  const self = new Conversation({ id: 3 }, diskWith(HISTORY));
  self.elect();
  self.promise(2, HISTORY);
  self.hear(1, { type: 'learnerInfo', attempt: 1, acceptedEpoch: 2, standing: 'rejoining' });
  self.hear(1, { ...ackEpoch(EPOCH, HISTORY), needsSnapshot: true } as never);
  assert.is(self.peer.status().delivered, 0n);
  assert.equal(self.snapshots, []);
  self.hear(2, { type: 'ack', epoch: EPOCH, zxid: MARKER });
  assert.is(self.snapshots.at(-1)?.type, 'open');
  assert.equal([...self.takeSent(1, 'diff'), ...self.takeSent(1, 'proposal')], []);
});

for (const [inFlightBytes, sent] of [
  [199, 2],
  [200, 2],
  [201, 3],
] as const)
  test(`a learner that may owe ${inFlightBytes} bytes is sent ${sent} messages of 100, and another for each that it acknowledges`, () => {
    const self = leading({ inFlightBytes, messageBytes: 1 });
    for (let count = 0; count < 5; count++) self.run(() => self.peer.propose(new Uint8Array(36)));
    const take = (): number => self.takeSent(2, 'proposal').length;
    // One for the marker, which is acknowledged.
    assert.is(take(), sent + 1);
    self.hear(2, { type: 'ack', epoch: EPOCH, zxid: makeZxid(EPOCH, 1) });
    assert.is(take(), 1);
    self.hear(2, { type: 'ack', epoch: EPOCH, zxid: makeZxid(EPOCH, 1) });
    assert.is(take(), 0);
  });

test('a learner that owed nothing for long has syncLimit ticks for what comes next', () => {
  const self = leading();
  self.promise(1, HISTORY);
  self.hear(1, { type: 'ack', epoch: EPOCH, zxid: MARKER });
  self.passInCompany(3 * SYNC_LIMIT_MS, [1, 2], EPOCH);
  self.run(() => self.peer.propose(text('a')));
  self.hear(2, { type: 'ack', epoch: EPOCH, zxid: makeZxid(EPOCH, 1) });
  self.passInCompany(SYNC_LIMIT_MS - TICK_MS, [1, 2], EPOCH);
  assert.equal(dropped(self), []);
  self.passInCompany(2 * TICK_MS, [1, 2], EPOCH);
  assert.equal(dropped(self), SLOW);
});

test('learners at the same place are sent the very same message, voters proposals and observers what is committed', () => {
  const self = new Conversation({ id: 3, observers: [4, 5] }, diskWith(HISTORY));
  self.elect();
  for (const learner of [1, 2]) self.promise(learner, HISTORY);
  self.connect(4, 5);
  for (const learner of [1, 2]) self.hear(learner, { type: 'ack', epoch: EPOCH, zxid: MARKER });
  for (const learner of [4, 5]) self.promise(learner, HISTORY.slice(0, 2));
  self.forgetSent();
  self.run(() => self.peer.propose(text('a')));
  for (const learner of [1, 2]) self.hear(learner, { type: 'ack', epoch: EPOCH, zxid: makeZxid(EPOCH, 1) });
  const proposals = [1, 2].map((learner) => self.takeSent(learner, 'proposal'));
  const informs = [4, 5].map((learner) => self.takeSent(learner, 'inform'));
  for (const [one, other] of [proposals, informs]) {
    assert.is(one!.length, 1);
    assert.is(one![0], other![0]);
  }
  assert.equal(
    [4, 5].flatMap((learner) => self.takeSent(learner, 'proposal')),
    [],
  );
});

test.run();
