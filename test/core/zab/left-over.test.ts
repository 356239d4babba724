/** What a member keeps of a role, a learner or a link that has ended, counted in everything that the peer reaches. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { makeZxid, type EpochTable, type RestoredHistory } from '../../../core/zab/index.js';
import { censusOf, differences } from '../census.js';
import { ackEpoch, Conversation, entry, saysItLeads, text, TICK_MS } from './conversation.js';

/** Numbers that only grow, and moments. */
const GROWING = /epoch|round|attempt|zxid|last|nextNumber|Ms$|jitter|promised|\.link$/i;
/** What each member declared last is kept over its links. */
const DECLARED = /admission\.#declared/;
const LIMITS = { windowEntries: 4, inFlightBytes: 64 };

function peer(restored?: RestoredHistory): Conversation {
  return new Conversation({ id: 2, observers: [4], limits: LIMITS }, restored);
}

/** Follows member 3 in that epoch, takes a snapshot and what comes behind, and loses the leader. Returns where its history ends. */
function follow(self: Conversation, epoch: number): EpochTable {
  const zxid = makeZxid(epoch, 3);
  const table = [{ epoch, lastZxid: zxid }];
  self.connect(1, 3, 4);
  self.hear(3, saysItLeads(3, { round: self.peer.status().epoch + epoch, epoch: epoch - 1 }));
  const { attempt } = self.takeSent(3, 'learnerInfo').at(-1)!;
  self.hear(3, { type: 'newEpoch', attempt, epoch });
  self.hear(3, { type: 'snap', epoch, zxid, epochs: table });
  for (const isLast of [false, true])
    self.hear(3, { type: 'snapshotChunk', epoch, bytes: text('state'), isLast });
  self.hear(3, { type: 'upToDate', epoch, commit: zxid });
  assert.ok(self.peer.status().isServing);
  for (const nonce of [1, 2, 3])
    self.hear(3, { type: 'ping', epoch, nonce, heard: nonce - 1, payload: text('ping') });
  self.run(() => self.peer.sendToLeader(text('request')));
  self.peer.offerPingPayload(text('touched'));
  self.pass(25);
  self.hear(3, { type: 'application', epoch, bytes: text('answer') });
  self.hear(1, { type: 'learnerInfo', attempt: 1, acceptedEpoch: epoch, standing: 'full' });
  for (const other of [3, 1, 4]) self.disconnect(other);
  assert.is(self.peer.status().state, 'looking');
  self.pass(1000);
  return table;
}

/** Leads the epoch behind `table` with member 1, gives the observer a snapshot, and loses its quorum in the middle of work. */
function lead(self: Conversation, table: EpochTable): number {
  const { epoch: before, lastZxid } = table[0]!;
  self.connect(1, 4, 3);
  const [vote] = self.takeSent(1, 'notification').slice(-1);
  self.hear(1, { ...vote!, canLead: false });
  self.hear(3, { ...vote!, canLead: false });
  self.hear(1, { type: 'learnerInfo', attempt: 1, acceptedEpoch: before, standing: 'full' });
  const { epoch } = self.takeSent(1, 'newEpoch').at(-1)!;
  self.hear(1, { ...ackEpoch(epoch, [entry(before, 3)]), lastZxid, epochs: table } as never);
  self.hear(1, { type: 'ack', epoch, zxid: makeZxid(epoch, 0) });
  assert.ok(self.peer.status().isEstablishedLeader, self.peer.status().phase);
  self.run(() => self.peer.propose(text('a')));
  self.hear(1, { type: 'ack', epoch, zxid: makeZxid(epoch, 1) });
  self.hear(4, { type: 'learnerInfo', attempt: 1, acceptedEpoch: 0, standing: 'empty' });
  self.hear(4, ackEpoch(epoch, []));
  const { request } = self.reads.at(-1)!;
  self.run(() => self.peer.entriesRead(request, null));
  const open = self.snapshots.at(-1)!;
  self.run(() => self.peer.snapshotOpened(open.request, makeZxid(epoch, 1)));
  self.run(() => self.peer.snapshotRead(open.request, text('state'), false));
  self.hear(4, { type: 'snapshotAck', epoch, chunks: 1 });
  self.hear(1, { type: 'application', epoch, bytes: text('request') });
  self.run(() => assert.ok(self.peer.sendToLearner(1, text('answer'))));
  self.run(() => self.peer.readIndex(7));
  self.peer.offerPingPayload(text('touched'));
  self.pass(50);
  const ping = self.takeSent(1, 'ping').at(-1)!;
  self.hear(1, { type: 'pong', epoch, nonce: ping.nonce, payload: text('heard') });
  for (const words of ['b', 'c']) self.run(() => self.peer.propose(text(words.repeat(40))));
  self.run(() => self.peer.readIndex(8));
  for (const other of [4, 1, 3]) self.disconnect(other);
  self.pass(1000);
  assert.is(self.peer.status().state, 'looking');
  return epoch + 1;
}

test('a peer that follows and leads again and again keeps no more after each time', () => {
  const self = peer();
  let epoch = 1;
  const censuses = Array.from({ length: 4 }, () => {
    const next = lead(self, follow(self, epoch));
    follow(self, next);
    epoch = next + 1;
    return censusOf(self.peer);
  });
  for (const [index, census] of censuses.slice(2).entries())
    assert.equal(differences(censuses[index + 1]!, census, GROWING), []);
});

test('a peer that has followed and led is like one that was started anew with the same disk', () => {
  const self = peer();
  const next = lead(self, follow(self, 1));
  const epochs = follow(self, next);
  const fresh = peer({ acceptedEpoch: next, snapshotZxid: epochs[0]!.lastZxid, epochs, entries: [] });
  fresh.pass(1000);
  const ignored = new RegExp(`${GROWING.source}|${DECLARED.source}`, 'i');
  assert.equal(differences(censusOf(fresh.peer), censusOf(self.peer), ignored), []);
});

/** How far a learner with an empty history gets with its leader before its link breaks, each step behind the one before. */
const STEPS: readonly ((self: Conversation, learner: number, epoch: number) => void)[] = [
  (self, learner) =>
    self.hear(learner, { type: 'learnerInfo', attempt: 1, acceptedEpoch: 0, standing: 'full' }),
  (self, learner, epoch) => self.hear(learner, ackEpoch(epoch, [])),
  (self) => self.run(() => self.peer.entriesRead(self.reads.at(-1)!.request, null)),
  (self, _, epoch) =>
    self.run(() => self.peer.snapshotOpened(self.snapshots.at(-1)!.request, makeZxid(epoch, 4))),
  (self) => self.run(() => self.peer.snapshotRead(self.snapshots.at(-1)!.request, text('state'), false)),
  (self, learner, epoch) => self.hear(learner, { type: 'snapshotAck', epoch, chunks: 1 }),
  (self) => self.run(() => self.peer.snapshotRead(self.snapshots.at(-1)!.request, text('state'), true)),
  (self, learner, epoch) => self.hear(learner, { type: 'ack', epoch, zxid: makeZxid(epoch, 4) }),
  (self, learner, epoch) => self.hear(learner, { type: 'application', epoch, bytes: text('request') }),
  (self, learner) => self.run(() => void self.peer.sendToLearner(learner, text('answer'))),
];

test('a leader whose learners break off at any step, again and again, keeps nothing of them', () => {
  const self = new Conversation({ id: 2, observers: [4], limits: { windowEntries: 2 } });
  self.elect(1, 3);
  const epoch = self.promise(1);
  self.hear(1, { type: 'ack', epoch, zxid: makeZxid(epoch, 0) });
  for (const words of ['a', 'b', 'c', 'd']) self.run(() => self.peer.propose(text(words)));
  self.hear(1, { type: 'ack', epoch, zxid: makeZxid(epoch, 4) });
  const censuses = Array.from({ length: 3 }, () => {
    for (let steps = 1; steps <= STEPS.length; steps++) {
      for (const learner of [3, 4]) {
        self.connect(learner);
        for (const step of STEPS.slice(0, steps)) step(self, learner, epoch);
        self.disconnect(learner);
      }
    }
    self.passInCompany(TICK_MS, [1], epoch);
    assert.ok(self.peer.status().isEstablishedLeader);
    return censusOf(self.peer);
  });
  const ignored = new RegExp(`${GROWING.source}|echoedRound|Request$`, 'i');
  assert.equal(differences(censuses[1]!, censuses[2]!, ignored), []);
  const opened = self.snapshots.filter(({ type }) => type === 'open').length;
  assert.is(self.snapshots.filter(({ type }) => type === 'close').length, opened, 'snapshots are closed');
});

test('a leader that gives up keeps in mind only those who wait to follow and were not answered', () => {
  const self = new Conversation({ id: 2, observers: [4] });
  self.elect(1, 3);
  self.connect(4);
  const waiting = (): number => censusOf(self.peer).get('Peer.#state.waitingLearners') ?? 0;
  // The observer waits: it is told an epoch only when that is established.
  self.hear(4, { type: 'learnerInfo', attempt: 1, acceptedEpoch: 0, standing: 'empty' });
  const epoch = self.promise(1);
  // Its learner answers, and acknowledges nothing.
  self.passInCompany(20 * TICK_MS, [1], epoch);
  assert.is(self.peer.status().state, 'looking');
  assert.is(waiting(), 1);
  self.disconnect(4);
  assert.is(waiting(), 0);
});

test('a peer whose storage has failed hands out nothing more that is to be written', () => {
  const self = new Conversation({ id: 1 });
  self.follow(1);
  self.hear(3, { type: 'diff', epoch: 1, after: 0n });
  self.peer.step(3, self.linkTo(3), { type: 'proposal', epoch: 1, entries: [entry(1, 0)], commit: 0n });
  self.peer.storageFailed();
  const persisted = self.persisted.length;
  self.run();
  assert.is(self.persisted.length, persisted);
});

test.run();
