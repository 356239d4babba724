import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { makeZxid, type PeerMessage } from '../../../core/zab/index.js';
import { Conversation, diskWith, epochOfEntries } from './conversation.js';

const LAST = makeZxid(2, 5);

/** Member 2 with a history up to (2, 5), linked to 1 and 3, looking. */
function looking(id = 2): Conversation {
  const conversation = new Conversation({ id }, diskWith(epochOfEntries(2, 5)));
  conversation.connect(...[1, 2, 3].filter((other) => other !== id));
  conversation.forgetSent();
  return conversation;
}

function settled(
  leader: number,
  options: { state: 'following' | 'leading'; round: number; zxid: bigint },
): PeerMessage {
  const { state, round, zxid } = options;
  return { type: 'notification', standing: 'full', state, round, vote: { leader, epoch: 4, zxid } };
}

function state(conversation: Conversation): string {
  const { state: role, leader } = conversation.peer.status();
  return leader === null ? role : `${role} ${leader}`;
}

test('a member votes for itself, with its last durable zxid, as soon as a link is up', () => {
  const conversation = new Conversation({ id: 2 }, diskWith(epochOfEntries(2, 5)));
  conversation.connect(1);
  const [notification] = conversation.takeSent(1, 'notification');
  assert.equal(notification, {
    type: 'notification',
    standing: 'full',
    state: 'looking',
    round: 1,
    vote: { leader: 2, epoch: 2, zxid: LAST },
  });
});

test('the more recent history is voted for, then the larger id, and the vote is passed on', () => {
  const conversation = looking();
  conversation.hearVote(1, 1, LAST - 1n);
  conversation.hearVote(1, 1, LAST);
  assert.equal(conversation.takeSent(3, 'notification'), []);
  const answers = conversation.takeSent(1, 'notification');
  assert.equal(
    answers.map(({ vote }) => vote.leader),
    [2, 2],
    'who votes for less than this member is told so: it may have missed the vote',
  );

  conversation.hearVote(3, 3, LAST);
  assert.is(conversation.takeSent(1, 'notification')[0]!.vote.leader, 3);
  conversation.forgetSent();
  conversation.hearVote(1, 1, makeZxid(3, 0));
  assert.is(conversation.takeSent(3, 'notification')[0]!.vote.leader, 1);
});

test('a quorum that agrees has to stand for a while, and a better vote cancels it', () => {
  const conversation = looking();
  conversation.hearVote(1, 2, LAST);
  conversation.pass(100);
  assert.is(state(conversation), 'looking');

  conversation.hearVote(3, 3, LAST);
  conversation.pass(150);
  assert.is(state(conversation), 'looking');
  conversation.pass(50);
  assert.is(state(conversation), 'following 3');
});

test('once all voters agree nothing can change, and nobody waits', () => {
  const conversation = looking();
  conversation.hearVote(1, 2, LAST);
  conversation.hearVote(3, 2, LAST);
  assert.is(state(conversation), 'leading 2');
});

test('nobody waits for a voter that cannot be heard', () => {
  const conversation = looking();
  conversation.hearVote(1, 2, LAST);
  assert.is(state(conversation), 'looking');
  conversation.disconnect(3);
  assert.is(state(conversation), 'leading 2');
});

test('a newer round is joined with all votes of the older one forgotten', () => {
  const conversation = looking();
  conversation.hearVote(1, 2, LAST, 1);
  conversation.hearVote(3, 1, LAST - 2n, 7);
  const [notification] = conversation.takeSent(1, 'notification').slice(-1);
  assert.is(notification!.round, 7);
  assert.is(notification!.vote.leader, 2);
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

test('a joiner follows the leader that a quorum has, if that one says so itself', () => {
  const conversation = looking();
  conversation.hear(1, settled(3, { state: 'following', round: 9, zxid: LAST }));
  assert.is(state(conversation), 'looking');
  conversation.hear(3, settled(3, { state: 'leading', round: 9, zxid: LAST }));
  assert.is(state(conversation), 'following 3');
});

test('followers of a leader that nobody hears from do not make it one', () => {
  const conversation = new Conversation({ id: 5, voters: [1, 2, 3, 4, 5] });
  conversation.connect(1, 2, 3, 4);
  for (const other of [1, 2, 3])
    conversation.hear(other, settled(4, { state: 'following', round: 9, zxid: LAST }));
  conversation.pass(500);
  assert.is(state(conversation), 'looking');
});

test('nobody leads because others took it for the leader in an older round', () => {
  const conversation = looking();
  conversation.hear(1, settled(2, { state: 'following', round: 9, zxid: LAST }));
  conversation.hear(3, settled(2, { state: 'following', round: 9, zxid: LAST }));
  assert.is(state(conversation), 'looking');
});

test('whoever has a leader answers those who look for one, at any time', () => {
  const conversation = looking();
  conversation.hearVote(1, 3, LAST);
  conversation.hearVote(3, 3, LAST);
  conversation.forgetSent();
  conversation.hearVote(1, 1, LAST, 5);
  assert.is(conversation.takeSent(1, 'notification')[0]!.state, 'following');
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
  observer.hear(1, settled(3, { state: 'following', round: 2, zxid: LAST }));
  observer.hear(3, settled(3, { state: 'leading', round: 2, zxid: LAST }));
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
  const vote = { leader: 1, epoch: 9, zxid: makeZxid(9, 0) };
  conversation.run(() =>
    conversation.peer.step(1, oldLink, {
      type: 'notification',
      standing: 'full',
      state: 'looking',
      round: 1,
      vote,
    }),
  );
  assert.is(conversation.takeSent(3, 'notification').length, 0);
  conversation.run(() => conversation.peer.disconnected(1, oldLink));
  conversation.hearVote(1, 1, makeZxid(9, 0));
  assert.is(conversation.takeSent(3, 'notification').length, 1);
});

test.run();
