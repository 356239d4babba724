/** A deliberate mistake in the compiled code. */
export interface Mutant {
  /** By which `npm run simulate:mutants` can be told to run it alone. */
  readonly name: string;
  readonly mistake: string;
  /** The known bug, or the rule that it breaks. */
  readonly standsFor: string;
  /** Faults and workloads without which it cannot show: seeds without them are passed over, though counted. */
  readonly shownBy?: readonly string[];
  readonly changes: readonly Change[];
}

/** Below `dist`, `find` stands in `file` exactly once. */
export type Change = readonly [file: string, find: string, replace: string];
