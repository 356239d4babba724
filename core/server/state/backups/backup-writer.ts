import type { Snapshot } from '../../../data/index.js';
import { BackupEncoder, type BackupHeader } from './backup-file.js';

/** Encoded in one turn of the loop. */
const SLICE_BYTES = 64 * 1024;
/** Of the content in one chunk. */
const CHUNK_BYTES = 4 * SLICE_BYTES;

/** What the member says that a backup is taken of. */
export type BackupOrigin = Pick<BackupHeader, 'ensemble' | 'member' | 'epoch' | 'takenAt'>;

/**
 * The bytes of a backup of the state that `snapshot` was opened of, while transactions go on. Awaits `pause` between two slices, so
 * that a member goes on serving. Closes the snapshot, also if it is not taken to its end.
 */
export async function* backupOf(
  snapshot: Snapshot,
  origin: BackupOrigin,
  pause: () => Promise<void>,
): AsyncGenerator<Buffer, void> {
  const encoder = new BackupEncoder();
  try {
    yield encoder.header(headerOf(snapshot, origin));
    let slices: Uint8Array[] = [];
    let gathered = 0;
    for (let slice = snapshot.next(SLICE_BYTES); slice !== null; slice = snapshot.next(SLICE_BYTES)) {
      slices.push(slice);
      gathered += slice.length;
      if (gathered >= CHUNK_BYTES) {
        yield encoder.chunk(Buffer.concat(slices));
        [slices, gathered] = [[], 0];
      }
      await pause();
    }
    if (gathered > 0) yield encoder.chunk(Buffer.concat(slices));
    yield encoder.end();
  } finally {
    snapshot.close();
  }
}

function headerOf({ zxid, digest, nodeCount }: Snapshot, origin: BackupOrigin): BackupHeader {
  return {
    ensemble: origin.ensemble,
    member: origin.member,
    zxid: `0x${zxid.toString(16)}`,
    epoch: origin.epoch,
    digest: `0x${digest.toString(16)}`,
    znodes: nodeCount,
    takenAt: origin.takenAt,
  };
}
