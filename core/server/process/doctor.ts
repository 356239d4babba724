import type { EnsembleIdentity } from '../../data/index.js';
import { checkOptions, silentLogger, type Logger } from '../../runtime/index.js';
import {
  DataDirectoryDoctor,
  FileStorage,
  type ContentCheck,
  type Disk,
  type Examination,
  type Rejoining,
} from '../../storage/index.js';
import { isUntouched } from '../member/index.js';
import { agreedIdentity, machineOf, recover } from '../state/index.js';
import { DOCTOR_OPTIONS } from './option-names.js';

export interface DoctorOptions {
  /** A disk whose member does not run. */
  readonly disk: Disk;
  /** Make it one that the member can start on. Without it nothing is changed. */
  readonly repair?: boolean;
  /** The member is to be counted as it is, though something that it acknowledged may be lost for good. Only with `repair`. */
  readonly alone?: boolean;
  /** Name of the folder that damaged files are moved to. */
  readonly folder: string;
  readonly logger?: Logger;
}

/** What a data directory holds, for people and for `--json`: zxids are hexadecimal. */
export interface Diagnosis {
  readonly location: string;
  /** *torn*: the log ends in bytes that are no whole record, which the next start cuts off · *damaged*: see `damage`. */
  readonly state: 'empty' | 'sound' | 'torn' | 'damaged';
  /** A member starts on it. */
  readonly canStart: boolean;
  readonly owner: string | null;
  /** Id of the ensemble that the data are known to belong to; null if none is known. */
  readonly ensemble: string | null;
  readonly acceptedEpoch: number | null;
  readonly rejoining: Rejoining | null;
  /** Entries behind the last one and up to this zxid may have been acknowledged, and are gone; null if there are none. */
  readonly mayHold: string | null;
  /** What can be read without a gap. */
  readonly firstZxid: string;
  readonly lastZxid: string;
  readonly files: readonly FileDiagnosis[];
  readonly damage: readonly {
    readonly file: string;
    readonly offset: number | null;
    readonly reason: string;
  }[];
  readonly torn: { readonly file: string; readonly offset: number; readonly bytes: number } | null;
  /** What this member may have acknowledged, and may not have any more; null only if the files show that nothing is missing. */
  readonly mayBeLost: {
    readonly behind: string;
    readonly atLeastUpTo: string | null;
    readonly promises: boolean;
  } | null;
}

export interface FileDiagnosis {
  readonly name: string;
  readonly kind: 'snapshot' | 'log';
  readonly bytes: number;
  /** Records that verify; null for a snapshot. */
  readonly records: number | null;
  readonly upTo: string;
  readonly isSound: boolean;
}

export interface Treatment {
  readonly before: Diagnosis;
  /** Null if nothing was to be done, or nothing was asked for. */
  readonly after: Diagnosis | null;
  /** Relative to the directory. */
  readonly moved: readonly string[];
}

/** Examines a data directory and, if asked to, repairs it. Rejects with `DataDirectoryLockedError` while a member uses it. */
export async function treatDataDirectory(options: DoctorOptions): Promise<Treatment> {
  checkOptions('treatDataDirectory', options, DOCTOR_OPTIONS);
  const { disk, folder, repair = false, alone = false, logger = silentLogger } = options;
  const snapshots = new SnapshotIdentity();
  const doctor = await DataDirectoryDoctor.open(disk, snapshots.check);
  const diagnose = async (examination: Examination): Promise<Diagnosis> => {
    const identity = snapshots.newest ?? agreedIdentity(await doctor.entries(examination));
    return diagnosisOf(disk, examination, identity?.id ?? null);
  };
  try {
    const examination = await doctor.examine();
    const before = await diagnose(examination);
    const isHealthy =
      before.state === 'empty' ||
      (before.state === 'sound' && !(alone && (before.rejoining !== null || before.mayHold !== null)));
    if (!repair || isHealthy) return { before, after: null, moved: [] };
    const moved = await doctor.repair(examination, { folder, isAlone: alone, logger });
    return { before, after: await diagnose(await doctor.examine()), moved };
  } finally {
    await doctor.close();
  }
}

/**
 * Marks an empty directory as that of a new member. A voter of several does not count for that: only `repair` with `alone` makes a
 * directory count. False, and nothing is changed, if the directory holds something.
 */
export async function initializeDataDirectory(disk: Disk): Promise<boolean> {
  const storage = await FileStorage.open({ disk });
  try {
    const recovered = await recover(storage);
    if (!isUntouched(recovered)) return false;
    await storage.persist({ rejoining: null });
    return true;
  } finally {
    await storage.close();
  }
}

/** Verifies snapshots, and remembers of which ensemble the newest is that verified. */
class SnapshotIdentity {
  newest: EnsembleIdentity | null = null;
  #zxid = -1n;

  readonly check: ContentCheck = async (content, { zxid }) => {
    const { identity } = await machineOf(content, zxid);
    if (zxid < this.#zxid) return;
    this.#zxid = zxid;
    this.newest = identity;
  };
}

function diagnosisOf(
  { location }: Disk,
  { survey, prognosis }: Examination,
  ensemble: string | null,
): Diagnosis {
  const { snapshots, logs, identity, promises, isUntouched: isEmpty, torn, refusal } = survey;
  const damage = [
    ...survey.damagedFiles.map(({ name, damage: found }) => ({ file: name, ...found })),
    ...[...snapshots, ...logs].flatMap(({ file, damage: found }) =>
      found === null ? [] : [{ file: file.name, ...found }],
    ),
  ];
  if (damage.length === 0 && refusal !== null) {
    const { file, offset, reason } = refusal.fields as { file: string; offset?: number; reason: string };
    damage.push({ file, offset: offset ?? null, reason });
  }
  const { soundUpTo, knownUpTo, isLoss } = prognosis;
  const mayHold = torn?.mayHold ?? promises?.mayHold ?? 0n;
  return {
    location,
    state: isEmpty ? 'empty' : damage.length > 0 ? 'damaged' : torn !== null ? 'torn' : 'sound',
    canStart: refusal === null,
    owner: identity?.owner ?? null,
    ensemble,
    acceptedEpoch: promises?.acceptedEpoch ?? null,
    rejoining: promises?.rejoining ?? null,
    mayHold: mayHold > soundUpTo ? hex(mayHold) : null,
    firstZxid: hex(
      logs.find(({ prevZxid, records }) => prevZxid !== null && records > 0)?.file.zxid ?? soundUpTo,
    ),
    lastZxid: hex(soundUpTo),
    files: [
      ...snapshots.map(({ file, bytes, damage: found }) => {
        return {
          name: file.name,
          kind: 'snapshot' as const,
          bytes,
          records: null,
          upTo: hex(file.zxid),
          isSound: found === null,
        };
      }),
      ...logs.map(({ file, bytes, records, end, damage: found }) => {
        return {
          name: file.name,
          kind: 'log' as const,
          bytes,
          records,
          upTo: hex(end.zxid),
          isSound: found === null,
        };
      }),
    ],
    damage,
    torn: torn && { file: torn.file, offset: torn.offset, bytes: torn.bytes },
    mayBeLost: isLoss
      ? {
          behind: hex(soundUpTo),
          atLeastUpTo: knownUpTo > soundUpTo ? hex(knownUpTo) : null,
          promises: promises === null,
        }
      : null,
  };
}

function hex(zxid: bigint): string {
  return `0x${zxid.toString(16)}`;
}
