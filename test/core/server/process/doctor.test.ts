import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { encodeTxn, identifyTxn } from '../../../../core/data/index.js';
import { SeededRandom } from '../../../../core/runtime/index.js';
import { treatDataDirectory, type Treatment } from '../../../../core/server/index.js';
import { recover } from '../../../../core/server/state/recover.js';
import { FileStorage, MemoryDisk } from '../../../../core/storage/index.js';
import { describeTreatment } from '../../../../plugins/cli/doctor-report.js';
import { MachineHistory } from '../machine-history.js';

const EPOCHS = [{ epoch: 1, lastZxid: 0x1_0000_0033n }];

/** A member with fifty znodes in its log; the caller says what else happens to its directory. */
async function made(
  change: (storage: FileStorage, history: MachineHistory) => Promise<void>,
): Promise<MemoryDisk> {
  const disk = new MemoryDisk(new SeededRandom(5));
  const storage = await FileStorage.open({ disk, owner: 'member 1' });
  await storage.recover();
  const history = new MachineHistory();
  await storage.persist({ acceptedEpoch: 1, rejoining: null, entries: history.creates(50, 'precious') });
  await change(storage, history);
  await storage.close();
  return disk;
}

async function* pieces(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

function treat(disk: MemoryDisk, repair = false): Promise<Treatment> {
  return treatDataDirectory({ disk, repair, folder: 'aside' });
}

/** Znodes below the root after a start and all that its log holds. */
async function started(
  disk: MemoryDisk,
): Promise<{ readonly nodes: number; readonly rejoining: string | null | undefined }> {
  const storage = await FileStorage.open({ disk, owner: 'member 1' });
  try {
    const { machine, history } = await recover(storage);
    return { nodes: machine.nodeCount + history.entries.length, rejoining: history.rejoining };
  } finally {
    await storage.close();
  }
}

test('the doctor calls a lone snapshot that contradicts its digest a loss, and the repaired member does not vote', async () => {
  const disk = await made(async (storage, history) => {
    await storage.installSnapshot(
      history.machine.lastZxid,
      EPOCHS,
      pieces(history.flippedSnapshot('precious')),
    );
  });

  const { before } = await treat(disk);
  assert.equal([before.state, before.canStart], ['damaged', false]);
  assert.equal(before.mayBeLost, { behind: '0x0', atLeastUpTo: '0x100000033', promises: false });
  assert.match(before.damage[0]!.reason, /digest/);
  assert.not.match(
    describeTreatment({ before, after: null, moved: [] }),
    /nothing|Nothing|holds? everything/,
  );
  await started(disk).then(
    () => assert.unreachable('the member starts on it'),
    (error: Error) =>
      assert.match(error.message, /snapshot-00000001-0000000100000033 is damaged.*quorate doctor/s),
  );

  const { after } = await treat(disk, true);

  assert.equal([after?.state, after?.canStart, after?.rejoining], ['sound', true, 'damaged']);
  assert.is((await started(disk)).rejoining, 'damaged');
});

test('a newest snapshot that contradicts its digest is passed over where an older one and the log reach the end', async () => {
  const disk = await made(async (storage, history) => {
    await storage.writeSnapshot(history.machine.lastZxid, EPOCHS, pieces(history.snapshot()));
    await storage.persist({ entries: history.creates(10, 'precious') });
    await storage.writeSnapshot(
      history.machine.lastZxid,
      EPOCHS,
      pieces(history.flippedSnapshot('precious')),
    );
  });

  const { before, after } = await treat(disk.copy(), true);
  assert.equal([before.canStart, before.mayBeLost], [true, null]);
  assert.equal([after?.state, after?.rejoining], ['sound', null]);

  const { nodes, rejoining } = await started(disk);
  assert.equal(
    [nodes, rejoining],
    [4 + 60, null],
    'preset znodes, those of the older snapshot, and the entries behind it',
  );
});

test('the doctor names the ensemble that a log belongs to, without a snapshot, and none for a directory that was never founded', async () => {
  const id = 'ab'.repeat(16);
  const disk = new MemoryDisk(new SeededRandom(5));
  const storage = await FileStorage.open({ disk, owner: 'member 1' });
  await storage.recover();
  const marker = { zxid: 0x1_0000_0000n, payload: encodeTxn(identifyTxn(id)) };
  const entries = [marker, ...new MachineHistory().creates(3, 'x').slice(1)];
  await storage.persist({ acceptedEpoch: 1, rejoining: null, entries });
  await storage.close();

  const found = await treat(disk);
  assert.is(found.before.ensemble, id);
  assert.match(describeTreatment(found), new RegExp(`ensemble +${id}`));
  const unknown = await treat(await made(async () => undefined));
  assert.is(unknown.before.ensemble, null);
  assert.match(describeTreatment(unknown), /ensemble +unknown/);
});

test.run();
