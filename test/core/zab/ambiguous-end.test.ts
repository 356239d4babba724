import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { countableFor, describeGap, describeWait, type VoterState } from '../../../core/zab/ambiguous-end.js';
import {
  decodePeerMessage,
  encodePeerMessage,
  makeZxid,
  type PeerMessage,
  type RestoredHistory,
} from '../../../core/zab/index.js';
import { MajorityQuorum } from '../../../core/zab/quorum.js';
import type { Standing } from '../../../core/zab/standing.js';
import { ackEpoch, Conversation, diskWith, epochOfEntries } from './conversation.js';

const HELD = makeZxid(2, 5);
const LOST = makeZxid(2, 7);
const AMBIGUOUS: RestoredHistory = { ...diskWith(epochOfEntries(2, 5)), mayHold: LOST };
const THREE = new MajorityQuorum([1, 2, 3]);

/** Member 2 may have acknowledged up to (2, 7), holds up to (2, 5), and looks for a leader. */
function looking(): Conversation {
  const conversation = new Conversation({ id: 2 }, AMBIGUOUS);
  conversation.connect(1, 3);
  conversation.forgetSent();
  return conversation;
}

/** Another voter that looks for a leader, with a history up to `zxid`, votes for `leader`. */
function vote(
  conversation: Conversation,
  from: number,
  options: { leader?: number; zxid?: bigint; standing?: Standing; canLead?: boolean },
): void {
  const { leader = from, zxid = HELD, standing = 'full', canLead = false } = options;
  const vote = { leader, epoch: Number(zxid >> 32n), zxid };
  const message = { type: 'notification', state: 'looking', round: 1 } as const;
  conversation.hear(from, { ...message, vote, standing, claim: zxid, canLead, isBehind: false });
}

function roleOf(conversation: Conversation): string {
  const { state, leader } = conversation.peer.status();
  return leader === null ? state : `${state} ${leader}`;
}

function voters(...given: readonly VoterState[]): ReadonlyMap<number, VoterState> {
  return new Map(given.map((state, index) => [index + 1, state]));
}

const FULL: VoterState = { standing: 'full' };

test('an ambiguous voter counts only for a candidate that reaches what it may have acknowledged', () => {
  const known = voters(FULL, { standing: 'ambiguous', mayHold: LOST });

  assert.equal([...countableFor(THREE, known, LOST - 1n).keys()], [1]);
  assert.equal([...countableFor(THREE, known, LOST).keys()], [1, 2]);
  assert.equal([...countableFor(THREE, known, makeZxid(3, 0)).keys()], [1, 2]);
});

test('ambiguous voters count for any candidate when every voter is there, whether it remembers or not', () => {
  const lost: VoterState = { standing: 'ambiguous', mayHold: LOST };

  assert.is(countableFor(THREE, voters(FULL, lost, lost), HELD).size, 3);
  assert.is(countableFor(THREE, voters(lost, lost, lost), HELD).size, 3);
  assert.is(countableFor(THREE, voters(FULL, lost, { standing: 'rejoining' }), HELD).size, 3);
  assert.equal(
    [
      ...countableFor(
        THREE,
        new Map([
          [2, lost],
          [3, FULL],
        ]),
        HELD,
      ).keys(),
    ],
    [3],
  );
  assert.equal(
    [...countableFor(new MajorityQuorum([1, 2, 3, 4]), voters(FULL, lost, lost), HELD).keys()],
    [1],
  );
});

test('what an election waits for names the voters, the lost entries and who is missing', () => {
  const text = describeWait(THREE, voters(FULL, { standing: 'ambiguous', mayHold: LOST }));

  assert.match(text, 'member 2 (up to 0x200000007)');
  assert.match(text, 'missing: 3');
});

test('a member with an ambiguous end says so in its vote and when it comes to follow', () => {
  const conversation = new Conversation({ id: 2 }, AMBIGUOUS);
  conversation.connect(1);
  const [notification] = conversation.takeSent(1, 'notification');

  assert.is(notification?.standing, 'ambiguous');
  assert.is(notification?.mayHold, LOST);
  assert.equal(decodePeerMessage(encodePeerMessage(notification!)), notification);
});

test('nobody is elected without the lost entries while a voter is missing, and the status says why', () => {
  const conversation = looking();
  conversation.disconnect(3);
  vote(conversation, 1, { leader: 2 });
  conversation.pass(5_000);

  assert.is(roleOf(conversation), 'looking');
  assert.match(conversation.peer.status().obstacle ?? '', 'missing: 3');
});

test('a candidate that holds the lost entries is voted for, whoever is missing', () => {
  const conversation = looking();
  conversation.disconnect(3);
  vote(conversation, 1, { zxid: LOST, canLead: true });

  assert.is(conversation.takeSent(1, 'notification').at(-1)?.vote.leader, 1);
  assert.is(conversation.peer.status().obstacle, null);
});

test('a candidate that holds the lost entries can lead with an ambiguous voter', () => {
  const conversation = new Conversation({ id: 1 }, diskWith(epochOfEntries(2, 7)));
  conversation.connect(2);
  const message = { type: 'notification', state: 'looking', round: 1, standing: 'ambiguous' } as const;
  const own = { vote: { leader: 1, epoch: 2, zxid: LOST }, claim: HELD, canLead: false, isBehind: false };
  conversation.hear(2, { ...message, ...own, mayHold: LOST });
  conversation.pass(500);

  assert.is(roleOf(conversation), 'leading 1');
});

test('a candidate without the lost entries cannot lead with an ambiguous voter while another is missing', () => {
  const conversation = new Conversation({ id: 1 }, diskWith(epochOfEntries(2, 6)));
  conversation.connect(2);
  const message = { type: 'notification', state: 'looking', round: 1, standing: 'ambiguous' } as const;
  const own = { vote: { leader: 1, epoch: 2, zxid: LOST }, claim: HELD, canLead: false, isBehind: false };
  conversation.hear(2, { ...message, ...own, mayHold: LOST });
  conversation.pass(500);

  assert.is(roleOf(conversation), 'looking');
  assert.match(conversation.peer.status().obstacle ?? '', 'missing: 3');
});

test('a member with an ambiguous end leads when every voter is there and none holds more', () => {
  const conversation = looking();
  vote(conversation, 1, { leader: 2 });
  vote(conversation, 3, { leader: 2 });
  conversation.pass(500);

  assert.is(roleOf(conversation), 'leading 2');
});

test('an ambiguous voter and one that lost its disk elect with a third, for nobody else may hold more', () => {
  const conversation = looking();
  vote(conversation, 1, { leader: 2 });
  vote(conversation, 3, { leader: 2, zxid: 0n, standing: 'rejoining' });
  conversation.pass(500);

  assert.is(roleOf(conversation), 'leading 2');
});

test('a voter that lost a part of its disk, and holds more than a candidate, is no proof that nobody does', () => {
  const conversation = looking();
  vote(conversation, 1, { leader: 2 });
  vote(conversation, 3, { leader: 3, zxid: makeZxid(2, 6), standing: 'rejoining' });
  conversation.pass(5_000);

  assert.is(roleOf(conversation), 'looking');
});

test('two ambiguous voters are no quorum beside one that lost its disk and one that is missing', () => {
  const conversation = new Conversation({ id: 2, voters: [1, 2, 3, 4] }, AMBIGUOUS);
  conversation.connect(1, 3);
  vote(conversation, 1, { leader: 2 });
  vote(conversation, 3, { leader: 2, zxid: 0n, standing: 'rejoining' });
  conversation.pass(5_000);

  assert.is(roleOf(conversation), 'looking');
});

/** Member 3 of three leads with the history of epoch 2 up to `last`, and hears the promise of an ambiguous member 2. */
function promisedBy(last: number, others: readonly number[]): Conversation {
  const history = epochOfEntries(2, last);
  const conversation = new Conversation({ id: 3 }, diskWith(history));
  conversation.connect(1, 2);
  vote(conversation, 1, { leader: 3, zxid: makeZxid(2, last) });
  vote(conversation, 2, { leader: 3, zxid: makeZxid(2, last) });
  conversation.pass(500);
  assert.is(roleOf(conversation), 'leading 3');
  const info: PeerMessage = { type: 'learnerInfo', attempt: 1, acceptedEpoch: 2, standing: 'full' };
  for (const other of [...others, 2]) {
    conversation.hear(other, other === 2 ? { ...info, standing: 'ambiguous', mayHold: LOST } : info);
    const { epoch } = conversation.takeSent(other, 'newEpoch')[0]!;
    conversation.hear(other, ackEpoch(epoch, other === 2 ? epochOfEntries(2, 5) : history));
  }
  return conversation;
}

test('a promise of an ambiguous member is not counted by a leader without the lost entries', () => {
  assert.is(promisedBy(5, []).peer.status().phase, 'discovery');
});

test('a promise of an ambiguous member is counted by a leader that holds the lost entries', () => {
  assert.is(promisedBy(7, []).peer.status().phase, 'synchronization');
});

test('a quorum of other promises needs no promise of an ambiguous member', () => {
  assert.is(promisedBy(5, [1]).peer.status().phase, 'synchronization');
});

/** Member 3 of three has fixed an epoch without entries that member 2 may have acknowledged; member 1 has lost its disk. */
function promisedWithLostDisk(held: bigint): Conversation {
  const conversation = new Conversation({ id: 3 }, diskWith(epochOfEntries(2, 5)));
  conversation.connect(1, 2);
  vote(conversation, 1, { leader: 3, zxid: 0n, standing: 'rejoining' });
  vote(conversation, 2, { leader: 3 });
  conversation.pass(500);
  assert.is(roleOf(conversation), 'leading 3');
  const info = { type: 'learnerInfo', attempt: 1 } as const;
  conversation.hear(2, { ...info, acceptedEpoch: 2, standing: 'ambiguous', mayHold: LOST });
  conversation.hear(1, { ...info, acceptedEpoch: 0, standing: 'rejoining' });
  const { epoch } = conversation.takeSent(2, 'newEpoch')[0]!;
  conversation.hear(2, ackEpoch(epoch, epochOfEntries(2, 5)));
  assert.is(conversation.peer.status().phase, 'discovery', 'member 1 may hold more');
  conversation.hear(1, ackEpoch(epoch, epochOfEntries(2, Number(held & 0xffffn))));
  return conversation;
}

test('the promise of a voter that lost its disk shows that it holds nothing more, and the status names the gap', () => {
  const { peer } = promisedWithLostDisk(HELD);

  assert.is(peer.status().phase, 'synchronization');
  assert.match(
    peer.status().gap ?? '',
    'behind 0x200000005 may have been acknowledged at member 2 (up to 0x200000007)',
  );
});

test('the promise of a voter that lost a part of its disk, and holds more than the leader, shows nothing', () => {
  const { peer } = promisedWithLostDisk(makeZxid(2, 6));

  assert.is(peer.status().phase, 'discovery');
});

test('a gap is named only where those that can have lost nothing are no quorum', () => {
  const lost: VoterState = { standing: 'ambiguous', mayHold: LOST };

  assert.is(describeGap(THREE, voters(FULL, FULL, lost), HELD), null);
  assert.is(describeGap(THREE, voters(FULL, lost, { standing: 'rejoining' }), LOST), null);
  assert.ok(describeGap(THREE, voters(FULL, lost, lost), HELD) !== null);
});

test('a member is a full voter again once its log reaches what it may have acknowledged', () => {
  const conversation = new Conversation({ id: 2 }, { ...diskWith(epochOfEntries(2, 7)), mayHold: LOST });
  conversation.connect(1);

  assert.is(conversation.takeSent(1, 'notification')[0]!.standing, 'full');
});

test.run();
