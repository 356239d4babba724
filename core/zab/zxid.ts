/**
 * A zxid orders every transaction of an ensemble: 32 bits of epoch, then 32 bits of counter. Counter 0 is the
 * marker that opens an epoch, transactions count from 1 without gaps. Zero is "nothing yet".
 */
export const NO_ZXID = 0n;

const COUNTER_BITS = 32n;
const COUNTER_MASK = 0xffffffffn;

/** From this counter on a leader admits nothing more and opens a new epoch, long before the counter could run into the epoch's bits (ZOOKEEPER-1277). */
export const COUNTER_SOFT_LIMIT = 0xfffff000;

/** No epoch is ever larger: a member that claims one is not believed. */
export const EPOCH_MAX = 0x7fffffff;

export function makeZxid(epoch: number, counter: number): bigint {
  return (BigInt(epoch) << COUNTER_BITS) | BigInt(counter);
}

export function epochOf(zxid: bigint): number {
  return Number(zxid >> COUNTER_BITS);
}

export function counterOf(zxid: bigint): number {
  return Number(zxid & COUNTER_MASK);
}

/** True for the entry that opens an epoch. It carries no transaction: whoever holds it holds the epoch's whole initial history. */
export function isEpochMarker(zxid: bigint): boolean {
  return (zxid & COUNTER_MASK) === 0n && zxid !== NO_ZXID;
}

/** Whether an entry `zxid` may stand directly behind `previous` in a log: the next of its epoch, or the marker of a later one. */
export function isSuccessor(zxid: bigint, previous: bigint): boolean {
  // Nearly always so, and then nothing else has to be computed.
  if (zxid === previous + 1n && zxid > COUNTER_MASK) return true;
  return (zxid & COUNTER_MASK) === 0n && zxid >> COUNTER_BITS > previous >> COUNTER_BITS;
}

export function maxZxid(a: bigint, b: bigint): bigint {
  return a > b ? a : b;
}

export function minZxid(a: bigint, b: bigint): bigint {
  return a < b ? a : b;
}

/** `0x100000002`, as ZooKeeper prints it. */
export function formatZxid(zxid: bigint): string {
  return `0x${zxid.toString(16)}`;
}
