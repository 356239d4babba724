import { SnapshotReader, SnapshotVerifier, type StateMachine } from '../../../data/index.js';
import { QuorateError } from '../../../runtime/index.js';
import { BackupError } from './backup-error.js';
import { BackupDecoder, type BackupHeader } from './backup-file.js';

/** What a whole backup is. */
export interface BackupSummary extends BackupHeader {
  /** Of the content, in hexadecimal. */
  readonly sha256: string;
  /** Of the file. */
  readonly bytes: number;
}

interface ContentReader {
  push(bytes: Uint8Array): void;
}

/** Reads a whole backup and verifies its checksums, and that its content adds up to its digest. `name`: of the file, for errors. */
export async function verifyBackup(pieces: AsyncIterable<Uint8Array>, name: string): Promise<BackupSummary> {
  let verifier: SnapshotVerifier | null = null;
  const summary = await read(pieces, name, ({ znodes }) => (verifier = new SnapshotVerifier(znodes)));
  const { zxid, digest, znodes } = summary;
  contentOf(name, () => verifier!.finish({ zxid: BigInt(zxid), digest: BigInt(digest), nodeCount: znodes }));
  return summary;
}

/** The same, with the state that it holds. Takes as much memory as a member with this state. */
export async function readBackup(
  pieces: AsyncIterable<Uint8Array>,
  name: string,
): Promise<{ readonly summary: BackupSummary; readonly machine: StateMachine }> {
  const reader = new SnapshotReader();
  const summary = await read(pieces, name, () => reader);
  const machine = contentOf(name, () => reader.finish());
  if (machine.lastZxid !== BigInt(summary.zxid) || machine.digest !== BigInt(summary.digest))
    throw new BackupError('BACKUP_DAMAGED', name, 'its content is not the state that its header names');
  return { summary, machine };
}

async function read(
  pieces: AsyncIterable<Uint8Array>,
  name: string,
  begin: (header: BackupHeader) => ContentReader,
): Promise<BackupSummary> {
  const decoder = new BackupDecoder(name);
  let reader: ContentReader | null = null;
  let bytes = 0;
  for await (const piece of pieces) {
    bytes += piece.length;
    const content = decoder.push(piece);
    if (reader === null && decoder.header !== null) reader = begin(decoder.header);
    for (const chunk of content) contentOf(name, () => reader!.push(chunk));
  }
  const { header, sha256 } = decoder.finish();
  return { ...header, sha256, bytes };
}

function contentOf<T>(name: string, act: () => T): T {
  try {
    return act();
  } catch (error) {
    if (error instanceof QuorateError) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw new BackupError(
      'BACKUP_DAMAGED',
      name,
      `its checksums match, but not its content: ${reason}`,
      error,
    );
  }
}
