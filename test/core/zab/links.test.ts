/** What a peer does with links: the newest to each member counts, and nothing goes out on one that is to be closed. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { makeZxid } from '../../../core/zab/index.js';
import { Outbox } from '../../../core/zab/outbox.js';
import { Conversation, text } from './conversation.js';

const MARKER = makeZxid(1, 0);

function leading(): Conversation {
  const self = new Conversation({ id: 3 });
  self.establish();
  self.promise(2);
  self.hear(2, { type: 'ack', epoch: 1, zxid: MARKER });
  self.forgetSent();
  return self;
}

test('a link that is down although a newer one is up changes nothing', () => {
  const self = leading();
  const old = self.linkTo(2);
  self.connect(2);
  self.hear(2, { type: 'learnerInfo', attempt: 2, acceptedEpoch: 1, standing: 'full' });
  assert.is(self.takeSent(2, 'newEpoch').length, 1);
  self.run(() => self.peer.disconnected(2, old));
  assert.ok(self.peer.learners().some(({ id }) => id === 2));
  self.run(() => self.peer.step(2, old, { type: 'readmitted', epoch: 1 }));
  assert.equal(self.disconnects, []);
});

test('a newer link to a member ends what was said over the older one', () => {
  const self = leading();
  self.connect(2);
  assert.equal(
    self.peer.learners().map(({ id }) => id),
    [1],
  );
});

test('nothing is sent to a member whose link is to be closed', () => {
  const self = leading();
  self.hear(2, { type: 'readmitted', epoch: 1 });
  assert.equal(
    self.readies.flatMap(({ disconnects }) => disconnects.map(({ peer, link }) => [peer, link])),
    [[2, self.linkTo(2)]],
  );
  self.forgetSent();
  self.run(() => self.peer.propose(text('a')));
  self.run(() => assert.not.ok(self.peer.sendToLearner(2, text('answer'))));
  self.passInCompany(200, [1], 1);
  assert.equal(self.sentTypes(2), []);
  assert.equal(self.takeSent(2, 'ping'), []);
  self.hear(2, { type: 'ack', epoch: 1, zxid: makeZxid(1, 1) });
  assert.is(self.peer.status().committed, MARKER, 'nothing is heard over it either');
});

test('links to members that are not configured are taken no notice of', () => {
  const self = new Conversation({ id: 3 });
  self.connect(9);
  self.hear(9, { type: 'learnerInfo', attempt: 1, acceptedEpoch: 9, standing: 'full' });
  assert.equal(self.sentTypes(9), []);
  assert.equal(self.takeSent(9, 'notification'), []);
});

test('an outbox sends over the link of the moment, closes it once, and gives each message out once', () => {
  const outbox = new Outbox();
  outbox.send(1, { type: 'ack', epoch: 1, zxid: 1n });
  outbox.up(1, 7);
  outbox.send(1, { type: 'ack', epoch: 1, zxid: 2n });
  outbox.up(1, 8);
  outbox.send(1, { type: 'ack', epoch: 1, zxid: 3n });
  assert.ok(outbox.isCurrent(1, 8) && !outbox.isCurrent(1, 7) && outbox.linkOf(1) === 8);
  outbox.close(1, 'a reason');
  outbox.close(1, 'another reason');
  outbox.send(1, { type: 'ack', epoch: 1, zxid: 4n });
  assert.not.ok(outbox.isUp(1));
  const sent = outbox
    .takeMessages()
    .map(({ link, message }) => [link, message.type === 'ack' && message.zxid]);
  assert.equal(sent, [
    [7, 2n],
    [8, 3n],
  ]);
  assert.equal(outbox.takeDisconnects(), [{ peer: 1, link: 8, reason: 'a reason' }]);
  assert.equal([outbox.takeMessages(), outbox.takeDisconnects()], [[], []]);
});

test.run();
