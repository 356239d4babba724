import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { backupOf, BackupDecoder, readBackup, verifyBackup } from '../../../../../core/server/state/index.js';
import { MachineHistory } from '../../machine-history.js';

const ORIGIN = { ensemble: null, member: 2, epoch: 1, takenAt: '2026-11-30T00:00:00.000Z' };

async function backup(history: MachineHistory, between: () => void = () => undefined): Promise<Buffer> {
  const pieces: Buffer[] = [];
  const pause = async (): Promise<void> => between();
  for await (const piece of backupOf(history.machine.snapshot(), ORIGIN, pause)) pieces.push(piece);
  return Buffer.concat(pieces);
}

async function* inPieces(bytes: Uint8Array, size = bytes.length): AsyncGenerator<Uint8Array, void> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

function codeOf(promise: Promise<unknown>): Promise<string> {
  return promise.then(
    () => 'none',
    (error: Error & { readonly code?: string }) => error.code ?? error.message,
  );
}

test('a backup holds the state as it was when it began, though transactions go on', async () => {
  const history = new MachineHistory();
  history.creates(2_000, 'x'.repeat(100));
  const { lastZxid, digest, nodeCount } = history.machine;

  const bytes = await backup(history, () => void history.creates(1, 'later'));

  assert.ok(history.machine.lastZxid > lastZxid);
  for (const size of [97, 4_096, bytes.length]) {
    const { summary, machine } = await readBackup(inPieces(bytes, size), 'file');
    assert.equal([machine.lastZxid, machine.digest, machine.nodeCount], [lastZxid, digest, nodeCount]);
    assert.equal([summary.member, summary.znodes, summary.bytes], [2, nodeCount, bytes.length]);
    assert.equal(await verifyBackup(inPieces(bytes, size), 'file'), summary);
  }
});

test('a backup with any byte changed, left out at the end or added is refused as damaged', async () => {
  const history = new MachineHistory();
  history.creates(3, 'x');
  const bytes = await backup(history);

  for (let at = 0; at < bytes.length; at++) {
    const changed = Buffer.from(bytes);
    changed[at] = changed[at]! ^ 0x10;
    const code = await codeOf(verifyBackup(inPieces(changed), 'file'));
    // The version decides first, for no later version can be judged by this one.
    assert.match(code, at >= 8 && at < 12 ? /^BACKUP_FORMAT_UNKNOWN$/ : /^BACKUP_DAMAGED$/, `byte ${at}`);
  }
  for (let length = 0; length < bytes.length; length++)
    assert.is(await codeOf(verifyBackup(inPieces(bytes.subarray(0, length)), 'file')), 'BACKUP_DAMAGED');
  assert.is(
    await codeOf(verifyBackup(inPieces(Buffer.concat([bytes, Buffer.of(0)])), 'file')),
    'BACKUP_DAMAGED',
  );
});

test('a backup whose checksums match and whose content is another state is refused as damaged', async () => {
  const history = new MachineHistory();
  history.creates(3, 'precious');
  const snapshot = history.machine.snapshot();
  const flipped = history.flippedSnapshot('precious');
  let isGiven = false;
  const lying = {
    zxid: snapshot.zxid,
    digest: snapshot.digest,
    nodeCount: snapshot.nodeCount,
    keptCount: 0,
    next: () => (isGiven ? null : ((isGiven = true), flipped)),
    close: () => snapshot.close(),
  };
  const pieces: Buffer[] = [];
  for await (const piece of backupOf(lying, ORIGIN, async () => undefined)) pieces.push(piece);
  const bytes = Buffer.concat(pieces);

  const decoder = new BackupDecoder('file');
  decoder.push(bytes);
  decoder.finish();
  assert.is(await codeOf(verifyBackup(inPieces(bytes), 'file')), 'BACKUP_DAMAGED');
  assert.is(await codeOf(readBackup(inPieces(bytes), 'file')), 'BACKUP_DAMAGED');
});

test.run();
