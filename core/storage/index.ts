/** What survives a crash: the transaction log, the snapshots and the accepted epoch of one member. */
export type {
  ContentCheck,
  EpochTable,
  LogEntry,
  PersistBatch,
  RecoveredState,
  Rejoining,
  Storage,
  StoredSnapshot,
} from './storage.js';
export { FileStorage } from './file-storage.js';
export type { FileStorageOptions } from './file-storage-options.js';
export type { Directory, Disk, DiskFile, OpenMode } from './disk.js';
export { NodeDisk } from './node-disk.js';
export { writeWholeFile } from './whole-file.js';
export { createPrivateFile, looseMode, makePrivateDirectory, openWithoutLinks } from './private-file.js';
export { MemoryDisk } from './memory-disk.js';
export type { DiskFault, DiskOperation } from './planned-faults.js';
export type { CrashLoss } from './crash-loss.js';
export {
  CorruptionError,
  DataDirectoryLockedError,
  DataDirectoryReplacedError,
  DiskFullError,
  ForeignDataDirectoryError,
  SnapshotPostponedError,
  SnapshotReadBackError,
  StorageAccessError,
  StorageError,
  toOpeningError,
  UnknownFormatError,
} from './storage-error.js';
export { DataDirectoryDoctor, type Examination } from './examination/data-directory-doctor.js';
export type { Prognosis, RepairPlan } from './examination/prognosis.js';
export type { LogSurvey } from './examination/log-survey.js';
export type { Damage } from './examination/damage.js';
export type { SnapshotSurvey, Survey } from './examination/survey.js';
