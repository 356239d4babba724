/**
 * The replicated state machine; pure. Prepare turns a conditional request into an unconditional transaction;
 * apply carries it out, with the same result on every member and as often as it is replayed.
 */
export type { Change } from './change.js';
export { expandAcl, isAllowed, redactAcl } from './acl.js';
export { invalidPathReason, nameOf, parentOf } from './path.js';
export { type DigestPoint, DigestPoints } from './digest-points.js';
export { SessionTracker } from './session-tracker.js';
export { watchBytes } from './path-watches.js';
export { type WatchedNode, type WatchedTree, WatchTable } from './watch-table.js';
export type { Applied } from './applied.js';
export type { QuotaBreach } from './quota.js';
export type { LongRead, LongReadResult } from './long-read.js';
export type { ReadContext, ReadResult } from './read.js';
export {
  ENSEMBLE_ID_BYTES,
  type EnsembleIdentity,
  ensembleIdBytes,
  ensembleIdOf,
} from './ensemble-identity.js';
export { beginNewEnsemble, type LeftOut } from './new-ensemble.js';
export { StateMachine } from './state-machine.js';
export type { Snapshot } from './snapshot-writer.js';
export { SnapshotReader } from './snapshot-reader.js';
export { SnapshotVerifier } from './snapshot-verifier.js';
export type { Recount, RecountResult } from './recount.js';
export { decodeTxn, encodeTxn, identifyTxn, type Outcome, type Txn } from './transaction.js';
export { type PrepareContext, RequestPreparer, type WriteRequest } from './request-preparer.js';
export type { PrepareRules } from './prepare/preparation.js';
export { InvariantError } from './invariant.js';
