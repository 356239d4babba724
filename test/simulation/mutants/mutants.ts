import { ACCESS } from './access.js';
import { AGREEMENT } from './agreement.js';
import { DURABILITY } from './durability.js';
import { LIMITS } from './limits.js';
import type { Mutant } from './mutant.js';
import { SERVICE } from './service.js';
import { SNAPSHOTS } from './snapshots.js';
import { STATE } from './state.js';
import { USE } from './use.js';

/** All mistakes that the simulator has to find: a checker that cannot fail proves nothing. */
export const MUTANTS: readonly Mutant[] = [
  ...AGREEMENT,
  ...DURABILITY,
  ...SNAPSHOTS,
  ...STATE,
  ...SERVICE,
  ...USE,
  ...LIMITS,
  ...ACCESS,
];
