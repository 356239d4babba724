import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  InvalidPeerConfig,
  makeZxid,
  Peer,
  ProposalRefused,
  type Entry,
  type PeerLimits,
  type Ready,
  type RestoredHistory,
} from '../../../core/zab/index.js';

const EMPTY: RestoredHistory = { acceptedEpoch: 0, snapshotZxid: 0n, epochs: [], entries: [] };

function payload(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** A member that carries out its Readys at once, but confirms a batch only when told to. */
class Alone {
  readonly peer: Peer;
  readonly applied: Entry[] = [];
  readonly batches: NonNullable<Ready['persist']>[] = [];
  readonly readIndexes: Ready['readIndexes'][number][] = [];
  readonly statuses: NonNullable<Ready['status']>[] = [];

  constructor(restored = EMPTY, limits: Partial<PeerLimits> = {}) {
    this.peer = new Peer({ id: 1, voters: [1], tickMs: 100, seed: 1, limits }, restored);
    this.peer.tick(0);
    this.run();
  }

  run(): void {
    for (let ready = this.peer.ready(); ready !== null; ready = this.peer.ready()) {
      if (ready.persist !== null) this.batches.push(ready.persist);
      this.applied.push(...ready.committed);
      this.readIndexes.push(...ready.readIndexes);
      if (ready.status !== null) this.statuses.push(ready.status);
    }
  }

  sync(upTo = this.batches.at(-1)!.number): void {
    this.peer.persisted(upTo);
    this.run();
  }

  get appliedZxids(): bigint[] {
    return this.applied.map(({ zxid }) => zxid);
  }
}

function established(limits: Partial<PeerLimits> = {}): Alone {
  const alone = new Alone(EMPTY, limits);
  alone.sync();
  alone.sync();
  return alone;
}

test('a single voter elects itself, makes its epoch durable, then the marker, and only then leads', () => {
  const alone = new Alone();
  assert.equal(alone.batches.length, 1);
  assert.is(alone.batches[0]!.acceptedEpoch, 1);
  assert.is(alone.peer.status().phase, 'discovery');

  alone.sync();
  assert.equal(
    alone.batches[1]!.entries.map(({ zxid }) => zxid),
    [makeZxid(1, 0)],
  );
  assert.is(alone.peer.status().isEstablishedLeader, false);

  alone.sync();
  assert.is(alone.peer.status().isEstablishedLeader, true);
  assert.is(alone.statuses.at(-1)!.isServing, true);
  assert.equal(alone.appliedZxids, [makeZxid(1, 0)]);
});

test('a restored tail is committed with the marker of the next epoch and comes out to be applied', () => {
  const entries = [
    { zxid: makeZxid(3, 6), payload: payload('six') },
    { zxid: makeZxid(3, 7), payload: payload('seven') },
  ];
  const epochs = [{ epoch: 3, lastZxid: makeZxid(3, 5) }];
  const alone = new Alone({ acceptedEpoch: 3, snapshotZxid: makeZxid(3, 5), epochs, entries });
  alone.sync();
  assert.equal(alone.applied, []);

  alone.sync();
  assert.equal(alone.appliedZxids, [makeZxid(3, 6), makeZxid(3, 7), makeZxid(4, 0)]);
  assert.is(alone.peer.nextZxid(), makeZxid(4, 1));
});

test('a proposal is applied only when it is durable, whatever else is in flight', () => {
  const alone = established();
  const first = alone.peer.propose(payload('a'));
  alone.run();
  const second = alone.peer.propose(payload('b'));
  const third = alone.peer.propose(payload('c'));
  alone.run();
  const [batchOfFirst, batchOfRest] = alone.batches.slice(-2);
  assert.equal(batchOfFirst!.entries.length, 1);
  assert.equal(batchOfRest!.entries.length, 2);
  assert.is(alone.applied.at(-1)!.zxid, makeZxid(1, 0));

  alone.sync(batchOfFirst!.number);
  assert.is(alone.applied.at(-1)!.zxid, first);
  alone.sync(batchOfRest!.number);
  assert.equal(alone.appliedZxids.slice(-2), [second, third]);
});

test('a confirmation covers every batch before it', () => {
  const alone = established();
  for (const text of ['a', 'b', 'c']) {
    alone.peer.propose(payload(text));
    alone.run();
  }
  alone.sync(alone.batches.at(-1)!.number);
  assert.equal(alone.appliedZxids.slice(1), [makeZxid(1, 1), makeZxid(1, 2), makeZxid(1, 3)]);
});

test('a proposal gets the zxid that was announced for it', () => {
  const alone = established();
  const announced = alone.peer.nextZxid();
  assert.is(alone.peer.propose(payload('a')), announced);
  assert.is(alone.peer.nextZxid(), announced + 1n);
});

test('nothing can be proposed before the epoch is established', () => {
  const alone = new Alone();
  assert.throws(
    () => alone.peer.propose(payload('a')),
    (error: unknown) => error instanceof ProposalRefused,
  );
  assert.is(alone.peer.readIndex(1), false);
});

test('too many proposals in flight are refused until some are applied', () => {
  const alone = established({ uncommittedEntries: 2 });
  alone.peer.propose(payload('a'));
  alone.peer.propose(payload('b'));
  assert.is(alone.peer.status().admits, false);
  assert.throws(
    () => alone.peer.propose(payload('c')),
    (error: unknown) => error instanceof ProposalRefused,
  );
  alone.run();
  alone.sync();
  assert.is(alone.peer.status().admits, true);
  alone.peer.propose(payload('c'));
});

test('a read index covers what was proposed before it, and is answered once that is committed', () => {
  const alone = established();
  assert.is(alone.peer.readIndex(1), true);
  alone.run();
  assert.equal(alone.readIndexes, [{ token: 1, zxid: makeZxid(1, 0) }]);

  const zxid = alone.peer.propose(payload('a'));
  alone.peer.readIndex(2);
  alone.run();
  assert.is(alone.readIndexes.length, 1);
  alone.sync();
  assert.equal(alone.readIndexes.at(-1), { token: 2, zxid });
});

test('ZOOKEEPER-1277: an epoch that runs out of counters is drained and followed by a new one, never overrun', () => {
  const alone = established({ epochCounter: 3 });
  for (const text of ['a', 'b', 'c']) alone.peer.propose(payload(text));
  assert.is(alone.peer.status().admits, false);
  alone.run();
  assert.is(alone.peer.status().epoch, 1);

  for (let round = 0; round < 3; round++) alone.sync();
  assert.is(alone.peer.status().epoch, 2);
  assert.is(alone.peer.status().admits, true);
  assert.equal(alone.appliedZxids.slice(-2), [makeZxid(1, 3), makeZxid(2, 0)]);
  assert.is(alone.peer.nextZxid(), makeZxid(2, 1));
});

test('a log with a gap, or beyond every promised epoch, is refused at the start', () => {
  const refusesToStart = (restored: RestoredHistory): void => {
    assert.throws(
      () => new Alone(restored),
      (error: unknown) => error instanceof InvalidPeerConfig,
    );
  };
  const entry = (epoch: number, counter: number): Entry => ({
    zxid: makeZxid(epoch, counter),
    payload: payload('x'),
  });
  refusesToStart({ ...EMPTY, acceptedEpoch: 1, entries: [entry(1, 0), entry(1, 2)] });
  refusesToStart({ ...EMPTY, acceptedEpoch: 1, entries: [entry(1, 1)] });
  refusesToStart({ ...EMPTY, acceptedEpoch: 1, entries: [entry(2, 0)] });
  refusesToStart({ ...EMPTY, acceptedEpoch: 1, snapshotZxid: makeZxid(1, 4) });
});

test('no more entries are handed out than wanted, and the rest later', () => {
  const alone = established();
  for (let index = 0; index < 10; index++) alone.peer.propose(payload('x'));
  alone.run();
  alone.peer.persisted(alone.batches.at(-1)!.number);
  const before = alone.applied.length;
  assert.is(alone.peer.ready(3)!.committed.length, 3);
  assert.is(alone.peer.ready(0), null);
  assert.ok(alone.peer.hasCommitted);
  alone.run();
  assert.is(alone.applied.length, before + 7);
  assert.not(alone.peer.hasCommitted);
});

test('a leader that ends hands out all that is committed before it says that it serves no more', () => {
  const alone = established();
  for (let index = 0; index < 10; index++) alone.peer.propose(payload('x'));
  alone.run();
  alone.peer.persisted(alone.batches.at(-1)!.number);
  assert.is(alone.peer.ready(3)!.committed.length, 3);
  alone.peer.stateDiverged();
  const readys: Ready[] = [];
  for (let ready = alone.peer.ready(0); ready !== null; ready = alone.peer.ready(0)) readys.push(ready);
  const ended = readys.findIndex(({ status }) => status?.isServing === false);
  assert.ok(ended !== -1);
  const upTo = readys.slice(0, ended + 1);
  assert.is(
    upTo.reduce((sum, { committed }) => sum + committed.length, 0),
    7,
  );
});

test('a log may be applied in pieces, and the member leads only after the last of them', () => {
  const big = new Uint8Array(3 * 1024 * 1024);
  const entries = [0, 1, 2, 3].map((counter) => ({ zxid: makeZxid(1, counter), payload: big }));
  const alone = new Alone({ ...EMPTY, acceptedEpoch: 1, entries });
  alone.sync();
  alone.peer.persisted(2);
  const pieces: Ready[] = [];
  for (let ready = alone.peer.ready(); ready !== null; ready = alone.peer.ready()) pieces.push(ready);
  assert.ok(pieces.length > 1);
  assert.equal(
    pieces.map(({ status }) => status?.isEstablishedLeader ?? false),
    [...pieces.slice(1).map(() => false), true],
  );
});

test.run();
