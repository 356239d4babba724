import { SnapshotVerifier } from '../../data/index.js';
import type { Clock } from '../../runtime/index.js';
import type { ContentCheck } from '../../storage/index.js';

/** Verified in one turn of the loop. */
const SLICE_BYTES = 64 * 1024;

/** What a snapshot has to hold. */
export interface SnapshotExpectation {
  readonly zxid: bigint;
  readonly digest: bigint;
  readonly nodeCount: number;
}

/** Compares what was read back with the state that it has to be, a slice per turn. */
export function snapshotCheck(clock: Clock, expected: () => SnapshotExpectation): ContentCheck {
  return async (content) => {
    const verifier = new SnapshotVerifier(expected().nodeCount);
    for await (const piece of content) {
      for (let at = 0; at < piece.length; at += SLICE_BYTES) {
        verifier.push(piece.subarray(at, at + SLICE_BYTES));
        await new Promise<void>((resolve) => clock.soon(resolve));
      }
    }
    verifier.finish(expected());
  };
}
