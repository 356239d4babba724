import type { Acl, Id } from '../protocol/index.js';
import { ipNetworkContains, isIpNetwork } from './ip-network.js';

/** Schemes whose identities were proved, so that `auth` in an ACL stands for them; an address proves nothing. */
const AUTHENTICATING_SCHEMES: ReadonlySet<string> = new Set(['digest', 'sasl', 'x509']);

/** Bytes that one unit of a JavaScript string takes at most. */
const MOST_UTF8 = 3;

/**
 * True if any of `identities` is granted any bit of `wanted`. An empty list allows everything to everybody (the
 * system's znodes have it), and an identity of scheme `super` may do everything.
 */
export function isAllowed(acl: readonly Acl[], wanted: number, identities: readonly Id[]): boolean {
  if (acl.length === 0) return true;
  for (const { perms, id } of acl) {
    if ((perms & wanted) !== 0 && isEverybody(id)) return true;
  }
  return identities.some((identity) => identity.scheme === 'super' || grants(acl, wanted, identity));
}

/**
 * The ACL as it is stored: `auth` replaced by the connection's authenticated identities, duplicates dropped. Null if
 * it is invalid: empty, of an unknown scheme, badly written, or `auth` for somebody who is not authenticated.
 */
export function expandAcl(acl: readonly Acl[], identities: readonly Id[]): readonly Acl[] | null {
  // Nearly every list is one entry that stands for itself.
  if (acl.length === 1 && acl[0]!.id.scheme !== 'auth') return isWellFormed(acl[0]!.id) ? acl : null;
  const expanded = new Map<string, Acl>();
  for (const entry of acl) {
    const replacement = expandEntry(entry, identities);
    if (replacement.length === 0) return null;
    for (const each of replacement) expanded.set(keyOf(each), each);
  }
  return expanded.size === 0 ? null : [...expanded.values()];
}

/** The most bytes that the expanded ACL takes in a transaction. To be known before it is expanded: a small request can ask for a lot. */
export function expandedAclBytes(acl: readonly Acl[], identities: readonly Id[]): number {
  let authBytes: number | null = null;
  let bytes = 4;
  for (const { id } of acl) {
    if (id.scheme !== 'auth') bytes += idBytes(id);
    else bytes += authBytes ??= identities.reduce((sum, identity) => sum + idBytes(identity), 0);
  }
  return bytes;
}

function idBytes({ scheme, id }: Id): number {
  return 12 + MOST_UTF8 * (scheme.length + id.length);
}

/** What somebody without ADMIN gets to see: the hash of a digest is as good as a password to whoever has time. */
export function redactAcl(acl: readonly Acl[]): readonly Acl[] {
  return acl.map((entry) => (entry.id.scheme === 'digest' ? redactDigest(entry) : entry));
}

function grants(acl: readonly Acl[], wanted: number, identity: Id): boolean {
  return acl.some(({ perms, id }) => (perms & wanted) !== 0 && isMatch(id, identity));
}

function isMatch(granted: Id, identity: Id): boolean {
  if (granted.scheme !== identity.scheme) return false;
  return identity.scheme === 'ip' ? ipNetworkContains(granted.id, identity.id) : granted.id === identity.id;
}

/** Empty if the entry is invalid. */
function expandEntry(entry: Acl, identities: readonly Id[]): readonly Acl[] {
  if (entry.id.scheme !== 'auth') return isWellFormed(entry.id) ? [entry] : [];
  return identities
    .filter((identity) => AUTHENTICATING_SCHEMES.has(identity.scheme))
    .map((id) => ({ perms: entry.perms, id }));
}

/**
 * `user:hash`, as ZooKeeper checks it by splitting at colons in the way of Java, which drops empty parts at the end: the user
 * may be empty, colons may follow the hash.
 */
function isUserAndHash(text: string): boolean {
  let end = text.length;
  while (text[end - 1] === ':') end -= 1;
  const colon = text.indexOf(':');
  if (colon === -1 || colon >= end) return false;
  const next = text.indexOf(':', colon + 1);
  return next === -1 || next >= end;
}

function isWellFormed(id: Id): boolean {
  switch (id.scheme) {
    case 'world':
      return isEverybody(id);
    case 'digest':
      return isUserAndHash(id.id);
    case 'ip':
      return isIpNetwork(id.id);
    case 'sasl':
    case 'x509':
      return id.id !== '';
    default:
      return false;
  }
}

function isEverybody(id: Id): boolean {
  return id.scheme === 'world' && id.id === 'anyone';
}

function keyOf({ perms, id }: Acl): string {
  return `${perms} ${id.scheme}:${id.id}`;
}

function redactDigest({ perms, id }: Acl): Acl {
  const colon = id.id.indexOf(':');
  return { perms, id: { scheme: id.scheme, id: colon === -1 ? id.id : `${id.id.slice(0, colon)}:x` } };
}
