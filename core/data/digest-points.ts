/** The digest of the replicated state right after the transaction `zxid`. */
export interface DigestPoint {
  readonly zxid: bigint;
  readonly digest: bigint;
}

/** Every zxid whose counter is a multiple of this is a fixed point; the marker of an epoch has the counter 0. */
const FIXED_POINT_EVERY = 16n;

/** Fixed points that are remembered: those of the last 65,536 transactions. */
const REMEMBERED_POINTS = 4_096;

/**
 * Remembers the digests of the state at fixed zxids, so that members that are not equally far can compare them. The
 * memory is bounded: the oldest points are forgotten.
 */
export class DigestPoints {
  readonly #zxids: BigUint64Array;
  readonly #digests: BigUint64Array;
  #count = 0;

  constructor(remembered = REMEMBERED_POINTS) {
    this.#zxids = new BigUint64Array(remembered);
    this.#digests = new BigUint64Array(remembered);
  }

  /** Takes note of the state at `zxid` if that is a fixed point. To be called with increasing zxids. */
  applied(zxid: bigint, state: { readonly digest: bigint }): void {
    if (zxid % FIXED_POINT_EVERY !== 0n) return;
    const slot = this.#count % this.#zxids.length;
    this.#zxids[slot] = zxid;
    this.#digests[slot] = state.digest;
    this.#count += 1;
  }

  /** The newest fixed point; null before the first. */
  get latest(): DigestPoint | null {
    if (this.#count === 0) return null;
    const slot = (this.#count - 1) % this.#zxids.length;
    return { zxid: this.#zxids[slot]!, digest: this.#digests[slot]! };
  }

  /** The digest at `zxid`; null if that is no fixed point, not reached yet, or forgotten. */
  at(zxid: bigint): bigint | null {
    const oldest = Math.max(0, this.#count - this.#zxids.length);
    let [low, high] = [oldest, this.#count];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#zxids[middle % this.#zxids.length]! < zxid) low = middle + 1;
      else high = middle;
    }
    const slot = low % this.#zxids.length;
    return low < this.#count && this.#zxids[slot] === zxid ? this.#digests[slot]! : null;
  }

  /** Another state has taken the place of the one that was followed: a snapshot of the leader. */
  clear(): void {
    this.#count = 0;
  }
}
