import {
  ErrorCode,
  type PathVersion,
  Permission,
  type SetAclRequest,
  type SetDataRequest,
} from '../../protocol/index.js';
import { expandAcl, expandedAclBytes } from '../acl.js';
import { isPresetPath } from '../data-tree.js';
import { parentOf } from '../path.js';
import type {
  CheckOutcome,
  DeleteOutcome,
  ErrorOutcome,
  SetAclOutcome,
  SetDataOutcome,
} from '../transaction.js';
import {
  type Preparation,
  refuse,
  refuseForbidden,
  refuseInvalidPath,
  refuseOtherVersion,
  refuseQuota,
  refuseTooLarge,
  refuseTooLong,
} from './preparation.js';

/*
 * What changes a znode that is there. The caller has seen to the session; the order of the other checks
 * decides which error a client sees, so it is ZooKeeper's.
 */

export function prepareDelete(
  preparation: Preparation,
  { path, version }: PathVersion,
): DeleteOutcome | ErrorOutcome {
  const { overlay } = preparation;
  if (!path.includes('/') || path.includes('\0') || isPresetPath(path)) return refuse(ErrorCode.badArguments);
  const parent = overlay.find(parentOf(path));
  if (parent === null) return refuse(ErrorCode.noNode);
  const forbidden = refuseForbidden(parent, Permission.delete, preparation) ?? refuseQuota(path, preparation);
  if (forbidden !== null) return forbidden;
  const node = overlay.find(path);
  if (node === null) return refuse(ErrorCode.noNode);
  const outdated = refuseOtherVersion(version, node.version);
  if (outdated !== null) return outdated;
  if (node.numChildren > 0) return refuse(ErrorCode.notEmpty);
  overlay.delete(path, node, parent);
  return { type: 'delete', path };
}

export function prepareSetData(
  preparation: Preparation,
  { path, data, version }: SetDataRequest,
): SetDataOutcome | ErrorOutcome {
  const { overlay } = preparation;
  const refusal =
    refuseInvalidPath(path) ??
    refuseQuota(path, preparation) ??
    refuseTooLong(data, preparation) ??
    refuseTooLarge(preparation, path.length + (data?.length ?? 0));
  if (refusal !== null) return refusal;
  const node = overlay.find(path);
  if (node === null) return refuse(ErrorCode.noNode);
  const forbidden = refuseForbidden(node, Permission.write, preparation);
  if (forbidden !== null) return forbidden;
  const growth = (data === null ? 0 : data.length) - node.dataLength;
  if (!overlay.quotas.allows(path, 0, growth) || !overlay.growth.allows(growth)) {
    return refuse(ErrorCode.quotaExceeded);
  }
  const outdated = refuseOtherVersion(version, node.version);
  if (outdated !== null) return outdated;
  const outcome: SetDataOutcome = { type: 'setData', path, data, version: (node.version + 1) | 0 };
  overlay.setData(path, node, data, outcome.version);
  return outcome;
}

export function prepareSetAcl(
  preparation: Preparation,
  { path, acl: givenAcl, version }: SetAclRequest,
): SetAclOutcome | ErrorOutcome {
  const { overlay, identities } = preparation;
  const bytes = path.length + expandedAclBytes(givenAcl, identities);
  const invalid =
    refuseInvalidPath(path) ?? refuseQuota(path, preparation) ?? refuseTooLarge(preparation, bytes);
  if (invalid !== null) return invalid;
  const acl = expandAcl(givenAcl, identities);
  if (acl === null) return refuse(ErrorCode.invalidAcl);
  const node = overlay.find(path);
  if (node === null) return refuse(ErrorCode.noNode);
  const forbidden = refuseForbidden(node, Permission.admin, preparation);
  if (forbidden !== null) return forbidden;
  const outdated = refuseOtherVersion(version, node.aversion);
  if (outdated !== null) return outdated;
  const outcome: SetAclOutcome = { type: 'setAcl', path, acl, aversion: (node.aversion + 1) | 0 };
  overlay.setAcl(path, node, acl, outcome.aversion);
  return outcome;
}

export function prepareCheck(
  preparation: Preparation,
  { path, version }: PathVersion,
): CheckOutcome | ErrorOutcome {
  const invalid = refuseInvalidPath(path);
  if (invalid !== null) return invalid;
  const node = preparation.overlay.find(path);
  if (node === null) return refuse(ErrorCode.noNode);
  const refusal =
    refuseForbidden(node, Permission.read, preparation) ?? refuseOtherVersion(version, node.version);
  return refusal ?? { type: 'check', path };
}
