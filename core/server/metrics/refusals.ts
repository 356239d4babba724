/** Counts the requests that a member refused because of a limit (`LIMITS.md`), since it started. */
export class Refusals {
  /** Reads whose reply was too large, or too large for now. */
  reads = 0;
  /** Watches that were not set. */
  watches = 0;
}
