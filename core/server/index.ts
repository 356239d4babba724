/// <reference types="node" preserve="true" />
/// <reference lib="esnext.disposable" preserve="true" />
/**
 * The shell around the pure modules: one member of an ensemble. Its layers, from above: `process/`, `member/`, `clients/`, `pipeline/`,
 * `state/`, with `peers/` beside the last three; `configuration/` and `metrics/` below all. Each has an entry point, its `index.ts`,
 * that says what it promises and owns. A layer calls only those below it.
 */
export { identitiesOfCertificate } from './clients/index.js';
export {
  ConfigurationError,
  parseEnsemble,
  publishedMembers,
  resolveServerOptions,
  type EnsembleMember,
  type ServerOptions,
} from './configuration/index.js';
export {
  Member,
  type ConnectionFigures,
  type Inspection,
  type MemberFigures,
  type MemberHealth,
  type MemberParts,
} from './member/index.js';
export type { LatencyFigures, MemberGauges, MemberHoldings, MemberProbe } from './metrics/index.js';
export {
  BACKUP_PATH,
  BACKUP_SUBPROTOCOL,
  backupOfDirectory,
  DEFAULT_PORT,
  Embedded,
  forceNewEnsemble,
  initializeDataDirectory,
  restoreBackup,
  serve,
  treatDataDirectory,
  type BackupAnswer,
  type ClientListener,
  type Diagnosis,
  type DoctorOptions,
  type EmbeddedOptions,
  type FileDiagnosis,
  type ListenerHost,
  type NewEnsemble,
  type Served,
  type ServeOptions,
  type Treatment,
} from './process/index.js';
export {
  BackupDecoder,
  verifyBackup,
  znodesOfBackup,
  type BackupZnode,
  type BackupHeader,
  type BackupSummary,
} from './state/index.js';
