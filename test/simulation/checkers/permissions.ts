import { Permission, type Acl } from '../../../core/protocol/index.js';
import type { ModelNode } from './tree-model.js';

/** Whether somebody with these digest ids may do one of the things `wanted` with a znode. Those of the system have no ACL, and are open. */
export function mayUse({ acl }: ModelNode, wanted: number, users: readonly string[]): boolean {
  if (acl.length === 0) return true;
  return acl.some(
    ({ perms, id }) =>
      (perms & wanted) !== 0 && (id.scheme === 'world' || (id.scheme === 'digest' && users.includes(id.id))),
  );
}

/** The ACL as somebody with these digest ids sees it: hashes of passwords only if they may change it. */
export function visibleAcl(node: ModelNode, users: readonly string[]): readonly Acl[] {
  if (mayUse(node, Permission.admin, users)) return node.acl;
  return node.acl.map(({ perms, id: { scheme, id } }) => ({
    perms,
    id: { scheme, id: scheme === 'digest' ? `${id.split(':', 1)[0]}:x` : id },
  }));
}

/** The ACL as it is kept: each entry once. */
export function keptAcl(acl: readonly Acl[]): readonly Acl[] {
  return acl.filter((entry, index) => acl.findIndex((other) => isSameAcl([other], [entry])) === index);
}

export function isSameAcl(a: readonly Acl[], b: readonly Acl[]): boolean {
  return textOf(a) === textOf(b);
}

function textOf(acl: readonly Acl[]): string {
  return acl.map(({ perms, id }) => `${perms} ${id.scheme} ${id.id}`).join('\n');
}
