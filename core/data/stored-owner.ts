/**
 * How a znode's kind is kept in one long, as ZooKeeper keeps it: 0 is persistent, a session id is ephemeral,
 * the lowest long is a container, and a high byte of ff carries a time to live in its low 40 bits.
 * Session ids must therefore avoid those values, see `isUsableSessionId`.
 */
export const PERSISTENT_OWNER = 0n;
export const CONTAINER_OWNER = -0x8000_0000_0000_0000n;
/** Longest time to live, in milliseconds: 40 bits. */
export const MAX_TTL_MS = 0xff_ffff_ffff;

/** `ttlMs` of a znode that is a container; a time to live is positive, and 0 is neither. */
export const CONTAINER_TTL = -1;

const TTL_TAG = -1n << 56n;

/** `ttlMs` from 1 to `MAX_TTL_MS`. */
export function ttlOwner(ttlMs: number): bigint {
  return TTL_TAG | BigInt(ttlMs);
}

/** The session that owns an ephemeral; 0n for every other kind. */
export function ephemeralOwnerOf(storedOwner: bigint): bigint {
  return storedOwner === PERSISTENT_OWNER || ttlMsOf(storedOwner) !== 0 ? 0n : storedOwner;
}

/** Milliseconds to live, `CONTAINER_TTL`, or 0. */
export function ttlMsOf(storedOwner: bigint): number {
  if (storedOwner >= 0n) return 0;
  if (storedOwner === CONTAINER_OWNER) return CONTAINER_TTL;
  return storedOwner >> 56n === -1n ? Number(storedOwner & BigInt(MAX_TTL_MS)) : 0;
}

export function storedOwnerOf(ephemeralOwner: bigint, ttlMs: number): bigint {
  if (ttlMs === 0) return ephemeralOwner;
  return ttlMs === CONTAINER_TTL ? CONTAINER_OWNER : ttlOwner(ttlMs);
}

/** Session ids are signed longs, not 0, and none of the values that mark a container or a time to live. */
export function isUsableSessionId(sessionId: bigint): boolean {
  return (
    sessionId !== 0n &&
    sessionId !== CONTAINER_OWNER &&
    sessionId >> 56n !== -1n &&
    sessionId === BigInt.asIntN(64, sessionId)
  );
}
