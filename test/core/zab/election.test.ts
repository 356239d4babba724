import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { makeZxid } from '../../../core/zab/index.js';
import {
  Conversation,
  diskWith,
  epochOfEntries,
  notification,
  saysItFollows,
  saysItLeads,
} from './conversation.js';

const LAST = makeZxid(2, 5);
const HISTORY = epochOfEntries(2, 5);
const NONE = { leader: 0, epoch: 0, zxid: 0n };

/** That member, of so many voters, with a history up to (2, 5), linked to these, looking. */
function looking({ id = 2, voters = 3, links = [1, 2, 3] } = {}): Conversation {
  const ids = Array.from({ length: voters }, (_, index) => index + 1);
  const conversation = new Conversation({ id, voters: ids }, diskWith(HISTORY));
  conversation.connect(...links.filter((other) => other !== id));
  conversation.forgetSent();
  return conversation;
}

function state(conversation: Conversation): string {
  const { state: role, leader } = conversation.peer.status();
  return leader === null ? role : `${role} ${leader}`;
}

/** For whom the last word to that member was, and whether this one can lead. */
function lastWord(conversation: Conversation, to: number): [leader: number, canLead: boolean] | undefined {
  const last = conversation.takeSent(to, 'notification').at(-1);
  return last && [last.vote.leader, last.canLead];
}

test('a voter says how recent its history is as soon as a link is up, and can lead only with a quorum', () => {
  const conversation = new Conversation({ id: 2 }, diskWith(HISTORY));
  conversation.connect(1);
  assert.equal(conversation.takeSent(1, 'notification'), [
    notification({ vote: { leader: 2, epoch: 2, zxid: LAST } }),
  ]);
  conversation.hearVote(1, 1, LAST - 1n);
  assert.equal(lastWord(conversation, 1), [2, true]);
});

test('of those that can lead the most recent history is voted for, then the larger id', () => {
  const conversation = looking();
  conversation.hearVote(1, 1, LAST);
  assert.equal(lastWord(conversation, 3), [2, true]);
  conversation.hearVote(3, 3, LAST);
  assert.equal(lastWord(conversation, 1), [3, true]);
  conversation.hearVote(1, 1, makeZxid(3, 0));
  assert.equal(lastWord(conversation, 3), [1, true]);
});

test('a voter with the most recent history that cannot lead gets no vote', () => {
  const conversation = looking({ voters: 5, links: [1, 3, 4, 5] });
  for (const other of [1, 3]) conversation.hearVote(other, 2, LAST);
  conversation.hear(5, notification({ vote: { leader: 5, epoch: 3, zxid: makeZxid(3, 0) } }));
  assert.equal(lastWord(conversation, 1), [2, true]);
  conversation.pass(200);
  assert.is(state(conversation), 'leading 2');
});

test('a vote for a candidate without a link is not adopted', () => {
  const conversation = looking({ voters: 5, links: [1, 3] });
  for (const other of [1, 3]) conversation.hearVote(other, 5, makeZxid(9, 0));
  assert.equal(lastWord(conversation, 1), [2, true]);
});

test('a candidate that can lead only with the history of another says so, and comes behind every other', () => {
  const conversation = looking({ voters: 5, links: [1, 3, 4, 5] });
  for (const other of [3, 4])
    conversation.hear(other, notification({ vote: { leader: other, epoch: 2, zxid: LAST + 1n } }));
  const [said] = conversation.takeSent(1, 'notification').slice(-1);
  assert.equal([said!.vote.leader, said!.canLead, said!.isBehind], [2, true, true]);
  conversation.hear(1, notification({ vote: { leader: 1, epoch: 2, zxid: LAST }, canLead: true }));
  assert.is(lastWord(conversation, 3)![0], 1, 'not even the larger id comes first');
  conversation.hear(1, notification({ vote: { leader: 2, epoch: 2, zxid: LAST } }));
  for (const other of [3, 4]) {
    const vote = { leader: 2, epoch: 2, zxid: LAST };
    conversation.hear(other, notification({ vote, claim: LAST + 1n }));
  }
  conversation.pass(200);
  assert.is(state(conversation), 'leading 2');
});

test('a voter that forgot something cannot lead with the history of another', () => {
  const conversation = new Conversation({ id: 2 }, { ...diskWith(HISTORY), rejoining: 'damaged' });
  conversation.connect(1, 3);
  for (const other of [1, 3]) conversation.hearVote(other, other, LAST + 1n);
  assert.is(lastWord(conversation, 1)![1], false);
});

test('a candidate that a quorum supports waits for a better one, but not for ever', () => {
  const conversation = looking();
  conversation.hearVote(1, 2, LAST);
  conversation.pass(150);
  assert.is(state(conversation), 'looking');
  conversation.hearVote(3, 3, LAST);
  conversation.pass(300);
  assert.is(state(conversation), 'looking', 'the better one is waited for');
  conversation.hear(3, notification({ vote: { leader: 2, epoch: 2, zxid: LAST } }));
  assert.is(state(conversation), 'leading 2', 'all voters agree');

  const alone = looking();
  alone.hearVote(1, 2, LAST);
  alone.pass(200);
  assert.is(state(alone), 'leading 2');
});

test('a candidate waits no longer for a better one because its supporters repeat their votes', () => {
  const conversation = looking();
  for (let passed = 0; passed < 250; passed += 50) {
    conversation.hearVote(1, 2, LAST);
    conversation.pass(50);
  }
  assert.is(state(conversation), 'leading 2');
});

test('a candidate that every voter supports leads at once, and says so', () => {
  const conversation = looking();
  conversation.hearVote(1, 2, LAST);
  conversation.forgetSent();
  conversation.hearVote(3, 2, LAST);
  assert.is(state(conversation), 'leading 2');
  const [announced] = conversation.takeSent(1, 'notification');
  assert.equal([announced!.state, announced!.canLead], ['leading', true]);
});

test('nobody waits for a voter that cannot be heard', () => {
  const conversation = looking();
  conversation.hearVote(1, 2, LAST);
  assert.is(state(conversation), 'looking');
  conversation.disconnect(3);
  assert.is(state(conversation), 'leading 2');
});

test('the vote of a voter whose link is down does not count', () => {
  const conversation = looking();
  conversation.hearVote(1, 2, LAST);
  conversation.disconnect(1);
  conversation.pass(300);
  assert.is(state(conversation), 'looking');
  assert.equal(lastWord(conversation, 3), [2, false]);
});

test('the vote of a voter that says it leads does not count, though that one has no quorum', () => {
  const conversation = looking();
  conversation.hearVote(1, 2, LAST);
  conversation.hear(1, { ...saysItLeads(1, { round: 1, epoch: 3 }), canLead: false });
  conversation.pass(300);
  assert.is(state(conversation), 'looking');
  assert.equal(lastWord(conversation, 3), [2, false]);
});

test('a newer round is joined with all votes of the older one forgotten', () => {
  const conversation = looking();
  conversation.hearVote(1, 2, LAST, 1);
  conversation.hear(3, notification({ round: 7, vote: NONE, claim: LAST - 2n }));
  assert.is(conversation.takeSent(1, 'notification').at(-1)!.round, 1, 'who has not begun yet has no vote');
  conversation.hearVote(3, 3, LAST - 2n, 7);
  const word = conversation.takeSent(1, 'notification').at(-1)!;
  assert.equal([word.round, word.vote.leader], [7, 2]);
  conversation.pass(300);
  assert.is(state(conversation), 'looking');
});

test('a vote of an older round is not counted, but its sender is told the newer one', () => {
  const conversation = looking();
  conversation.hearVote(3, 2, LAST, 4);
  conversation.forgetSent();
  conversation.hearVote(1, 2, LAST, 3);
  assert.is(conversation.takeSent(1, 'notification')[0]!.round, 4);
});

test('a voter that begins to look is answered at once: it may have missed what others said before', () => {
  const conversation = looking();
  conversation.hearVote(1, 3, LAST);
  assert.ok(conversation.takeSent(1, 'notification').length > 0);
  conversation.hear(1, saysItFollows(3, { round: 1, epoch: 2 }));
  conversation.forgetSent();
  conversation.hear(1, notification({ vote: { leader: 1, epoch: 2, zxid: LAST } }));
  assert.ok(conversation.takeSent(1, 'notification').length > 0);
});

test('a voter that begins to look is answered once, though its vote changes nothing here', () => {
  const conversation = looking({ voters: 5, links: [1, 3, 4] });
  for (const other of [1, 3]) conversation.hearVote(other, 2, LAST);
  conversation.forgetSent();
  for (const answers of [1, 0]) {
    conversation.hearVote(4, 4, LAST - 1n);
    assert.is(conversation.takeSent(4, 'notification').length, answers);
  }
});

test('a leader is followed if it says itself that it leads and has links to a quorum', () => {
  const conversation = looking();
  conversation.hear(1, saysItFollows(3, { round: 9, epoch: 4 }));
  assert.is(state(conversation), 'looking');
  conversation.hear(3, { ...saysItLeads(3, { round: 9, epoch: 4 }), canLead: false });
  assert.is(state(conversation), 'looking', 'without a quorum it will not lead for long');
  conversation.hear(3, saysItLeads(3, { round: 9, epoch: 4 }));
  assert.is(state(conversation), 'following 3');
});

test('followers of a leader that nobody hears from do not make it one', () => {
  const conversation = looking({ id: 5, voters: 5, links: [1, 2, 3, 4] });
  for (const other of [1, 2, 3]) conversation.hear(other, saysItFollows(4, { round: 9, epoch: 4 }));
  conversation.pass(500);
  assert.is(state(conversation), 'looking');
});

test('nobody leads because others took it for the leader in an older round', () => {
  const conversation = looking();
  for (const other of [1, 3]) conversation.hear(other, saysItFollows(2, { round: 9, epoch: 4 }));
  conversation.pass(500);
  assert.is(state(conversation), 'looking');
});

test('a voter at the edge, whose neighbours have a leader, cannot lead', () => {
  const conversation = looking({ id: 5, voters: 5, links: [1, 2, 3] });
  for (const other of [1, 2, 3]) conversation.hearVote(other, other, LAST);
  assert.equal(lastWord(conversation, 1), [5, true]);
  for (const other of [1, 2, 3]) conversation.hear(other, saysItFollows(4, { round: 2, epoch: 4 }));
  assert.equal(lastWord(conversation, 1), [5, false]);
});

test('whoever has a leader answers those who look for one, at any time', () => {
  const conversation = looking();
  conversation.hear(3, saysItLeads(3, { round: 1, epoch: 2 }));
  conversation.forgetSent();
  conversation.hearVote(1, 1, LAST, 5);
  assert.is(conversation.takeSent(1, 'notification')[0]!.state, 'following');
});

test('a voter that follows says so to every voter, so that nobody else waits for it', () => {
  const conversation = looking();
  conversation.hear(3, saysItLeads(3, { round: 1, epoch: 2 }));
  const said = conversation.takeSent(1, 'notification').at(-1)!;
  assert.equal([said.state, said.vote.leader], ['following', 3]);
});

test('an observer has no vote and nobody counts it, but it finds the leader', () => {
  const config = { voters: [1, 2, 3], observers: [4] };
  const voter = new Conversation({ id: 2, ...config });
  voter.connect(1, 4);
  voter.hearVote(4, 2, 0n);
  voter.pass(400);
  assert.is(state(voter), 'looking');

  const observer = new Conversation({ id: 4, ...config });
  observer.connect(1, 2, 3);
  assert.is(observer.takeSent(1, 'notification')[0]!.vote.leader, 0);
  for (const other of [1, 2, 3]) observer.hearVote(other, 3, 0n);
  assert.is(state(observer), 'looking');
  observer.hear(3, saysItLeads(3, { round: 2, epoch: 4 }));
  assert.is(state(observer), 'observing 3');
});

test('a vote is repeated more and more slowly, but never more slowly than every three seconds', () => {
  const conversation = looking();
  const sentAt: number[] = [];
  for (let step = 0; step < 800; step++) {
    conversation.pass(25);
    if (conversation.takeSent(1, 'notification').length > 0) sentAt.push(conversation.nowMs);
  }
  const gaps = sentAt.slice(1).map((at, index) => at - sentAt[index]!);
  assert.ok(gaps[0]! <= 900, `first gap ${gaps[0]} ms`);
  assert.ok(Math.max(...gaps) <= 3025, `gaps ${gaps.join(', ')} ms`);
  assert.ok(gaps.at(-1)! >= 2000, `last gap ${gaps.at(-1)} ms`);
});

test('messages of an older link are not heard once there is a newer one', () => {
  const conversation = looking();
  const oldLink = conversation.linkTo(1);
  conversation.connect(1);
  conversation.forgetSent();
  const vote = { leader: 1, epoch: 9, zxid: makeZxid(9, 0) };
  conversation.run(() => conversation.peer.step(1, oldLink, notification({ vote, canLead: true })));
  assert.is(conversation.takeSent(3, 'notification').length, 0);
  conversation.run(() => conversation.peer.disconnected(1, oldLink));
  conversation.hearVote(1, 1, makeZxid(9, 0));
  assert.is(conversation.takeSent(3, 'notification').length, 1);
});

test.run();
