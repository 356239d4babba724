import type { EnsembleIdentity } from '../../data/index.js';
import type { Random } from '../../runtime/index.js';

const LOCAL_EPOCH = 0xff_ffffn;
const LOW_56_BITS = (1n << 56n) - 1n;

/** Hexadecimal digits of the ensemble id that session ids are mixed with: all of the counter, and 16 bits of the epoch. */
const KEY_DIGITS = 12;
/** Set in every key, so that ids of the time before the ensemble had an id are not issued again. */
const KEY_MARK = 1n << 47n;

/**
 * Makes the ids of the sessions of one term: that of the session whose creation is proposed as `zxid` for a client of `member`, which is
 * its first byte. Zxids are never used twice, so ids are not either, whatever the clock does and however often members start.
 *
 * The zxid is mixed with the id of the ensemble: one that is founded anew has the same zxids, and issues other session ids. Its counter
 * is also mixed with a number drawn for the term: where copies of all data directories are put back, zxids repeat in the same ensemble, and a
 * client that was away meanwhile must not find its id given to another one.
 */
export class SessionIds {
  readonly #salt: bigint;

  constructor(random: Random) {
    this.#salt = chanceOf(random);
  }

  next(zxid: bigint, member: number, identity: EnsembleIdentity | null): bigint {
    if (identity === null) return sessionIdOf(zxid, member);
    const key = BigInt(`0x${identity.id.slice(0, KEY_DIGITS)}`) | KEY_MARK;
    return sessionIdOf(zxid ^ key ^ this.#salt, member);
  }
}

/** Whether the session began before the ensemble had an id. */
export function isOlderThan(identity: EnsembleIdentity, sessionId: bigint): boolean {
  return (sessionId & LOW_56_BITS) < (identity.since & LOW_56_BITS);
}

/** The id of a session that only `member` knows: its zxid would be one of the last epoch that an id has room for. */
export function newLocalSessionId(random: Random, member: number): bigint {
  return sessionIdOf((LOCAL_EPOCH << 32n) | chanceOf(random), member);
}

/** Whether a member that serves reads only has made the session. */
export function isLocalSession(sessionId: bigint): boolean {
  return ((sessionId >> 32n) & LOCAL_EPOCH) === LOCAL_EPOCH;
}

function sessionIdOf(low: bigint, member: number): bigint {
  return BigInt.asIntN(64, (BigInt(member) << 56n) | (low & LOW_56_BITS));
}

/** 32 bits. */
function chanceOf(random: Random): bigint {
  return BigInt(Math.floor(random.next() * 0x1_0000_0000));
}
