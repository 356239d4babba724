import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { StateMachine } from '../../../../core/data/index.js';
import { SnapshotReceiver } from '../../../../core/server/state/snapshot-receiver.js';
import { FileStorage, MemoryDisk } from '../../../../core/storage/index.js';
import { SeededRandom, VirtualClock } from '../../../../core/testing/index.js';
import type { EpochTable, PeerMessage } from '../../../../core/zab/index.js';
import { EnsembleOfOne } from '../../data/ensemble-of-one.js';

const LINK = 7;
const NO_EPOCHS: EpochTable = [];

/** A receiver with an empty disk, and the snapshot of another member as its messages and as the steps that follow from them. */
async function scene(): Promise<{
  receiver: SnapshotReceiver;
  zxid: bigint;
  messages: readonly PeerMessage[];
  carryOut: () => void;
  clock: VirtualClock;
}> {
  const ensemble = new EnsembleOfOne();
  for (const path of ['/a', '/b']) ensemble.create(path, { data: new Uint8Array(10) });
  const snapshot = ensemble.machine.snapshot();
  const { zxid } = snapshot;
  const chunks: Uint8Array[] = [];
  for (let chunk = snapshot.next(100); chunk !== null; chunk = snapshot.next(100)) chunks.push(chunk);
  const epoch = 1;
  const messages: PeerMessage[] = [
    { type: 'snap', epoch, zxid, epochs: NO_EPOCHS },
    ...chunks.map((bytes, index): PeerMessage => ({
      type: 'snapshotChunk',
      epoch,
      bytes,
      isLast: index === chunks.length - 1,
    })),
  ];
  const storage = await FileStorage.open({ disk: new MemoryDisk(new SeededRandom(1)) });
  await storage.recover();
  const clock = new VirtualClock();
  const receiver = new SnapshotReceiver(storage, clock);
  const carryOut = (): void => {
    receiver.carryOut({ type: 'begin', install: 1, zxid, epochs: NO_EPOCHS });
    for (const bytes of chunks) receiver.carryOut({ type: 'chunk', install: 1, bytes });
  };
  return { receiver, zxid, messages, carryOut, clock };
}

test('a snapshot that has come as a whole is taken though its link has gone before that is carried out', async () => {
  const { receiver, zxid, messages, carryOut, clock } = await scene();
  for (const message of messages) assert.is(receiver.heard(LINK, message), null);
  receiver.disconnected(LINK);
  carryOut();
  let taken = null as StateMachine | null;
  void receiver.complete().then((machine) => (taken = machine));
  await clock.runUntil(() => taken !== null, 1_000);
  assert.equal([taken!.lastZxid, receiver.arrivals], [zxid, 0]);
});

test('nothing is kept of a snapshot that nobody took when its link has gone', async () => {
  const { receiver, messages } = await scene();
  for (const message of messages) receiver.heard(LINK, message);
  receiver.disconnected(LINK);
  receiver.settle();
  assert.is(receiver.arrivals, 0);
});

test('nothing is kept of a part of a snapshot whose link has gone', async () => {
  const { receiver, messages } = await scene();
  for (const message of messages.slice(0, -1)) receiver.heard(LINK, message);
  receiver.disconnected(LINK);
  assert.is(receiver.arrivals, 0);
});

test('a snapshot that has come as a whole stays while its link does', async () => {
  const { receiver, messages } = await scene();
  for (const message of messages) receiver.heard(LINK, message);
  receiver.settle();
  assert.is(receiver.arrivals, 1);
});

test.run();
