import type { Txn } from '../../core/data/index.js';
import { hex } from '../simulation/checkers/referee.js';
import type { ModelNode, TreeModel } from '../simulation/checkers/tree-model.js';

const CONTAINER_OWNER = -0x8000_0000_0000_0000n;
const TTL_MARK = -1n;
const TTL_BITS = 40;

export function isWithTtl({ owner }: ModelNode): boolean {
  return owner >> 56n === TTL_MARK;
}

/** What is wrong with a removal that no client asked for; null if nothing is. To be asked before the model applies it. */
export function wrongRemoval(model: TreeModel, zxid: bigint, { outcome, time }: Txn): string | null {
  if (outcome.type !== 'delete') return null;
  const { path } = outcome;
  const says = (what: string): string => `${path} is removed at ${hex(zxid)}, but ${what}`;
  const node = model.before(path, zxid);
  if (node === null) return says('it is not there');
  if (node.children.length > 0) return says('it has children');
  if (node.owner === CONTAINER_OWNER) return node.creates > 0 ? null : says('it never had a child');
  if (!isWithTtl(node)) return says('it is neither a container nor has it a time to live');
  const ttlMs = Number(BigInt.asUintN(TTL_BITS, node.owner));
  const age = time - node.mtime;
  return age > ttlMs ? null : says(`it was written ${age} ms ago and lives for ${ttlMs} ms`);
}
