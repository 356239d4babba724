import type { ProvenSegment } from './log-end.js';
import type { LogPosition } from './log-record.js';

/**
 * What the end of a log is known to be.
 * - *complete*: every record that was ever synced is there;
 * - *torn*: what stands behind the last whole record was never acknowledged, for its sync did not return;
 * - *ambiguous*: a group of records up to `mayHold` is missing or unreadable. Its mark is there and no proof that its sync
 *   returned: either the power failed during the sync, or the group was acknowledged and its block damaged later;
 * - *damaged*: records that had been synced are missing or unreadable.
 */
export type EndVerdict =
  | { readonly type: 'complete' }
  | { readonly type: 'torn'; readonly reason: string }
  | { readonly type: 'ambiguous'; readonly reason: string; readonly mayHold: bigint }
  | { readonly type: 'damaged'; readonly reason: string };

/** What was found in the newest segment and beside it. */
export interface EndFindings {
  /** Behind the last record that verifies. */
  readonly position: LogPosition;
  /** What is wrong with the record there; null if the records simply end. */
  readonly fault: string | null;
  /** Nothing but zeros and the marks of groups that are there stands behind `position`. */
  readonly isClean: boolean;
  /** Highest offset that any record or mark in the file shows to have been synced. */
  readonly syncedTo: number;
  /** Where the last group ends whose mark is there; null if that is not behind `position`. */
  readonly missingGroupEnd: LogPosition | null;
  /** Size of the file. */
  readonly fileBytes: number;
  /** What `end-of-log` says of this segment; null if nothing. */
  readonly proven: ProvenSegment | null;
  /** Segments of version 0.1.0 have no group marks; this says what their closing mark shows. Null for later segments. */
  readonly oldFormat: { readonly isClosed: boolean; readonly highestPromised: bigint } | null;
}

/** Decides what the end of a log is. Claims nothing that the findings do not show. */
export function judgeEnd(found: EndFindings): EndVerdict {
  const { position, fault, isClean, syncedTo, missingGroupEnd, fileBytes, proven, oldFormat } = found;
  const what = fault ?? 'a record is missing';
  if (proven !== null && proven.allocatedBytes > fileBytes) {
    return { type: 'damaged', reason: `it had ${proven.allocatedBytes} bytes and has only ${fileBytes}` };
  }
  if (proven !== null && proven.position.offset > position.offset) {
    return { type: 'damaged', reason: `${what}, and the file end-of-log proves that it was there` };
  }
  if (syncedTo > position.offset) {
    return { type: 'damaged', reason: `${what}, and what stands behind it proves that it was there` };
  }
  if (
    proven !== null &&
    proven.position.offset === position.offset &&
    proven.position.chain !== position.chain
  ) {
    return { type: 'damaged', reason: 'other records than these were there' };
  }
  if (missingGroupEnd !== null) return { type: 'ambiguous', reason: what, mayHold: missingGroupEnd.zxid };
  if (oldFormat !== null) return judgeOldFormat(what, isClean, oldFormat);
  return isClean ? { type: 'complete' } : { type: 'torn', reason: fault ?? 'bytes behind the end' };
}

/** Without the closing mark nothing shows where a segment of version 0.1.0 ended. */
function judgeOldFormat(
  what: string,
  isClean: boolean,
  { isClosed, highestPromised }: NonNullable<EndFindings['oldFormat']>,
): EndVerdict {
  if (isClean && isClosed) return { type: 'complete' };
  const reason = `${isClean ? 'no mark shows where the log ends' : what}, in a file of version 0.1.0 that was not closed`;
  return { type: 'ambiguous', reason, mayHold: highestPromised };
}
