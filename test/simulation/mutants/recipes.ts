import type { Mutant } from './mutant.js';

/** Mistakes in the recipes: one call, one effect. */
export const RECIPES: readonly Mutant[] = [
  {
    name: 'trigger-repeated-blindly',
    mistake: 'a trigger in doubt is asked for again without a look for the run that it led to',
    standsFor: 'one trigger leads to one run',
    tests: ['core/recipes/schedule/run-ledger'],
    changes: [
      [
        'core/recipes/schedule/run-ledger.ts',
        "return runs.some((name) => RUN.exec(name)?.groups?.['trigger'] === trigger);",
        'return runs.length < 0;',
      ],
    ],
  },
  {
    name: 'trigger-forgotten-with-its-run',
    mistake: 'the run that shows that a trigger was taken is forgotten as soon as others have followed',
    standsFor: 'one trigger leads to one run',
    tests: ['core/recipes/schedule/run-ledger'],
    changes: [
      [
        'core/recipes/schedule/run-ledger.ts',
        'return stat !== null && now - stat.ctime < TRIGGER_KEPT_MS;',
        'return false;',
      ],
    ],
  },
  {
    name: 'attempt-counted-that-never-began',
    mistake: 'a job that is buried as it is claimed counts that claim as an attempt',
    standsFor: 'a dead letter counts the attempts that were begun',
    tests: ['core/recipes/queue/work-queue'],
    changes: [
      [
        'core/recipes/queue/claim.ts',
        'const attempts = isBegun ? header.attempts : header.attempts - 1;',
        'const { attempts } = header;',
      ],
    ],
  },
];
