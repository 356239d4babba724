import { createHash } from 'node:crypto';
import { beginNewEnsemble, type LeftOut, type StateMachine } from '../../../data/index.js';
import { checkOptions, QuorateError, SystemClock, SystemRandom } from '../../../runtime/index.js';
import { FileStorage, type Disk, type Storage } from '../../../storage/index.js';
import { checkEnsemble, type EnsembleMember } from '../../configuration/index.js';
import { isUntouched } from '../../member/index.js';
import {
  backupOf,
  type BackupSummary,
  newEpoch,
  readBackup,
  recover,
  type Recovered,
  recoveredState,
  snapshotCheck,
} from '../../state/index.js';
import { RESTORE_OPTIONS } from '../option-names.js';

const SLICE_BYTES = 256 * 1024;
const ID_DIGITS = 32;

export interface RestoreOptions {
  /** The bytes of the backup, in pieces of any size. */
  readonly content: AsyncIterable<Uint8Array>;
  /** Of the file, for errors. */
  readonly name: string;
  /** An empty data directory. */
  readonly disk: Disk;
  readonly id: number;
  /** All members of the new ensemble, the same list for each of them. Default: this one alone. */
  readonly members?: readonly EnsembleMember[] | undefined;
  /** How often this backup is restored with this one. Default 1. */
  readonly restoration?: number | undefined;
}

/** A data directory with which a new ensemble begins. */
export interface NewEnsemble {
  /** Its id. */
  readonly ensemble: string;
  readonly epoch: number;
  /** In hexadecimal. */
  readonly digest: string;
  readonly znodes: number;
  readonly left: LeftOut;
}

/**
 * Makes an empty directory that of a member of a new ensemble which begins with the state in a backup. Every member that restores the same
 * backup with the same `members` and the same `restoration` has the same state and the same id; they are founded together, when all voters
 * run. Rejects with `BackupError`, `ConfigurationError`, `DIRECTORY_NOT_EMPTY` or `EPOCHS_USED_UP`.
 */
export async function restoreBackup(
  options: RestoreOptions,
): Promise<{ readonly backup: BackupSummary; readonly restored: NewEnsemble }> {
  checkOptions('restoreBackup', options, RESTORE_OPTIONS);
  const { content, name, disk, id, members = [], restoration = 1 } = options;
  if (members.length > 0) checkEnsemble(members, id);
  const { summary, machine } = await readBackup(content, name);
  const epoch = newEpoch(summary.epoch, restoration);
  const storage = await FileStorage.open({ disk, owner: `member ${id}` });
  try {
    if (!isUntouched(await recover(storage))) throw notEmpty(disk.location);
    const ensemble = idOf([summary.sha256, namesOf(members), `${restoration}`]);
    const restored = await begin(storage, machine, { id: ensemble, epoch });
    return { backup: summary, restored };
  } finally {
    await storage.close();
  }
}

/**
 * Makes the data directory of a member that of a new ensemble which begins with what is in it, whether it was committed or not. Started alone
 * it serves at once; started with others, all of them with empty directories, it is founded with them. Rejects with
 * `StorageError`, `NOTHING_TO_BEGIN_WITH` or `EPOCHS_USED_UP`.
 */
export async function forceNewEnsemble(disk: Disk): Promise<NewEnsemble> {
  const storage = await FileStorage.open({ disk });
  try {
    const recovered = await recover(storage);
    if (isUntouched(recovered)) throw nothingThere(disk.location);
    const machine = recoveredState(recovered);
    const epoch = newEpoch(epochOf(machine, recovered), 1);
    const id = Buffer.from(new SystemRandom().bytes(ID_DIGITS / 2)).toString('hex');
    return await begin(storage, machine, { id, epoch });
  } finally {
    await storage.close();
  }
}

/** The bytes of a backup of what the directory of a member holds that does not run, whether it was committed or not. */
export async function* backupOfDirectory(disk: Disk): AsyncGenerator<Buffer, void> {
  const storage = await FileStorage.open({ disk });
  try {
    const recovered = await recover(storage);
    if (isUntouched(recovered)) throw nothingThere(disk.location);
    const machine = recoveredState(recovered);
    const ensemble = machine.identity?.id ?? recovered.identity?.id ?? null;
    const epoch = epochOf(machine, recovered);
    const origin = {
      ensemble,
      member: null,
      epoch,
      takenAt: new Date(new SystemClock().wall()).toISOString(),
    };
    yield* backupOf(machine.snapshot(), origin, async () => undefined);
  } finally {
    await storage.close();
  }
}

/** An interruption leaves a directory that does not count, and that a restore takes for no empty one. */
async function begin(
  storage: Storage,
  machine: StateMachine,
  { id, epoch }: { readonly id: string; readonly epoch: number },
): Promise<NewEnsemble> {
  const left = beginNewEnsemble(machine, { id, epoch });
  const { lastZxid, digest, nodeCount } = machine;
  await storage.persist({ acceptedEpoch: epoch, rejoining: 'damaged' });
  const check = snapshotCheck(new SystemClock(), () => ({ zxid: lastZxid, digest, nodeCount }));
  const epochs = [{ epoch, lastZxid }];
  await storage.installSnapshot(lastZxid, epochs, slicesOf(machine), check);
  // New: nothing counts before all voters are there, and never again one that is restored once more.
  await storage.persist({ rejoining: 'new' });
  return { ensemble: id, epoch, digest: `0x${digest.toString(16)}`, znodes: nodeCount, left };
}

async function* slicesOf(machine: StateMachine): AsyncGenerator<Uint8Array, void> {
  const snapshot = machine.snapshot();
  try {
    for (let slice = snapshot.next(SLICE_BYTES); slice !== null; slice = snapshot.next(SLICE_BYTES))
      yield slice;
  } finally {
    snapshot.close();
  }
}

/** The highest epoch that the directory shows. */
function epochOf({ lastZxid }: StateMachine, { history }: Recovered): number {
  return Math.max(history.acceptedEpoch, Number(lastZxid >> 32n));
}

/** The same text for every member: order, case and scheme of the addresses do not matter. */
function namesOf(members: readonly EnsembleMember[]): string {
  const names = members.map(({ id, address, isObserver }) => {
    const place = address.replace(/^wss?:\/\//, '').toLowerCase();
    return `${id}=${place}${isObserver === true ? ':observer' : ''}`;
  });
  return names.sort().join(',');
}

function idOf(parts: readonly string[]): string {
  return createHash('sha256')
    .update(JSON.stringify(['quorate restore', ...parts]))
    .digest('hex')
    .slice(0, ID_DIGITS);
}

function notEmpty(directory: string): QuorateError {
  return new QuorateError(
    'DIRECTORY_NOT_EMPTY',
    `Cannot restore into ${directory}: it is not empty. Put it aside under another name, or give another directory.`,
    { fields: { directory } },
  );
}

function nothingThere(directory: string): QuorateError {
  return new QuorateError(
    'NOTHING_TO_BEGIN_WITH',
    `Cannot use ${directory}: it is empty. Give the directory of a member that has data.`,
    { fields: { directory } },
  );
}
