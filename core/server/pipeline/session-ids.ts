import type { Random } from '../../runtime/index.js';

const LOCAL_EPOCH = 0xff_ffffn;
const LOW_56_BITS = (1n << 56n) - 1n;

/**
 * The id of the session whose creation is proposed as `zxid` for a client of `member`, which is its first byte. Zxids are never used
 * twice, so ids are not either, whatever the clock does and however often members start.
 */
export function newSessionId(zxid: bigint, member: number): bigint {
  return BigInt.asIntN(64, (BigInt(member) << 56n) | (zxid & LOW_56_BITS));
}

/** The id of a session that only `member` knows: its zxid would be one of the last epoch that an id has room for. */
export function newLocalSessionId(random: Random, member: number): bigint {
  const chance = BigInt(Math.floor(random.next() * 0x1_0000_0000));
  return newSessionId((LOCAL_EPOCH << 32n) | chance, member);
}

/** Whether a member that serves reads only has made the session. */
export function isLocalSession(sessionId: bigint): boolean {
  return ((sessionId >> 32n) & LOCAL_EPOCH) === LOCAL_EPOCH;
}
