import type { Mutant } from './mutant.js';

/** Mistakes in how snapshots are written, verified and examined; each is found by a test that is named after the failure. */
export const SNAPSHOTS: readonly Mutant[] = [
  {
    name: 'repair-lets-it-vote',
    mistake: 'a repaired member votes although something may be lost',
    standsFor: 'a member that may have forgotten does not vote',
    tests: ['core/server/doctor'],
    changes: [
      [
        'core/storage/examination/repair.ts',
        "isAlone ? null : isLoss ? 'damaged' : before",
        'isAlone ? null : before',
      ],
    ],
  },
  {
    name: 'second-fault-hidden',
    mistake: 'a repair is called harmless by the first fault alone',
    standsFor: 'no text claims more than is known',
    tests: ['core/storage/examination/doctor'],
    changes: [
      [
        'core/storage/examination/data-directory-doctor.ts',
        "(plan.type === 'none' || (await this.#wouldStart(survey, plan)))",
        "(plan.type !== 'none' || (await this.#wouldStart(survey, plan)))",
      ],
    ],
  },
  {
    name: 'start-without-content-check',
    mistake: 'a start takes a snapshot whose tree contradicts its digest',
    standsFor: 'a snapshot counts only if its tree adds up to its digest',
    tests: ['core/server/doctor'],
    changes: [
      [
        'core/storage/recovery.ts',
        'await verifySnapshot(this.#directory, file, id, this.#checkContent)',
        'await verifySnapshot(this.#directory, file, id)',
      ],
    ],
  },
  {
    name: 'unreadable-block-ends-the-examination',
    mistake: 'a read error ends member and doctor with an error that names no file',
    standsFor: 'an unreadable block is damage with file and offset',
    tests: ['core/storage/examination/doctor'],
    changes: [
      [
        'core/storage/unreadable-blocks.ts',
        "new Set(['EIO', 'EREMOTEIO', 'EUCLEAN', 'EBADMSG', 'ENODATA'])",
        "new Set(['EREMOTEIO', 'EUCLEAN', 'EBADMSG', 'ENODATA'])",
      ],
    ],
  },
];
