import type { Directory } from './disk.js';
import { EPOCH_FILE } from './file-name.js';
import { readSealedFile, writeSealedFile } from './sealed-file.js';
import { CorruptionError } from './storage-error.js';
import type { Rejoining } from './storage.js';

/** What a member may not forget besides its history. */
export interface Promises {
  /** The highest epoch that it has promised. */
  readonly acceptedEpoch: number;
  /** Undefined until somebody has decided it. */
  readonly rejoining: Rejoining | null | undefined;
  /**
   * The end of the log was ambiguous: entries up to this zxid may have been acknowledged, and are gone. Holds until the log
   * reaches it. Default: no such entries.
   */
  readonly mayHold?: bigint | undefined;
}

const EPOCH_BYTES = 4;
const CAUSE_BYTES = 1;
const ZXID_BYTES = 8;
/** By the byte behind the epoch, which is missing as long as nothing is decided. Version 0.1.0 wrote no zxid behind it. */
const CAUSES: readonly (Rejoining | null | undefined)[] = [
  null,
  'new',
  'damaged',
  'diverged',
  undefined,
  'founding',
];

/** Makes them durable, both in one step. */
export async function writePromises(
  directory: Directory,
  { acceptedEpoch, rejoining, mayHold }: Promises,
): Promise<void> {
  const isShort = rejoining === undefined && mayHold === undefined;
  const body = Buffer.alloc(
    EPOCH_BYTES + (isShort ? 0 : CAUSE_BYTES) + (mayHold === undefined ? 0 : ZXID_BYTES),
  );
  body.writeUInt32LE(acceptedEpoch);
  if (!isShort) body[EPOCH_BYTES] = CAUSES.indexOf(rejoining);
  if (mayHold !== undefined) body.writeBigUInt64LE(mayHold, EPOCH_BYTES + CAUSE_BYTES);
  await writeSealedFile(directory, EPOCH_FILE, body);
}

/** Rejects with `CorruptionError`: a promise that cannot be read may not be taken for none. */
export async function readPromises(directory: Directory): Promise<Promises> {
  const body = await readSealedFile(directory, EPOCH_FILE);
  const short = EPOCH_BYTES + CAUSE_BYTES;
  if (body.length === EPOCH_BYTES) return { acceptedEpoch: body.readUInt32LE(), rejoining: undefined };
  const hasZxid = body.length === short + ZXID_BYTES;
  if ((body.length === short || hasZxid) && body[EPOCH_BYTES]! < CAUSES.length) {
    return {
      acceptedEpoch: body.readUInt32LE(),
      rejoining: CAUSES[body[EPOCH_BYTES]!],
      ...(hasZxid ? { mayHold: body.readBigUInt64LE(short) } : {}),
    };
  }
  throw new CorruptionError({ location: directory.location, file: EPOCH_FILE, reason: 'it holds no epoch' });
}
