import type { Focus } from '../plan.js';

/** A deliberate mistake in the sources. The simulator has to find it, or the tests that it names. */
export interface Mutant {
  /** By which `npm run mutants` can be told to run it alone. */
  readonly name: string;
  readonly mistake: string;
  /** The known bug, or the rule that it breaks. */
  readonly standsFor: string;
  /** What the runs are made to have, so that few seeds suffice. All that is not named, the seed decides. */
  readonly shownBy?: Focus;
  /**
   * Test files, as paths from `test/` without `.test.ts`, that have to find it instead of the simulator: at least one of them
   * fails. For what no run of a whole ensemble shows, or only once in thousands of seeds.
   */
  readonly tests?: readonly string[];
  readonly changes: readonly Change[];
}

/** In the source file `file`, relative to the project, `find` stands exactly once. */
export type Change = readonly [file: string, find: string, replace: string];
