/** What survives a crash: the transaction log, the snapshots and the accepted epoch of one member. */
export type {
  EpochTable,
  LogEntry,
  PersistBatch,
  RecoveredState,
  Storage,
  StoredSnapshot,
} from './storage.js';
