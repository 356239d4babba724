import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { StateMachine } from '../../../core/data/index.js';
import { makeZxid, type PeerMessage } from '../../../core/zab/index.js';
import { creates, SampleEnsemble } from './sample-ensemble.js';

const START = makeZxid(1, 0);

test('an ensemble that does everything right is left alone', async () => {
  const ensemble = await SampleEnsemble.start();
  await ensemble.write(creates('/b'), 2);
  await ensemble.open(2);
  await ensemble.write(creates('/c'), 3);
  const leads = ensemble.gauges({ state: 'leading', isEstablishedLeader: true });
  ensemble.ghost.turned(1, leads);
  ensemble.ghost.turned(2, ensemble.gauges({}, { connections: 3 }));
  assert.is(ensemble.ghost.list.length, 6);
  assert.is(ensemble.ghost.epochs, 1);
  assert.is(ensemble.referee.finding, null);
});

test('what a minority has on disk is not delivered', async () => {
  const ensemble = await SampleEnsemble.start();
  const entry = ensemble.propose(creates('/b'), 2);
  await ensemble.persist(1, { entries: [entry] });
  assert.throws(() => ensemble.apply(1, entry), /which is on the disks of m1 only/);
});

test('what nobody proposed, and other bytes than were proposed, are not delivered', async () => {
  const stranger = await SampleEnsemble.start();
  const { payload } = stranger.propose(creates('/b'), 2);
  const nobodys = { zxid: START + 9n, payload, txn: null };
  for (const id of [1, 2]) await stranger.persist(id, { entries: [nobodys] });
  assert.throws(() => stranger.apply(1, nobodys), /there is a gap/);

  const changed = await SampleEnsemble.start();
  const entry = changed.propose(creates('/b'), 2);
  const other = { ...entry, payload: Uint8Array.of(...entry.payload, 0) };
  for (const id of [1, 2]) await changed.persist(id, { entries: [other] });
  assert.throws(() => changed.apply(1, other), /other bytes than were proposed/);
});

test('a member that leaves one out, or has another state behind it, is found', async () => {
  const skipping = await SampleEnsemble.start();
  const [first, second] = [skipping.propose(creates('/b'), 2), skipping.propose(creates('/c'), 3)];
  for (const id of [1, 2, 3]) await skipping.persist(id, { entries: [first, second] });
  for (const entry of [first, second]) skipping.apply(1, entry);
  assert.throws(() => skipping.apply(2, second), /delivers 0x100000004, others 0x100000003 in its place/);

  const different = await SampleEnsemble.start();
  const entry = different.propose(creates('/b'), 2);
  for (const id of [1, 2, 3]) await different.persist(id, { entries: [entry] });
  different.apply(1, entry);
  const wrong = new StateMachine();
  wrong.advanceTo(entry.zxid);
  assert.throws(() => different.ghost.applied(2, entry, wrong), /another state than others/);
});

test('a quorum of voters that count but lack a delivered entry is found at the step that makes it one', async () => {
  const ensemble = await SampleEnsemble.start();
  const entry = ensemble.propose(creates('/b'), 2);
  for (const id of [1, 2]) await ensemble.persist(id, { entries: [entry] });
  for (const id of [1, 2]) ensemble.apply(id, entry);
  assert.is(ensemble.referee.finding, null, 'member 3 alone lacks it');
  await ensemble.storage(2).installSnapshot(START, [], (async function* () {})());
  assert.match(
    ensemble.referee.finding!.message,
    /m2, m3 count and are a quorum, but lack 0x100000003, which was delivered/,
  );
});

test('a lost disk is no copy and does not count, though it was once acknowledged', async () => {
  const ensemble = await SampleEnsemble.start();
  const entry = ensemble.propose(creates('/b'), 2);
  for (const id of [1, 2]) await ensemble.persist(id, { entries: [entry] });
  ensemble.ghost.imageOf(2).harm = 'damaged';
  ensemble.apply(1, entry);
  assert.is(ensemble.referee.finding, null);
});

test('two leaders of one epoch, and one zxid for two proposals, are found', async () => {
  const ensemble = await SampleEnsemble.start();
  const leads = ensemble.gauges({ state: 'leading', isEstablishedLeader: true });
  ensemble.ghost.turned(1, leads);
  assert.throws(() => ensemble.ghost.turned(2, leads), /m1 and m2 both lead epoch 1/);
  const { zxid, payload } = ensemble.propose(creates('/b'), 2);
  assert.throws(() => ensemble.ghost.proposed(1, zxid, payload), /proposed before/);
});

test('a leader that lacks what was delivered is found', async () => {
  const ensemble = await SampleEnsemble.start();
  const { end } = ensemble.ghost;
  const leads = { state: 'leading', isEstablishedLeader: true, epoch: 1 } as const;
  assert.throws(
    () => ensemble.ghost.turned(1, ensemble.gauges({ ...leads, lastProposed: end - 1n })),
    /m1 leads epoch 1 from 0x100000001 on, 0x100000002 was delivered/,
  );
});

test('a member that serves clients without a leader, or too early, is found', async () => {
  const ensemble = await SampleEnsemble.start();
  const { ghost } = ensemble;
  assert.throws(
    () => ghost.turned(2, ensemble.gauges({ isServing: false, state: 'looking' }, { connections: 1 })),
    /has clients, but it is looking/,
  );
  assert.throws(() => ghost.turned(2, ensemble.gauges({ epoch: 2 })), /before it is up to date/);
});

test('a member that applies, or says to have applied, what is not committed or not durable is found', async () => {
  const ensemble = await SampleEnsemble.start();
  const { ghost } = ensemble;
  const { end } = ghost;
  assert.throws(() => ghost.turned(2, ensemble.gauges({ delivered: end - 1n })), /applied .* says/);
  assert.throws(() => ghost.turned(2, ensemble.gauges({ committed: end - 1n })), /which is not committed/);
  const entry = ensemble.propose(creates('/b'), 2);
  for (const id of [1, 3]) await ensemble.persist(id, { entries: [entry] });
  for (const id of [1, 2]) ensemble.apply(id, entry);
  assert.throws(() => ghost.turned(2, ensemble.gauges()), /which is not durable there/);
});

test('a commit that is taken back, or that no quorum has, is found', async () => {
  const ensemble = await SampleEnsemble.start();
  const entry = ensemble.propose(creates('/b'), 2);
  const { end } = ensemble.ghost;
  assert.throws(
    () => ensemble.ghost.turned(2, ensemble.gauges({ committed: entry.zxid })),
    /knows of the commit of 0x100000003, which is on the disks of nobody only/,
  );
  for (const id of [1, 2]) await ensemble.persist(id, { entries: [entry] });
  ensemble.ghost.turned(2, ensemble.gauges({ committed: entry.zxid }));
  assert.throws(() => ensemble.ghost.turned(2, ensemble.gauges({ committed: end })), /takes back/);
});

test('a state that never was is found, be it read from disk or received', async () => {
  const ensemble = await SampleEnsemble.start();
  const { ghost } = ensemble;
  ghost.started(2, ensemble.machine(1));
  const nowhere = new StateMachine();
  nowhere.advanceTo(START + 7n);
  assert.throws(() => ghost.started(2, nowhere), /which nobody delivered/);
  const other = new StateMachine();
  other.advanceTo(ghost.end);
  assert.throws(() => ghost.installed(2, other), /installs a state at 0x100000002 that never was/);
});

const PROMISES: readonly (readonly [string, PeerMessage, PeerMessage, RegExp])[] = [
  [
    'an acknowledgement',
    { type: 'ack', epoch: 1, zxid: START + 2n },
    { type: 'ack', epoch: 1, zxid: START + 3n },
    /acknowledges 0x100000003, its disk ends at 0x100000002/,
  ],
  [
    'an acknowledgement to a leader',
    { type: 'ack', epoch: 1, zxid: START },
    { type: 'ack', epoch: 0, zxid: START },
    /it has forsworn/,
  ],
  [
    'an epoch that is announced',
    { type: 'newEpoch', attempt: 1, epoch: 1 },
    { type: 'newEpoch', attempt: 1, epoch: 2 },
    /announces epoch 2, which is not on its disk/,
  ],
  [
    'an epoch that is promised',
    { type: 'ackEpoch', epoch: 1, isPromise: true, needsSnapshot: false, lastZxid: START + 2n, epochs: [] },
    { type: 'ackEpoch', epoch: 2, isPromise: true, needsSnapshot: false, lastZxid: START + 2n, epochs: [] },
    /promises epoch 2, its disk says 1/,
  ],
  [
    'a history that is reported',
    { type: 'ackEpoch', epoch: 1, isPromise: true, needsSnapshot: false, lastZxid: START + 2n, epochs: [] },
    { type: 'ackEpoch', epoch: 1, isPromise: true, needsSnapshot: false, lastZxid: START + 3n, epochs: [] },
    /reports 0x100000003, its disk ends at/,
  ],
  ['a vote', vote(START + 2n), vote(START + 3n), /votes with 0x100000003/],
];

function vote(zxid: bigint): PeerMessage {
  const own = { leader: 2, epoch: 1, zxid };
  return {
    type: 'notification',
    state: 'looking',
    round: 1,
    vote: own,
    standing: 'full',
    claim: zxid,
    canLead: false,
    isBehind: false,
  };
}

for (const [what, right, wrong, message] of PROMISES)
  test(`${what} is on the disk before it is sent`, async () => {
    const { ghost } = await SampleEnsemble.start();
    ghost.sent(2, right);
    assert.throws(() => ghost.sent(2, wrong), message);
  });

test('a voter that answers pings of a leader it has forsworn, or holds entries beyond its promise, is found', async () => {
  const ensemble = await SampleEnsemble.start();
  const pong: PeerMessage = { type: 'pong', epoch: 1, nonce: 1, payload: new Uint8Array(0) };
  ensemble.ghost.sent(2, pong);
  await ensemble.persist(2, { acceptedEpoch: 2 });
  assert.throws(() => ensemble.ghost.sent(2, pong), /m2 answers a ping of a leader it has forsworn/);

  const marker = { zxid: makeZxid(2, 0), payload: new Uint8Array(0) };
  await ensemble.persist(3, { entries: [marker] });
  assert.match(ensemble.referee.finding!.message, /m3 has entries of epoch 2, but promised 1/);
});

test.run();
