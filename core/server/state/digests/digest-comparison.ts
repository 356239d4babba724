import type { DigestPoint } from '../../../data/index.js';

/** Points that are compared at the same time; an answer to an older one comes too late to matter. */
const OPEN_POINTS = 8;

/** What a comparison has found. Each finding is reported once for each zxid. */
export type DigestFinding =
  /** A quorum of voters has the digest `expected` at `zxid`, and `member` has another one. */
  | {
      readonly type: 'differs';
      readonly zxid: bigint;
      readonly member: number;
      readonly digest: bigint;
      readonly expected: bigint;
    }
  /** Members differ, and no digest has a quorum of voters: nobody can say who is right. */
  | { readonly type: 'undecided'; readonly zxid: bigint; readonly members: readonly number[] };

interface OpenPoint {
  readonly zxid: bigint;
  readonly digests: Map<number, bigint>;
  readonly reported: Set<number>;
  isReportedUndecided: boolean;
}

/**
 * Compares the digests that members report for equal zxids, on the leader. Members that have applied the same
 * transactions have the same digest; one that differs from a quorum holds a state that nobody agreed on.
 */
export class DigestComparison {
  readonly #voters: ReadonlySet<number>;
  readonly #points: OpenPoint[] = [];

  constructor(voters: Iterable<number>) {
    this.#voters = new Set(voters);
  }

  /** Adds the digest of `member`, which may be the leader itself, and returns what that shows. */
  add(member: number, { zxid, digest }: DigestPoint): readonly DigestFinding[] {
    const point = this.#pointAt(zxid);
    if (point === null) return [];
    point.digests.set(member, digest);
    return this.#judge(point);
  }

  #pointAt(zxid: bigint): OpenPoint | null {
    const known = this.#points.find((point) => point.zxid === zxid);
    if (known !== undefined) return known;
    const isTooOld = this.#points.length >= OPEN_POINTS && zxid < this.#points[0]!.zxid;
    if (isTooOld) return null;
    const point = { zxid, digests: new Map(), reported: new Set<number>(), isReportedUndecided: false };
    this.#points.push(point);
    this.#points.sort((one, other) => (one.zxid < other.zxid ? -1 : 1));
    if (this.#points.length > OPEN_POINTS) this.#points.shift();
    return point;
  }

  #judge(point: OpenPoint): readonly DigestFinding[] {
    const { zxid, digests, reported } = point;
    if (new Set(digests.values()).size < 2) return [];
    const expected = this.#agreedBy(digests);
    if (expected === null) {
      if (point.isReportedUndecided) return [];
      point.isReportedUndecided = true;
      return [{ type: 'undecided', zxid, members: [...digests.keys()].sort((a, b) => a - b) }];
    }
    const findings: DigestFinding[] = [];
    for (const [member, digest] of digests) {
      if (digest === expected || reported.has(member)) continue;
      reported.add(member);
      findings.push({ type: 'differs', zxid, member, digest, expected });
    }
    return findings;
  }

  /** The digest that more than half of all voters have. */
  #agreedBy(digests: ReadonlyMap<number, bigint>): bigint | null {
    const votes = new Map<bigint, number>();
    for (const [member, digest] of digests)
      if (this.#voters.has(member)) votes.set(digest, (votes.get(digest) ?? 0) + 1);
    for (const [digest, count] of votes) if (count * 2 > this.#voters.size) return digest;
    return null;
  }
}
