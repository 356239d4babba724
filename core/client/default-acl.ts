import { OPEN_ACL, Permission, type Acl } from '../protocol/index.js';
import { checkedAcl } from './arguments.js';
import type { AuthInfo } from './auth-list.js';
import { BadArgumentsError } from './errors.js';

/** Who may do what with znodes whose creation names no ACL. */
export type DefaultAcl = 'open' | 'creator' | readonly Acl[];

/** Everything for whoever created the znode, by all identities that it has proved; nothing for others. */
export const CREATOR_ACL: readonly Acl[] = [{ perms: Permission.all, id: { scheme: 'auth', id: '' } }];

/**
 * The ACL that a client gives to what it creates. Throws `BadArgumentsError` for one that cannot be sent, and for `creator` where the
 * client has no identity that the server could enter.
 */
export function defaultAclOf(
  acl: DefaultAcl | undefined,
  identity: { readonly auth: readonly AuthInfo[] | undefined; readonly tls: unknown },
): readonly Acl[] {
  const call = { operation: 'connect' };
  if (acl === undefined || acl === 'open') return OPEN_ACL;
  if (acl !== 'creator') {
    if (typeof acl === 'string' || checkedAcl(acl, call).length === 0)
      throw new BadArgumentsError({
        ...call,
        what: "acl must be 'open', 'creator' or a list that is not empty",
      });
    return acl;
  }
  const hasIdentity = (identity.auth?.length ?? 0) > 0 || identity.tls !== undefined;
  if (hasIdentity) return CREATOR_ACL;
  throw new BadArgumentsError({
    ...call,
    what: "acl 'creator' needs an identity of this client: give auth, or tls with a certificate",
  });
}
