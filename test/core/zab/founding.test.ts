/**
 * Founding: interrupted at each of its steps by every combination of crashes and lost disks, and message by message.
 */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { makeZxid, type RestoredHistory } from '../../../core/zab/index.js';
import { ackEpoch, Conversation, EMPTY_DISK, entry, TICK_MS } from './conversation.js';
import { PeerCluster } from './peer-cluster.js';
import type { DrivenPeer } from './driven-peer.js';

const SEED = 3;
const VOTERS = [1, 2, 3];
const FATES = ['runs', 'crashes', 'loses its disk'] as const;
type Fate = (typeof FATES)[number];
const NEW_DISK: RestoredHistory = { ...EMPTY_DISK, rejoining: 'new' };

/** Members on empty directories, none of them started. */
function empty({ voters = 3, observers = 0, seed = SEED } = {}): PeerCluster {
  const cluster = new PeerCluster(seed, {
    voters,
    observers,
    limits: { inFlightBytes: 40, messageBytes: 40 },
  });
  for (const member of cluster.members) if (member.isVoter) member.disk.wipe();
  return cluster;
}

function founded(options: { voters?: number; observers?: number } = {}): PeerCluster {
  const cluster = empty(options);
  cluster.startAll();
  cluster.runUntil(() => cluster.isSettled(), 'the ensemble is founded');
  return cluster;
}

/** From the first write of a member to a few events after the founding is complete. */
function* steps(): Generator<PeerCluster> {
  for (let step = 1, isOver = false, extra = 6; extra > 0; step++) {
    assert.ok(step < 1_000, 'a founding has an end');
    const cluster = empty();
    cluster.startAll();
    let hasBegun = false;
    for (let passed = 0; passed < step; passed++) {
      assert.ok(cluster.step(30_000));
      hasBegun ||= cluster.members.some(({ disk }) => disk.hasPending);
    }
    isOver ||= cluster.isSettled();
    if (isOver) extra -= 1;
    if (hasBegun) yield cluster;
  }
}

/** Every way in which something happens to three members. */
const COMBINATIONS: readonly (readonly Fate[])[] = FATES.flatMap((one) =>
  FATES.flatMap((two) => FATES.map((three) => [one, two, three] as const)),
).filter((fates) => fates.some((fate) => fate !== 'runs'));

function lostIn(fates: readonly Fate[]): number {
  return fates.filter((fate) => fate === 'loses its disk').length;
}

function strike(member: DrivenPeer, fate: Fate): void {
  if (fate === 'crashes') member.crash();
  else if (fate === 'loses its disk') member.loseDisk('wiped');
}

/** Applies `act` to a fresh cluster for each step of a founding and each of the combinations. */
function interruptEachStep(
  combinations: readonly (readonly Fate[])[],
  act: (cluster: PeerCluster, fates: readonly Fate[]) => void,
): number {
  let runs = 0;
  const total = [...steps()].length;
  for (const fates of combinations) {
    let step = 0;
    for (const cluster of steps()) {
      for (const [index, fate] of fates.entries()) strike(cluster.members[index]!, fate);
      try {
        act(cluster, fates);
      } catch (error) {
        throw new Error(`step ${step} of ${total}, members: ${fates.join(', ')}`, { cause: error });
      }
      step += 1;
      runs += 1;
    }
  }
  return runs;
}

test('a founding that is interrupted at any step is completed if fewer than a quorum of disks is lost', () => {
  const combinations = COMBINATIONS.filter((fates) => lostIn(fates) < 2);
  const runs = interruptEachStep(combinations, (cluster) => {
    cluster.run(20);
    cluster.startAll();
    cluster.demandProgress();
  });
  assert.ok(runs > 500, `${runs} interruptions`);
});

test('a founding that loses a quorum of disks is repeated, or waits if a voter that is left had counted', () => {
  const combinations = COMBINATIONS.filter((fates) => lostIn(fates) === 2 && !fates.includes('runs'));
  const outcomes = new Set<string>();
  interruptEachStep(combinations, (cluster, fates) => {
    cluster.run(20);
    const survivor = cluster.members[fates.findIndex((fate) => fate !== 'loses its disk')]!;
    const established = cluster.ghost.epochs;
    const hadCounted = survivor.disk.rejoining !== 'new';
    outcomes.add(hadCounted ? 'waits' : 'repeated');
    cluster.startAll();
    if (!hadCounted) return cluster.demandProgress();
    cluster.run(10_000);
    assert.is(cluster.ghost.epochs, established, 'it may have acknowledged something');
    const { membersWithHistory, lostVoters } = survivor.status()!.founding ?? {
      membersWithHistory: [survivor.id],
      lostVoters: [],
    };
    assert.ok(membersWithHistory.length > 0 || lostVoters.length === 2, 'the status names the reason');
  });
  assert.equal([...outcomes].sort(), ['repeated', 'waits']);
});

test('a voter that crashed during the founding and another that loses its disk later leave a quorum', () => {
  for (const away of VOTERS) {
    for (const loser of VOTERS.filter((id) => id !== away)) {
      for (const cluster of steps()) {
        cluster.member(away).crash();
        for (let round = 0; round < 30; round++) {
          cluster.run(TICK_MS);
          cluster.propose();
        }
        cluster.member(loser).loseDisk('wiped');
        cluster.run(5 * TICK_MS);
        cluster.startAll();
        cluster.demandProgress();
      }
    }
  }
});

test('a voter that loses its disk in the first epoch, while another lags and the leader crashes, costs no write', () => {
  const cluster = founded();
  const leader = cluster.leader()!;
  const [loser, laggard] = cluster.members.filter((member) => member !== leader);
  laggard!.crash();
  for (let round = 0; round < 150; round++) {
    for (let count = 0; count < 5; count++) cluster.propose(30);
    cluster.run(40);
  }
  // Both are brought up to date an entry at a time.
  const { delivered } = leader.status()!;
  const follows = (member: DrivenPeer, acked: bigint): boolean =>
    leader.peer!.learners().some((learner) => learner.id === member.id && learner.acked >= acked);
  laggard!.start();
  cluster.runUntil(() => follows(laggard!, makeZxid(1, 2)), 'the laggard catches up');
  loser!.loseDisk('wiped');
  loser!.start();
  cluster.runUntil(() => loser!.disk.last >= makeZxid(1, 0), 'the loser holds the marker');
  cluster.run(60);
  assert.is(loser!.disk.rejoining, 'damaged', 'it does not count in the epoch in which it lost its disk');
  for (const member of [loser!, laggard!]) assert.ok(member.disk.last < delivered, 'it lags');

  leader.crash();
  const established = cluster.ghost.epochs;
  cluster.network.heal();
  cluster.run(20_000);
  assert.is(cluster.ghost.epochs, established, 'the two that are left may lack what was acknowledged');
  leader.start();
  cluster.demandProgress();
  assert.ok(cluster.members.every((member) => member.status()!.delivered > delivered));
});

test('a founding waits for a listed observer, but no longer than its limit', () => {
  const cluster = empty({ observers: 1 });
  for (const id of VOTERS) cluster.member(id).start();
  cluster.run(15 * TICK_MS);
  assert.is(cluster.leader(), undefined);
  assert.equal(cluster.member(1).status()!.founding!.silentObservers, [4]);
  cluster.runUntil(() => cluster.leader() !== undefined, 'it is founded without the observer');
  assert.ok(cluster.time.nowMs > 20 * TICK_MS);

  const prompt = empty({ observers: 1 });
  prompt.startAll();
  prompt.runUntil(() => prompt.isSettled(), 'the observer has answered');
  assert.ok(prompt.time.nowMs < 20 * TICK_MS, 'there is nothing to wait for');
});

test('voters that have all lost their disks found nothing while a listed observer has a history', () => {
  const cluster = founded({ observers: 1 });
  cluster.propose();
  cluster.runUntil(() => cluster.isSettled(), 'the observer has a transaction');
  for (const id of VOTERS) cluster.member(id).loseDisk('wiped');
  const established = cluster.ghost.epochs;
  for (const id of VOTERS) cluster.member(id).start();
  cluster.run(60_000);
  assert.is(cluster.ghost.epochs, established);
  assert.equal(cluster.member(2).status()!.founding!.membersWithHistory, [4]);
});

test('a lone voter waits for its observer like any founding, and founds nothing while that one has a history', () => {
  const alone = empty({ voters: 1, observers: 1 });
  alone.member(1).start();
  alone.run(15 * TICK_MS);
  assert.is(alone.leader(), undefined);
  alone.runUntil(() => alone.leader() !== undefined, 'it is founded without the observer');
  assert.ok(alone.time.nowMs > 20 * TICK_MS);

  const cluster = founded({ voters: 1, observers: 1 });
  assert.ok(cluster.time.nowMs < 20 * TICK_MS, 'the observer has answered');
  cluster.propose();
  cluster.runUntil(() => cluster.isSettled(), 'the observer has a transaction');
  cluster.member(1).loseDisk('wiped');
  const established = cluster.ghost.epochs;
  cluster.member(1).start();
  cluster.run(60_000);
  assert.is(cluster.ghost.epochs, established);
  assert.equal(cluster.member(1).status()!.founding!.membersWithHistory, [2]);
});

test('a founding is void if a voter has a history, though it was said to be new', () => {
  const cluster = empty();
  cluster.member(2).disk.log = [entry(1, 0), entry(1, 1)];
  cluster.member(2).disk.acceptedEpoch = 1;
  cluster.startAll();
  cluster.run(20_000);
  assert.is(cluster.ghost.epochs, 0);
  assert.equal(cluster.member(1).status()!.founding!.membersWithHistory, [2]);
});

/** Member 3 has been elected by two others whose directories are empty too. */
function elected(): Conversation {
  const conversation = new Conversation({ id: 3 }, NEW_DISK);
  conversation.connect(1, 2);
  for (const other of [1, 2]) {
    const vote = conversation.takeSent(other, 'notification').at(-1)!;
    conversation.hear(other, { ...vote, state: 'looking', standing: 'empty' });
  }
  conversation.pass(200);
  for (const other of [1, 2]) follow(conversation, other, 'empty');
  return conversation;
}

function follow(
  conversation: Conversation,
  voter: number,
  standing: 'empty' | 'new' | 'full',
  attempt = 1,
): void {
  conversation.hear(voter, { type: 'learnerInfo', attempt, acceptedEpoch: 0, standing });
}

function hold(conversation: Conversation, voter: number): void {
  conversation.hear(voter, { type: 'ack', epoch: 1, zxid: makeZxid(1, 0) });
}

test('no voter is readmitted before all of them have promised the epoch and hold its marker', () => {
  const conversation = elected();
  conversation.hear(1, ackEpoch(1, []));
  assert.is(conversation.peer.status().phase, 'discovery', 'a majority of promises is not enough');
  conversation.hear(2, ackEpoch(1, []));
  assert.is(conversation.peer.status().phase, 'synchronization');
  hold(conversation, 1);
  assert.equal(conversation.takeSent(1, 'readmit'), []);
  hold(conversation, 2);
  for (const other of [1, 2]) assert.is(conversation.takeSent(other, 'readmit').length, 1);
});

test('no client is served and no transaction admitted before every voter counts', () => {
  const conversation = elected();
  for (const other of [1, 2]) conversation.hear(other, ackEpoch(1, []));
  for (const other of [1, 2]) hold(conversation, other);
  conversation.hear(1, { type: 'readmitted', epoch: 1 });
  assert.is(conversation.peer.status().committed, makeZxid(1, 0), 'two of three count and hold the marker');
  assert.is(conversation.peer.status().isServing, false);
  assert.throws(() => conversation.peer.propose(new Uint8Array(1)));
  assert.equal(conversation.takeSent(1, 'upToDate'), []);

  conversation.hear(2, { type: 'readmitted', epoch: 1 });
  assert.is(conversation.peer.status().admits, true);
  assert.is(conversation.takeSent(1, 'upToDate').length, 1);
  assert.is(conversation.persisted.at(-1)!.rejoining, null, 'the founding is complete, and this is durable');
});

for (const phase of ['discovery', 'synchronization']) {
  test(`a leader gives its founding up if a voter comes over another link in ${phase}`, () => {
    const conversation = elected();
    conversation.hear(1, ackEpoch(1, []));
    if (phase === 'synchronization') conversation.hear(2, ackEpoch(1, []));
    assert.is(conversation.peer.status().phase, phase);
    conversation.connect(2);
    assert.is(conversation.peer.status().state, 'looking');
    assert.match(conversation.peer.status().lastChange!, 'while the ensemble was being founded');
    assert.equal(conversation.takeSent(2, 'readmit'), []);
  });
}

test('a leader gives its founding up if a voter that follows again has a history', () => {
  const conversation = elected();
  follow(conversation, 2, 'full', 2);
  assert.is(conversation.peer.status().state, 'looking');
});

test('a voter that was readmitted in a founding and loses its disk is not readmitted in the same epoch', () => {
  const conversation = elected();
  for (const other of [1, 2]) conversation.hear(other, ackEpoch(1, []));
  for (const other of [1, 2]) hold(conversation, other);
  for (const other of [1, 2]) conversation.hear(other, { type: 'readmitted', epoch: 1 });
  assert.is(conversation.peer.status().isServing, true);
  conversation.forgetSent();

  conversation.connect(2);
  follow(conversation, 2, 'empty');
  conversation.hear(2, ackEpoch(1, []));
  hold(conversation, 2);
  assert.equal(conversation.takeSent(2, 'readmit'), []);
  assert.ok(conversation.peer.learners().find(({ id }) => id === 2)!.isRejoining);
});

test('a voter that diverges after its readmission is not readmitted in the same epoch, over the same link', () => {
  const conversation = elected();
  for (const other of [1, 2]) conversation.hear(other, ackEpoch(1, []));
  for (const other of [1, 2]) hold(conversation, other);
  for (const other of [1, 2]) conversation.hear(other, { type: 'readmitted', epoch: 1 });
  conversation.forgetSent();

  conversation.hear(2, { type: 'learnerInfo', attempt: 2, acceptedEpoch: 1, standing: 'rejoining' });
  conversation.hear(2, ackEpoch(1, [entry(1, 0)], false));
  hold(conversation, 2);
  assert.equal(conversation.takeSent(2, 'readmit'), []);
});

test.run();
