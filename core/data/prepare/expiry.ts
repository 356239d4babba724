import { ErrorCode } from '../../protocol/index.js';
import { invariant } from '../invariant.js';
import { parentOf } from '../path.js';
import { CONTAINER_TTL } from '../stored-owner.js';
import type { DeleteOutcome, ErrorOutcome } from '../transaction.js';
import type { NodeState } from '../znode.js';
import { type Preparation, refuse } from './preparation.js';

/** True for a container that is empty again, and for a childless znode whose data were last set longer ago than its time to live. */
export function isExpired(node: NodeState, now: number): boolean {
  if (node.numChildren > 0 || node.ttlMs === 0) return false;
  return node.ttlMs === CONTAINER_TTL ? node.creates !== 0 : now - node.mtime > node.ttlMs;
}

/** Looks at the znode anew: since the reaper saw it, a child may have been created in it, or its data set. */
export function prepareDeleteContainer({ overlay }: Preparation, path: string): DeleteOutcome | ErrorOutcome {
  const node = overlay.find(path);
  if (node === null) return refuse(ErrorCode.noNode);
  if (node.numChildren > 0) return refuse(ErrorCode.notEmpty);
  if (!isExpired(node, overlay.time)) return refuse(ErrorCode.badVersion);
  const parent = overlay.find(parentOf(path));
  invariant(parent !== null, `${path} is pending without its parent`);
  overlay.delete(path, node, parent);
  return { type: 'delete', path };
}
