/** Messages that have no place where they come: each kind in each phase, at a learner and at a leader. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { makeZxid, type PeerMessage } from '../../../core/zab/index.js';
import { ackEpoch, Conversation, diskWith, entry, epochOfEntries, tableOf, text } from './conversation.js';

const HISTORY = epochOfEntries(2, 3);
const LAST = HISTORY.at(-1)!.zxid;
const EPOCH = 3;
const MARKER = makeZxid(EPOCH, 0);

/** What becomes of a message: it is taken, nothing shows that it came, or it ends the link. */
type Outcome = 'taken' | 'silent' | 'refused';

const BYTES = text('bytes');

/** Every kind that a leader may send, each fit for a follower with `HISTORY` whose stream begins. */
function leaderKinds(epoch: number): Record<string, PeerMessage> {
  const table = [...tableOf(HISTORY), { epoch: EPOCH, lastZxid: MARKER }];
  return {
    diff: { type: 'diff', epoch, after: LAST },
    'diff elsewhere': { type: 'diff', epoch, after: makeZxid(2, 1) },
    trunc: { type: 'trunc', epoch, after: makeZxid(2, 1) },
    'trunc elsewhere': { type: 'trunc', epoch, after: makeZxid(2, 9) },
    lend: { type: 'lend', epoch, lastZxid: 0n, epochs: [] },
    snap: { type: 'snap', epoch, zxid: MARKER, epochs: table },
    'snap of a later epoch': {
      type: 'snap',
      epoch,
      zxid: makeZxid(9, 0),
      epochs: [{ epoch: 9, lastZxid: makeZxid(9, 0) }],
    },
    'snap with another table': { type: 'snap', epoch, zxid: MARKER, epochs: tableOf(HISTORY) },
    snapshotChunk: { type: 'snapshotChunk', epoch, bytes: BYTES, isLast: false },
    proposal: { type: 'proposal', epoch, entries: [entry(EPOCH, 0)], commit: 0n },
    'proposal with a gap': { type: 'proposal', epoch, entries: [entry(EPOCH, 2)], commit: 0n },
    'proposal of a later epoch': { type: 'proposal', epoch, entries: [entry(9, 0)], commit: 0n },
    'commit of what is there': { type: 'commit', epoch, zxid: LAST },
    'commit of what is not there': { type: 'commit', epoch, zxid: makeZxid(EPOCH, 5) },
    upToDate: { type: 'upToDate', epoch, commit: LAST },
    ping: { type: 'ping', epoch, nonce: 1, heard: 0, payload: BYTES },
    readmit: { type: 'readmit', epoch },
    'hand-over to an observer': { type: 'handOver', epoch, leader: 4, round: 1 },
    application: { type: 'application', epoch, bytes: BYTES },
  };
}

/** The kinds that only a learner sends. */
function learnerKinds(epoch: number): Record<string, PeerMessage> {
  return {
    ackEpoch: ackEpoch(epoch, HISTORY),
    'ack of the marker': { type: 'ack', epoch, zxid: MARKER },
    'ack of less': { type: 'ack', epoch, zxid: LAST },
    'ack of what was not sent': { type: 'ack', epoch, zxid: makeZxid(EPOCH, 5) },
    snapshotAck: { type: 'snapshotAck', epoch, chunks: 1 },
    pong: { type: 'pong', epoch, nonce: 1, payload: BYTES },
    readmitted: { type: 'readmitted', epoch },
    newEpoch: { type: 'newEpoch', attempt: 1, epoch },
  };
}

function everyKind(epoch: number): [string, PeerMessage][] {
  return Object.entries({ ...leaderKinds(epoch), ...learnerKinds(epoch) });
}

const FOLLOWERS: Readonly<Record<string, () => Conversation>> = {
  'has not been told the epoch': () => {
    const self = new Conversation({ id: 1, observers: [4] }, diskWith(HISTORY));
    self.connect(2, 3);
    self.hear(3, { ...SAYS_IT_LEADS });
    return self;
  },
  'has promised the epoch': () => {
    const self = new Conversation({ id: 1, observers: [4] }, diskWith(HISTORY));
    self.follow(EPOCH);
    return self;
  },
  'gets entries': () => {
    const self = FOLLOWERS['has promised the epoch']!();
    self.hear(3, { type: 'diff', epoch: EPOCH, after: LAST });
    return self;
  },
  'gets a snapshot': () => {
    const self = FOLLOWERS['has promised the epoch']!();
    self.hear(3, leaderKinds(EPOCH).snap!);
    return self;
  },
};

const SAYS_IT_LEADS: PeerMessage = {
  type: 'notification',
  state: 'leading',
  round: 1,
  vote: { leader: 3, epoch: 2, zxid: 0n },
  standing: 'full',
  claim: 0n,
  canLead: true,
  isBehind: false,
};

/** Member 3 leads, or is about to; the learner in question is member 1. */
const LEADERS: Readonly<Record<string, () => Conversation>> = {
  'that is not invited': () => {
    const self = new Conversation({ id: 3, voters: [1, 2, 3, 4, 5] }, diskWith(HISTORY));
    self.elect();
    self.hear(1, { type: 'learnerInfo', attempt: 1, acceptedEpoch: 2, standing: 'full' });
    return self;
  },
  'that is invited': () => {
    const self = new Conversation({ id: 3 }, diskWith(HISTORY));
    self.elect();
    self.hear(1, { type: 'learnerInfo', attempt: 1, acceptedEpoch: 2, standing: 'full' });
    return self;
  },
  'that has promised': () => {
    const self = LEADERS['that is invited']!();
    self.hear(1, ackEpoch(EPOCH, HISTORY));
    return self;
  },
  'that holds the marker': () => {
    const self = LEADERS['that has promised']!();
    self.hear(1, { type: 'ack', epoch: EPOCH, zxid: MARKER });
    return self;
  },
};

function outcome(self: Conversation, from: number, message: PeerMessage): Outcome {
  const before = JSON.stringify(self.peer.status(), plain);
  const [persisted, readies] = [self.persisted.length, self.readies.length];
  self.hear(from, message);
  if (self.disconnects.length > 0) return 'refused';
  const isSame = JSON.stringify(self.peer.status(), plain) === before;
  return isSame && self.persisted.length === persisted && self.readies.length === readies
    ? 'silent'
    : 'taken';
}

function plain(_: string, value: unknown): unknown {
  return typeof value === 'bigint' ? value.toString(16) : value;
}

/** By kind: what becomes of it, in the order of `FOLLOWERS`. Kinds that only a learner sends are not named. */
const AT_FOLLOWER: Readonly<Record<string, string>> = {
  diff: 'silent taken refused refused',
  'diff elsewhere': 'silent refused refused refused',
  trunc: 'silent taken refused refused',
  'trunc elsewhere': 'silent refused refused refused',
  lend: 'silent taken refused refused',
  snap: 'silent taken refused refused',
  'snap of a later epoch': 'silent refused refused refused',
  'snap with another table': 'silent refused refused refused',
  snapshotChunk: 'silent refused refused taken',
  proposal: 'silent refused taken refused',
  'proposal with a gap': 'silent refused refused refused',
  'proposal of a later epoch': 'silent refused refused refused',
  'commit of what is there': 'silent refused taken refused',
  'commit of what is not there': 'silent refused refused refused',
  upToDate: 'silent refused silent refused',
  ping: 'silent taken taken taken',
  readmit: 'silent refused refused refused',
  'hand-over to an observer': 'silent refused refused refused',
  application: 'silent taken taken taken',
};

/** By kind, in the order of `LEADERS`. Whatever is not named is refused. */
const AT_LEADER: Readonly<Record<string, string>> = {
  ackEpoch: 'refused taken refused refused',
  'ack of the marker': 'refused refused taken silent',
  'ack of less': 'refused refused silent refused',
  'ack of what was not sent': 'refused refused refused refused',
  snapshotAck: 'refused refused refused refused',
  pong: 'taken taken taken taken',
  readmitted: 'refused refused refused refused',
  application: 'taken taken taken taken',
};
const REFUSED = 'refused refused refused refused';
const SILENT = 'silent silent silent silent';

for (const [index, [what, make]] of Object.entries(FOLLOWERS).entries())
  test(`a follower that ${what} takes what belongs there, and refuses all else of its leader`, () => {
    for (const [kind, message] of everyKind(EPOCH)) {
      if (message.type === 'newEpoch') continue;
      const expected = (AT_FOLLOWER[kind] ?? (index === 0 ? SILENT : REFUSED)).split(' ')[index];
      assert.is(outcome(make(), 3, message), expected, kind);
      assert.is(outcome(make(), 2, message), 'silent', `${kind} of another member`);
    }
    for (const [kind, message] of everyKind(2)) {
      if (message.type === 'newEpoch') continue;
      assert.is(outcome(make(), 3, message), 'silent', `${kind} of an older epoch`);
    }
  });

for (const [index, [what, make]] of Object.entries(LEADERS).entries())
  test(`a leader takes of a learner ${what} what belongs there, and refuses all else`, () => {
    for (const [kind, message] of everyKind(index === 0 ? 0 : EPOCH)) {
      const expected = (AT_LEADER[kind] ?? REFUSED).split(' ')[index];
      assert.is(outcome(make(), 1, message), expected, kind);
      assert.is(outcome(make(), 2, message), 'silent', `${kind} of one that does not follow`);
    }
    for (const [kind, message] of everyKind(2))
      assert.is(outcome(make(), 1, message), 'silent', `${kind} of an older epoch`);
  });

test.run();
