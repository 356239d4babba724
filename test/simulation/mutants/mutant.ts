import type { Focus } from '../plan.js';

/** A deliberate mistake in the compiled code. */
export interface Mutant {
  /** By which `npm run simulate:mutants` can be told to run it alone. */
  readonly name: string;
  readonly mistake: string;
  /** The known bug, or the rule that it breaks. */
  readonly standsFor: string;
  /** What the runs are made to have, so that few seeds suffice. All that is not named, the seed decides. */
  readonly shownBy?: Focus;
  readonly changes: readonly Change[];
}

/** Below `dist`, `find` stands in `file` exactly once. */
export type Change = readonly [file: string, find: string, replace: string];
