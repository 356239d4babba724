import { ACCESS } from './access.js';
import { AGREEMENT } from './agreement.js';
import { CLIENT } from './client.js';
import { CONNECTIONS } from './connections.js';
import { DATA } from './data.js';
import { DURABILITY } from './durability.js';
import { ELECTIONS } from './elections.js';
import { FILES } from './files.js';
import { FOUNDINGS } from './foundings.js';
import { LEARNERS } from './learners.js';
import type { Mutant } from './mutant.js';
import { READS } from './reads.js';
import { RECIPES } from './recipes.js';
import { ROLES } from './roles.js';
import { SERVICE } from './service.js';
import { SNAPSHOTS } from './snapshots.js';
import { STATE } from './state.js';
import { USE } from './use.js';

/** All mistakes that the simulator has to find: a checker that cannot fail proves nothing. */
export const MUTANTS: readonly Mutant[] = [
  ...AGREEMENT,
  ...FOUNDINGS,
  ...ELECTIONS,
  ...LEARNERS,
  ...ROLES,
  ...DURABILITY,
  ...FILES,
  ...SNAPSHOTS,
  ...STATE,
  ...DATA,
  ...SERVICE,
  ...READS,
  ...CONNECTIONS,
  ...CLIENT,
  ...USE,
  ...RECIPES,
  ...ACCESS,
];
