import { CreateMode, type CreateRequest, ErrorCode, OpCode, Permission } from '../../protocol/index.js';
import { expandAcl, expandedAclBytes } from '../acl.js';
import { znodeBytes } from '../data-tree.js';
import { parentOf } from '../path.js';
import { CONTAINER_OWNER, MAX_TTL_MS, PERSISTENT_OWNER, ttlOwner } from '../stored-owner.js';
import type { CreateOutcome, ErrorOutcome } from '../transaction.js';
import {
  type Preparation,
  refuse,
  refuseForbidden,
  refuseInvalidPath,
  refuseDeepQuota,
  refuseQuota,
  refuseTooLarge,
  refuseTooLong,
} from './preparation.js';

export type CreateOp =
  typeof OpCode.create | typeof OpCode.create2 | typeof OpCode.createContainer | typeof OpCode.createTtl;

/** The order of the checks decides which error a client sees, so it is ZooKeeper's. */
export function prepareCreate(
  preparation: Preparation,
  op: CreateOp,
  request: CreateRequest,
): CreateOutcome | ErrorOutcome {
  const { overlay, sessionId } = preparation;
  const mode = request.flags as CreateMode;
  const refusal =
    refuseMode(preparation, op, mode, request.ttlMs) ??
    (overlay.sessions.isOpen(sessionId) ? null : refuse(ErrorCode.sessionExpired)) ??
    refuseNoPlace(request.path) ??
    refuseTooLong(request.data, preparation);
  return refusal ?? createAt(preparation, op, mode, request);
}

function createAt(
  preparation: Preparation,
  op: CreateOp,
  mode: CreateMode,
  { path: givenPath, data, acl: givenAcl, ttlMs }: CreateRequest,
): CreateOutcome | ErrorOutcome {
  const { overlay, identities, sessionId } = preparation;
  const bytes = givenPath.length + (data?.length ?? 0) + expandedAclBytes(givenAcl, identities);
  const tooLarge = refuseTooLarge(preparation, bytes);
  if (tooLarge !== null) return tooLarge;
  const acl = expandAcl(givenAcl, identities);
  if (acl === null) return refuse(ErrorCode.invalidAcl);
  const parentPath = parentOf(givenPath);
  const parent = overlay.find(parentPath);
  if (parent === null) return refuse(ErrorCode.noNode);
  const forbidden = refuseForbidden(parent, Permission.create, preparation);
  if (forbidden !== null) return forbidden;
  const path = isSequential(mode) ? givenPath + sequentialSuffix(parent.creates) : givenPath;
  const invalid = refuseInvalidPath(path) ?? refuseQuota(path, preparation) ?? refuseDeepQuota(path);
  if (invalid !== null) return invalid;
  if (overlay.find(path) !== null) return refuse(ErrorCode.nodeExists);
  if (parent.ephemeralOwner !== 0n) return refuse(ErrorCode.noChildrenForEphemerals);
  if (!overlay.quotas.allows(path, 1, data === null ? 0 : data.length)) {
    return refuse(ErrorCode.quotaExceeded);
  }
  if (!overlay.growth.allows(znodeBytes(path, data === null ? 0 : data.length))) {
    return refuse(ErrorCode.quotaExceeded);
  }
  const outcome: CreateOutcome = {
    type: 'create',
    path,
    data,
    acl,
    storedOwner: storedOwnerFor(op, mode, sessionId, ttlMs),
    parentCreates: (parent.creates + 1) | 0,
  };
  overlay.create(outcome, parentPath, parent);
  return outcome;
}

/**
 * As in ZooKeeper every operation takes the flags of every mode, but those with a time to live only where there is a field for
 * it, and there no others.
 */
function refuseMode(
  { rules }: Preparation,
  op: CreateOp,
  mode: CreateMode,
  ttlMs: number,
): ErrorOutcome | null {
  const hasTtl = op === OpCode.createTtl;
  switch (mode) {
    case CreateMode.persistent:
    case CreateMode.ephemeral:
    case CreateMode.persistentSequential:
    case CreateMode.ephemeralSequential:
    case CreateMode.container:
      return hasTtl ? refuse(ErrorCode.badArguments) : null;
    case CreateMode.persistentWithTtl:
    case CreateMode.persistentSequentialWithTtl:
      if (!rules.ttlNodes) return refuse(ErrorCode.unimplemented);
      return hasTtl && isTtl(ttlMs) ? null : refuse(ErrorCode.badArguments);
    default:
      return refuse(ErrorCode.badArguments);
  }
}

function isTtl(ttlMs: number): boolean {
  return Number.isInteger(ttlMs) && ttlMs >= 1 && ttlMs <= MAX_TTL_MS;
}

/** Without a slash there is no parent to look at; the rest of the path is looked at once it is final. */
function refuseNoPlace(path: string): ErrorOutcome | null {
  return path.includes('/') && !path.includes('\0') ? null : refuse(ErrorCode.badArguments);
}

function isSequential(mode: CreateMode): boolean {
  return (
    mode === CreateMode.persistentSequential ||
    mode === CreateMode.ephemeralSequential ||
    mode === CreateMode.persistentSequentialWithTtl
  );
}

/** Ten characters as C's `%010d` writes a signed int: eleven only for the lowest of all. */
function sequentialSuffix(creates: number): string {
  return creates >= 0 ? String(creates).padStart(10, '0') : '-' + String(-creates).padStart(9, '0');
}

/** The operation decides what kind of znode it is, the flags whether a plain one is ephemeral, as in ZooKeeper. */
function storedOwnerFor(op: CreateOp, mode: CreateMode, sessionId: bigint, ttlMs: number): bigint {
  switch (op) {
    case OpCode.createContainer:
      return CONTAINER_OWNER;
    case OpCode.createTtl:
      return ttlOwner(ttlMs);
    default:
      return isEphemeral(mode) ? sessionId : PERSISTENT_OWNER;
  }
}

function isEphemeral(mode: CreateMode): boolean {
  return mode === CreateMode.ephemeral || mode === CreateMode.ephemeralSequential;
}
