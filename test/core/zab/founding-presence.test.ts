/** Founding: who is there now, over the links that are up, and not who was there before. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { makeZxid, type RestoredHistory } from '../../../core/zab/index.js';
import {
  ackEpoch,
  Conversation,
  diskWith,
  EMPTY_DISK,
  entry,
  notification,
  TICK_MS,
} from './conversation.js';
import { PeerCluster } from './peer-cluster.js';

const NEW_DISK: RestoredHistory = { ...EMPTY_DISK, rejoining: 'new' };
const MARKER = makeZxid(2, 0);

test('voters and observers whose links are down are missing, whatever they declared before', () => {
  const conversation = new Conversation({ id: 3, observers: [4] }, NEW_DISK);
  const missing = (): [readonly number[], readonly number[]] => {
    const { absentVoters, silentObservers } = conversation.peer.status().founding!;
    return [absentVoters, silentObservers];
  };
  conversation.connect(1, 2, 4);
  assert.equal(missing(), [[1, 2], [4]]);
  for (const other of [1, 2, 4]) conversation.hear(other, notification({ standing: 'empty' }));
  assert.equal(missing(), [[], []]);

  for (const other of [2, 4]) conversation.disconnect(other);
  assert.equal(missing(), [[2], [4]]);
  conversation.connect(2, 4);
  assert.equal(missing(), [[2], [4]], 'another process may have another disk');
});

test('a founding waits for its observers anew when a voter was away meanwhile', () => {
  const cluster = new PeerCluster(3, { voters: 3, observers: 1 });
  for (const { disk, isVoter } of cluster.members) if (isVoter) disk.wipe();
  for (const id of [1, 2, 3]) cluster.member(id).start();
  cluster.run(15 * TICK_MS);
  cluster.member(1).crash();
  cluster.run(10 * TICK_MS);
  cluster.member(1).start();
  cluster.run(15 * TICK_MS);
  assert.is(cluster.leader(), undefined, 'the observer may have come back with the voter');
  cluster.runUntil(() => cluster.leader() !== undefined, 'it is founded without the observer');
});

/** Member 3 leads epoch 2. Its ensemble broke off a founding: every voter counts, and none knows that all of them do. */
function refounding(): Conversation {
  const disk = { ...diskWith([entry(1, 0)]), rejoining: 'founding' } as const;
  const conversation = new Conversation({ id: 3 }, disk);
  conversation.connect(1, 2);
  const vote = conversation.takeSent(1, 'notification').at(-1)!;
  for (const other of [1, 2]) conversation.hear(other, { ...vote, state: 'looking', standing: 'founding' });
  const info = { type: 'learnerInfo', attempt: 1, acceptedEpoch: 1, standing: 'founding' } as const;
  for (const other of [1, 2]) conversation.hear(other, info);
  for (const other of [1, 2]) conversation.hear(other, ackEpoch(2, [entry(1, 0)]));
  return conversation;
}

test('a founding that goes on is complete when every voter holds the marker of the new epoch', () => {
  const conversation = refounding();
  conversation.hear(1, { type: 'ack', epoch: 2, zxid: MARKER });
  assert.is(conversation.peer.status().committed, MARKER);
  assert.not(conversation.peer.status().isServing);
  assert.equal(conversation.takeSent(1, 'upToDate'), []);
  assert.throws(() => conversation.peer.propose(new Uint8Array(1)));

  conversation.hear(2, { type: 'ack', epoch: 2, zxid: MARKER });
  assert.ok(conversation.peer.status().isServing);
  assert.is(conversation.takeSent(1, 'upToDate').length, 1);
});

test.run();
