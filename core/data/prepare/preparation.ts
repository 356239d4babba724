import { ErrorCode, type Id } from '../../protocol/index.js';
import { isAllowed } from '../acl.js';
import { isTooDeepForQuota, QUOTA_ROOT } from '../quota.js';
import { invalidPathReason } from '../path.js';
import type { ErrorOutcome } from '../transaction.js';
import type { NodeState } from '../znode.js';
import type { PendingOverlay } from './pending-overlay.js';

/** What a leader decides for the whole ensemble. */
export interface PrepareRules {
  /** Whether a hard quota limit refuses what exceeds it. */
  readonly enforceQuota: boolean;
  /** Whether only an identity of scheme `super` may change what is below `/zookeeper/quota`. */
  readonly protectQuotas: boolean;
  /** Whether znodes with a time to live may be created. */
  readonly ttlNodes: boolean;
  readonly maxDataBytes: number;
  /** What all znodes may take (`DataTree.bytes`): beyond it only what makes the tree no larger is carried out. */
  readonly maxTreeBytes: number;
  /** Most that the changes of one transaction may take, in bytes; what closes a session may always be as large as it is. */
  readonly maxTxnBytes: number;
}

/** One request on its way to becoming a transaction: whose it is, and the state it is checked against. */
export interface Preparation {
  readonly overlay: PendingOverlay;
  readonly rules: PrepareRules;
  readonly sessionId: bigint;
  readonly identities: readonly Id[];
  /** Bytes that the transaction can still take. */
  readonly room: { bytes: number };
}

/** Of every change, besides what is in it. */
const CHANGE_BYTES = 32;

const refusals = new Map<ErrorCode, ErrorOutcome>();

/** The outcome of a request that is not to be carried out. */
export function refuse(error: ErrorCode): ErrorOutcome {
  let refusal = refusals.get(error);
  if (refusal === undefined) {
    refusal = { type: 'error', error };
    refusals.set(error, refusal);
  }
  return refusal;
}

/** Null, or why the path is no place to write to. */
export function refuseInvalidPath(path: string): ErrorOutcome | null {
  return invalidPathReason(path) === null ? null : refuse(ErrorCode.badArguments);
}

/** Null, or why this client may not change the quota that the path is, or is part of. */
export function refuseQuota(path: string, { rules, identities }: Preparation): ErrorOutcome | null {
  if (!rules.protectQuotas || (path !== QUOTA_ROOT && !path.startsWith(`${QUOTA_ROOT}/`))) return null;
  return identities.some(({ scheme }) => scheme === 'super') ? null : refuse(ErrorCode.noAuth);
}

/** Null, or why no quota can be set so deep. */
export function refuseDeepQuota(path: string): ErrorOutcome | null {
  return isTooDeepForQuota(path) ? refuse(ErrorCode.badArguments) : null;
}

export function refuseTooLong(data: Uint8Array | null, { rules }: Preparation): ErrorOutcome | null {
  return data !== null && data.length > rules.maxDataBytes ? refuse(ErrorCode.badArguments) : null;
}

/**
 * Takes room for a change. An ACL may ask for all identities of a connection, once for each znode of a multi, so a
 * transaction can be far larger than its request; what no log and no peer can carry must not come to be (ZOOKEEPER-4306).
 */
export function refuseTooLarge({ room }: Preparation, bytes: number): ErrorOutcome | null {
  room.bytes -= CHANGE_BYTES + bytes;
  return room.bytes < 0 ? refuse(ErrorCode.badArguments) : null;
}

export function refuseForbidden(
  node: NodeState,
  wanted: number,
  { identities }: Preparation,
): ErrorOutcome | null {
  return isAllowed(node.acl, wanted, identities) ? null : refuse(ErrorCode.noAuth);
}

/** -1 expects any version. */
export function refuseOtherVersion(expected: number, present: number): ErrorOutcome | null {
  return expected === -1 || expected === present ? null : refuse(ErrorCode.badVersion);
}
