/**
 * The replicated state of a member and its copies: recovery, snapshots to the disk and to learners and from the leader, recounts, and
 * the comparison of digests with other members.
 *
 * Entry point: `ReplicatedState`, the one place that holds the state machine; a snapshot of the leader replaces the machine in it.
 *
 * Promises: a snapshot, written or received, takes effect only after it was read back and adds up to its digest; long work runs in
 * slices of one turn. Owns: the state machine, open snapshots. Calls: `core/data`, `core/storage`, the peer of `core/zab`; nothing
 * above. Called by: pipeline, clients (which read `machine`), member.
 */
export { BackupDecoder, type BackupHeader } from './backups/backup-file.js';
export { readBackup, verifyBackup, type BackupSummary } from './backups/backup-reader.js';
export { backupOf } from './backups/backup-writer.js';
export { znodesOfBackup, type BackupZnode } from './backups/backup-znodes.js';
export { newEpoch } from './backups/new-epoch.js';
export { DigestExchange, type StateDifference } from './digests/digest-exchange.js';
export { decodeHeartbeat, encodeHeartbeat } from './digests/heartbeat.js';
export { Recounter } from './digests/recounter.js';
export { StateDamagedError } from './digests/state-damaged-error.js';
export { StateDivergedError } from './digests/state-diverged-error.js';
export { agreedIdentity, machineOf, recover, recoveredState, type Recovered } from './recover.js';
export { ReplicatedState } from './replicated-state.js';
export { snapshotCheck } from './snapshot-check.js';
export { SnapshotReceiver } from './snapshot-receiver.js';
export { SnapshotSender } from './snapshot-sender.js';
export { Snapshotter } from './snapshotter.js';
