/**
 * Sequence numbers in znode names. ZooKeeper appends a signed 32-bit counter of the parent as `%010d`, so after
 * 2147483647 comes `-2147483648`: names are compared as numbers on a circle, never as text.
 */

/** Markers, which stand before the number: of Curator's lock, kazoo's, and Curator's latch. */
export const CURATOR_LOCK = 'lock-';
export const KAZOO_LOCK = '__lock__';
export const CURATOR_LATCH = 'latch-';

/** Of read/write locks: Curator's, then kazoo's, whose write lock is its ordinary lock. */
export const CURATOR_READ = '__READ__';
export const CURATOR_WRITE = '__WRIT__';
export const KAZOO_READ = '__rlock__';

/** Of the leases of Curator's InterProcessSemaphoreV2. */
export const CURATOR_LEASE = 'lease-';

/** Ten digits, or a minus with nine (padded to ten characters) or ten. */
const SEQUENCE = /^(?:\d{10}|-\d{9,10})$/;

/** The number behind the last of `markers` in `name`; null if the name is not of that form. */
export function sequenceOf(name: string, markers: readonly string[]): number | null {
  for (const marker of markers) {
    const at = name.lastIndexOf(marker);
    if (at < 0) continue;
    const sequence = parseSequence(name.slice(at + marker.length));
    if (sequence !== null) return sequence;
  }
  return null;
}

export function parseSequence(digits: string): number | null {
  if (!SEQUENCE.test(digits)) return null;
  const value = Number(digits);
  return value === (value | 0) ? value : null;
}

/**
 * Negative if `a` was given out before `b`. Correct while fewer than 2^31 numbers lie between the oldest and
 * the newest that are compared (serial number arithmetic, RFC 1982).
 */
export function compareSequences(a: number, b: number): number {
  return (a - b) | 0;
}

/** Those of `names` that stand in the line that `markers` make, oldest first; the rest is no contender. */
export function orderContenders(names: readonly string[], markers: readonly string[]): string[] {
  const contenders: { name: string; sequence: number }[] = [];
  for (const name of names) {
    const sequence = sequenceOf(name, markers);
    if (sequence !== null) contenders.push({ name, sequence });
  }
  return contenders.sort((a, b) => compareSequences(a.sequence, b.sequence)).map(({ name }) => name);
}

/** The beginning of a name that no other call ever uses, as Curator's protected creates make it. */
export function protectedName(uuid: string, marker: string): string {
  return `_c_${uuid}-${marker}`;
}
