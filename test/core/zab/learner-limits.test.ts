/** How long a learner waits for its leader, phase by phase, and what starts the time anew. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { LeaderContact } from '../../../core/zab/leader-contact.js';
import { makeZxid, type PeerMessage } from '../../../core/zab/index.js';
import { Conversation, entry, saysItLeads, text, TICK_MS } from './conversation.js';

const EPOCH = 1;
const MARKER = makeZxid(EPOCH, 0);
const SYNC_LIMIT_MS = 5 * TICK_MS;
const INIT_LIMIT_MS = 10 * TICK_MS;

/** A follower of member 3 that has been told where its entries go on. */
function synchronizing(): Conversation {
  const self = new Conversation({ id: 1 });
  self.follow(EPOCH);
  self.hear(3, { type: 'diff', epoch: EPOCH, after: 0n });
  return self;
}

function receivingSnapshot(): Conversation {
  const self = new Conversation({ id: 1 });
  self.follow(EPOCH);
  const zxid = makeZxid(EPOCH, 5);
  self.hear(3, { type: 'snap', epoch: EPOCH, zxid, epochs: [{ epoch: EPOCH, lastZxid: zxid }] });
  return self;
}

function serving(): Conversation {
  const self = synchronizing();
  self.hear(3, { type: 'proposal', epoch: EPOCH, entries: [entry(EPOCH, 0)], commit: MARKER });
  self.hear(3, { type: 'upToDate', epoch: EPOCH, commit: MARKER });
  assert.ok(self.peer.status().isServing);
  return self;
}

/** Has turned to a leader that has not answered. */
function unanswered(): Conversation {
  const self = new Conversation({ id: 1 });
  self.connect(2, 3);
  self.hear(3, saysItLeads(3, { round: 1, epoch: 0 }));
  return self;
}

/** Time passes, with a ping of the leader at each step. */
function passWithPings(self: Conversation, ms: number): void {
  for (let passed = 0; passed < ms; passed += TICK_MS / 2) {
    self.hear(3, { type: 'ping', epoch: EPOCH, nonce: 1, heard: 1, payload: text('') });
    self.pass(TICK_MS / 2);
  }
}

function isFollowing(self: Conversation): boolean {
  return self.peer.status().state === 'following' && self.disconnects.length === 0;
}

/** The process stands still for a minute. */
function pause(self: Conversation): void {
  self.nowMs += 60_000;
  self.peer.tick(self.nowMs);
  self.run();
}

for (const [what, make] of Object.entries({
  'waits for an answer': unanswered,
  'waits for a link to its leader': () => {
    const self = unanswered();
    self.disconnect(3);
    return self;
  },
  'gets entries': synchronizing,
  'gets a snapshot': receivingSnapshot,
  'serves clients': serving,
}))
  test(`a follower that ${what} keeps its leader over a pause of its process`, () => {
    const self = make();
    self.pass(TICK_MS / 2);
    pause(self);
    assert.ok(isFollowing(self), self.peer.status().lastChange ?? '');
    self.pass(TICK_MS / 2);
    assert.ok(isFollowing(self), self.peer.status().lastChange ?? '');
  });

let counter = 0;
const PROGRESS: readonly (readonly [string, () => Conversation, () => PeerMessage])[] = [
  [
    'an entry',
    synchronizing,
    () => ({ type: 'proposal', epoch: EPOCH, entries: [entry(EPOCH, counter++)], commit: 0n }),
  ],
  [
    'a chunk of a snapshot',
    receivingSnapshot,
    () => ({ type: 'snapshotChunk', epoch: EPOCH, bytes: text('chunk'), isLast: false }),
  ],
];

for (const [what, make, message] of PROGRESS) {
  test(`a follower that gets ${what} within each initLimit ticks keeps its leader`, () => {
    counter = 0;
    const self = make();
    for (let round = 0; round < 3; round++) {
      passWithPings(self, INIT_LIMIT_MS - TICK_MS);
      self.hear(3, message());
      assert.ok(isFollowing(self), self.peer.status().lastChange ?? '');
    }
  });

  test(`a follower that is to get ${what} and gets only pings for initLimit ticks looks for a leader`, () => {
    const self = make();
    passWithPings(self, INIT_LIMIT_MS + TICK_MS);
    assert.is(self.peer.status().state, 'looking');
  });
}

test('the time that entries take to come counts from when the stream begins', () => {
  const self = new Conversation({ id: 1 });
  self.follow(EPOCH);
  self.pass(INIT_LIMIT_MS - TICK_MS);
  self.hear(3, { type: 'diff', epoch: EPOCH, after: 0n });
  passWithPings(self, INIT_LIMIT_MS - TICK_MS);
  assert.ok(isFollowing(self), self.peer.status().lastChange ?? '');
});

test('a follower that was told to serve has initLimit ticks to apply what is due', () => {
  const self = synchronizing();
  self.isDiskHeld = true;
  passWithPings(self, INIT_LIMIT_MS - TICK_MS);
  self.hear(3, { type: 'proposal', epoch: EPOCH, entries: [entry(EPOCH, 0)], commit: MARKER });
  passWithPings(self, INIT_LIMIT_MS - TICK_MS);
  self.hear(3, { type: 'upToDate', epoch: EPOCH, commit: MARKER });
  passWithPings(self, INIT_LIMIT_MS - TICK_MS);
  assert.ok(isFollowing(self), self.peer.status().lastChange ?? '');
  self.isDiskHeld = false;
  self.sync();
  assert.ok(self.peer.status().isServing);
});

test('a synchronization that took long is no silence once the follower serves', () => {
  const self = synchronizing();
  for (let count = 0; count < 5; count++) {
    passWithPings(self, SYNC_LIMIT_MS);
    self.hear(3, { type: 'proposal', epoch: EPOCH, entries: [entry(EPOCH, count)], commit: 0n });
  }
  self.hear(3, { type: 'upToDate', epoch: EPOCH, commit: makeZxid(EPOCH, 4) });
  self.hear(3, { type: 'commit', epoch: EPOCH, zxid: makeZxid(EPOCH, 4) });
  assert.ok(self.peer.status().isServing);
  self.pass(TICK_MS);
  assert.ok(isFollowing(self), self.peer.status().lastChange ?? '');
});

test('a discovery that took long is no silence once the follower serves', () => {
  const self = unanswered();
  const { attempt } = self.takeSent(3, 'learnerInfo').at(-1)!;
  self.pass(INIT_LIMIT_MS - TICK_MS);
  self.hear(3, { type: 'newEpoch', attempt, epoch: EPOCH });
  self.hear(3, { type: 'diff', epoch: EPOCH, after: 0n });
  self.hear(3, { type: 'proposal', epoch: EPOCH, entries: [entry(EPOCH, 0)], commit: MARKER });
  self.hear(3, { type: 'upToDate', epoch: EPOCH, commit: MARKER });
  assert.ok(self.peer.status().isServing);
  self.pass(TICK_MS);
  assert.ok(isFollowing(self), self.peer.status().lastChange ?? '');
});

test('contact is proven by the newest of the echoes that the leader has heard, and these are forgotten', () => {
  const contact = new LeaderContact(0);
  for (const nonce of [1, 2, 3, 4, 5]) contact.echoed(nonce, 0, nonce * 10);
  contact.echoed(6, 4, 60);
  assert.is(contact.provenMs, 40);
  contact.echoed(7, 4, 70);
  assert.is(contact.provenMs, 40);
  contact.echoed(8, 7, 80);
  assert.is(contact.provenMs, 70);
});

test('a follower closes the link to a leader that has been silent for syncLimit ticks', () => {
  const self = synchronizing();
  self.pass(SYNC_LIMIT_MS);
  assert.ok(isFollowing(self));
  self.pass(TICK_MS);
  assert.is(self.peer.status().state, 'looking');
  assert.equal(
    self.disconnects.map(({ peer }) => peer),
    [3],
  );
});

for (const isComplete of [false, true])
  test(`a snapshot that is ${isComplete ? 'complete' : 'not complete'} when the leader goes is ${isComplete ? 'kept' : 'given up, once'}`, () => {
    const self = receivingSnapshot();
    self.isDiskHeld = true;
    self.hear(3, { type: 'snapshotChunk', epoch: EPOCH, bytes: text('chunk'), isLast: isComplete });
    self.disconnect(3);
    self.pass(TICK_MS);
    assert.is(self.peer.status().state, 'looking');
    assert.equal(
      self.installs.map(({ type }) => type),
      isComplete ? ['begin', 'chunk'] : ['begin', 'chunk', 'abort'],
    );
  });

test('attempts that fail are put off by a second and a half at most, and at once again after one that succeeded', () => {
  const self = new Conversation({ id: 1 });
  self.connect(2, 3);
  const waits: number[] = [];
  for (let attempt = 0; attempt < 12; attempt++) {
    const from = self.nowMs;
    self.forgetSent();
    while (self.takeSent(3, 'notification').every(({ vote }) => vote.leader === 0)) self.pass(25);
    waits.push(self.nowMs - from);
    self.hear(3, saysItLeads(3, { round: 50 + attempt, epoch: 0 }));
    assert.is(self.peer.status().state, 'following');
    self.hear(3, { ...saysItLeads(3, { round: 50 + attempt, epoch: 0 }), state: 'looking' });
    assert.is(self.peer.status().state, 'looking');
  }
  assert.ok(waits.at(-1)! >= 1000 && waits.at(-1)! <= 1525, waits.join(', '));
  assert.ok(
    waits.every((ms) => ms <= 1525),
    waits.join(', '),
  );
  assert.ok(waits[2]! < 150 && waits[4]! < 400, waits.join(', '));

  self.pass(1600);
  self.hear(3, saysItLeads(3, { round: 99, epoch: 0 }));
  const { attempt } = self.takeSent(3, 'learnerInfo').at(-1)!;
  self.hear(3, { type: 'newEpoch', attempt, epoch: EPOCH });
  self.hear(3, { type: 'diff', epoch: EPOCH, after: 0n });
  self.hear(3, { type: 'proposal', epoch: EPOCH, entries: [entry(EPOCH, 0)], commit: MARKER });
  self.hear(3, { type: 'upToDate', epoch: EPOCH, commit: MARKER });
  assert.ok(self.peer.status().isServing);
  self.forgetSent();
  self.hear(3, { ...saysItLeads(3, { round: 100, epoch: 0 }), state: 'looking' });
  self.pass(25);
  assert.ok(self.takeSent(3, 'notification').some(({ vote }) => vote.leader === 1));
});

test.run();
