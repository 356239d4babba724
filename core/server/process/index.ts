/**
 * Members as parts of a process: `serve` (a data directory and a port), `Embedded` (members inside this process), the doctor of data
 * directories, probes of liveness and readiness, listeners of plugins.
 *
 * Promises: the port is bound before the storage is read, so that probes answer during recovery; whatever was opened is closed when a
 * start fails. Owns: listeners, sockets and their budget, the lock of the data directory. Calls: member, configuration. Called by:
 * the public entry point of `core/server`.
 */
export type { ClientListener, ListenerHost } from './client-listener.js';
export {
  initializeDataDirectory,
  treatDataDirectory,
  type Diagnosis,
  type DoctorOptions,
  type FileDiagnosis,
  type Treatment,
} from './doctor.js';
export { Embedded, type EmbeddedOptions } from './embedded.js';
export { BACKUP_PATH, BACKUP_SUBPROTOCOL, type BackupAnswer } from './backups/backup-service.js';
export {
  backupOfDirectory,
  forceNewEnsemble,
  restoreBackup,
  type NewEnsemble,
} from './backups/new-ensemble.js';
export { DEFAULT_PORT, serve, type Served, type ServeOptions } from './serve.js';
