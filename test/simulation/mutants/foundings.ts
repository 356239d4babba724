import type { Mutant } from './mutant.js';

/** Mistakes in who counts: foundings, readmissions and lost disks. */
export const FOUNDINGS: readonly Mutant[] = [
  {
    name: 'empty-observer-counts-as-a-voter',
    mistake: 'a member that began as an observer counts at once when it is listed as a voter',
    standsFor: 'each quorum of a larger list shares a voter with each quorum of the list before',
    tests: ['core/server/member/rejoining'],
    changes: [
      [
        'core/server/member/first-start.ts',
        "if (isEmpty) rejoining = isAlone ? null : 'new';",
        "if (isEmpty) rejoining = isOneOfSeveral ? 'new' : null;",
      ],
      ['core/server/member/first-start.ts', "if (isCounted && isObserver) rejoining = 'new';", ''],
    ],
  },
  {
    name: 'former-voter-counts-after-it-observed',
    mistake: 'a voter that was an observer for a while counts at once when it is listed as a voter again',
    standsFor: 'each quorum of a larger list shares a voter with each quorum of the list before',
    tests: ['core/server/member/rejoining'],
    changes: [['core/server/member/first-start.ts', "if (isCounted && isObserver) rejoining = 'new';", '']],
  },
  {
    name: 'wiped-member-votes',
    mistake: 'a member that has lost its disk counts at once, as if it had promised nothing',
    standsFor: 'a voter may not forget what it promised and acknowledged',
    shownBy: {
      mode: 'safety',
      voters: 3,
      faults: ['amnesia', 'amnesia', 'partition', 'crash'],
      faultEveryMs: 300,
      strikeMs: 20_000,
      snapshotTxns: 100_000,
      workloads: ['pipelines', 'registers'],
    },
    changes: [['core/zab/peer-state.ts', '(restored.rejoining ?? null)', 'null']],
  },
  {
    name: 'founders-exempt-for-the-whole-epoch',
    mistake: 'once an ensemble is founded, its first leader readmits every voter at once',
    standsFor: 'a voter that loses its disk in the first epoch is readmitted in a later one, like any other',
    tests: ['core/zab/founding'],
    changes: [
      [
        'core/zab/readmission.ts',
        'if (basis?.mayReadmit(learner.id) !== true) continue;',
        'if (!this.#isFoundingHeld && basis?.mayReadmit(learner.id) !== true) continue;',
      ],
      ['core/zab/readmission.ts', 'this.#discovery.basis?.mayReadmit(id) === true,', 'true,'],
      ['core/zab/readmission.ts', 'this.#discovery.basis.noteReadmitted(id);', ''],
    ],
  },
  {
    name: 'readmission-permits-another',
    mistake:
      'a voter that was readmitted in an epoch and loses something again is readmitted in the same epoch',
    standsFor: 'an epoch takes back only what was known to be lost when it was fixed',
    tests: ['core/zab/founding'],
    changes: [['core/zab/epoch-basis.ts', 'this.#readmitted.add(voter);', '']],
  },
  {
    name: 'founding-by-a-majority',
    mistake: 'a majority of empty voters founds an ensemble',
    standsFor: 'an ensemble is founded only when every voter is known to be new',
    tests: ['core/zab/founding'],
    changes: [
      [
        'core/zab/admission.ts',
        'if (!this.#state.quorum.voters.every((voter) => present.has(voter))) return false;',
        'if (!this.#state.quorum.isReached(present)) return false;',
      ],
      ['core/zab/admission.ts', 'absentVoters.length > 0 || ', ''],
      ['core/zab/epoch-basis.ts', 'this.isFounding && quorum.voters.some(', 'false && quorum.voters.some('],
      [
        'core/zab/epoch-basis.ts',
        'quorum.voters.every((voter) => promised.has(voter))',
        'quorum.isReached(promised)',
      ],
    ],
  },
  {
    name: 'founder-over-another-link',
    mistake: 'a founding goes on with another process of a voter than the one that was known to be new',
    standsFor: 'a voter is known to be new over the link over which it promises',
    tests: ['core/zab/founding'],
    changes: [
      [
        'core/zab/epoch-basis.ts',
        'link !== undefined && this.#state.outbox.isCurrent(voter, link)',
        'link !== undefined',
      ],
    ],
  },
  {
    name: 'founding-ignores-histories',
    mistake: 'an ensemble is founded beside a listed member that has a history',
    standsFor: 'a founding is void once a history exists on a listed member, an observer too',
    tests: ['core/zab/founding'],
    changes: [['core/zab/admission.ts', ' || membersWithHistory.length > 0', '']],
  },
  {
    name: 'founding-ignores-observers',
    mistake: 'a founding does not ask the observers what they hold',
    standsFor: 'a founding is void once a history exists on a listed member, an observer too',
    tests: ['core/zab/founding'],
    changes: [['core/zab/admission.ts', '[...quorum.voters, ...observers].map(', '[...quorum.voters].map(']],
  },
  {
    name: 'transaction-before-every-voter-counts',
    mistake: 'a new ensemble serves clients as soon as a quorum counts',
    standsFor: 'one lost disk after a founding that one voter has missed leaves a quorum',
    tests: ['core/zab/founding'],
    changes: [
      [
        'core/zab/readmission.ts',
        '!history.isBlank || admission.isFoundingKnown || this.#doAllCount()',
        'true',
      ],
    ],
  },
  {
    name: 'founding-forgets-the-lost',
    mistake: 'a founding is repeated although a quorum of the voters has lost its disks since',
    standsFor: 'what a lost quorum may have acknowledged is not dropped in silence',
    tests: ['core/zab/founding'],
    changes: [['core/zab/admission.ts', '(isHeld && standing === ', '(false && standing === ']],
  },
  {
    name: 'contact-with-the-forgetful',
    mistake: 'a leader takes the answers of voters that lost their disks for contact with a quorum',
    standsFor: 'a voter that does not count is no part of any quorum',
    tests: ['core/zab/rejoining'],
    changes: [
      [
        'core/zab/quorum-watch.ts',
        'return admission.hasQuorum([id, ...heard])',
        'return quorum.isReached([id, ...heard])',
      ],
    ],
  },
  {
    name: 'initialize-founds-several',
    mistake: 'an empty directory counts at once because its member was started with --initialize',
    standsFor: 'no option makes a voter of several count',
    tests: ['core/server/member/rejoining'],
    changes: [
      [
        'core/server/member/first-start.ts',
        "rejoining = isAlone ? null : 'new';",
        "rejoining = isAlone || initialize ? null : 'new';",
      ],
    ],
  },
  {
    name: 'initialized-directory-counts',
    mistake:
      'a directory that was marked as new by the doctor counts at once in an ensemble of several voters',
    standsFor: 'no command that can be run on a lost disk makes it count',
    tests: ['core/server/member/rejoining'],
    changes: [
      [
        'core/server/member/first-start.ts',
        "(rejoining === 'new' || rejoining === null)",
        "rejoining === 'new'",
      ],
    ],
  },
  {
    name: 'lone-voter-asks-no-observer',
    mistake: 'a lone voter with an empty directory counts at once, whatever its observers hold',
    standsFor: 'no founding while a listed member has a history',
    tests: ['core/server/member/rejoining'],
    changes: [
      [
        'core/server/member/first-start.ts',
        'const isAlone = members.length < 2;',
        'const isAlone = voters.length < 2;',
      ],
    ],
  },
  {
    name: 'forgetful-voter-counts',
    mistake: 'a voter that has forgotten its promises is counted all the same',
    standsFor: 'a voter may not forget what it promised and acknowledged',
    shownBy: {
      mode: 'safety',
      voters: 3,
      faults: ['amnesia', 'amnesia', 'partition', 'crash'],
      faultEveryMs: 300,
      strikeMs: 20_000,
      workloads: ['pipelines', 'registers'],
    },
    changes: [
      [
        'core/zab/admission.ts',
        'standing !== undefined && remembers(standing)',
        'standing !== undefined && standing.length > 0',
      ],
    ],
  },
  {
    name: 'founding-beside-a-history',
    mistake: 'voters that have all lost their disks found an ensemble beside an observer that has a history',
    standsFor: 'a founding is void once a history exists on a listed member, an observer too',
    shownBy: { mode: 'safety', voters: 3, observers: 1, faults: ['crash'], losesVoters: true },
    changes: [
      [
        'core/zab/admission.ts',
        'membersWithHistory: those((standing) => standing !== undefined && !isFounder(standing)),',
        'membersWithHistory: those((standing) => standing !== undefined && !isFounder(standing)).filter(isVoter),',
      ],
    ],
  },
  {
    name: 'founded-without-the-marker',
    mistake: 'a founding that goes on is complete though a voter does not hold the marker of the new epoch',
    standsFor: 'a transaction needs an ensemble all of whose voters have counted at the same time',
    tests: ['core/zab/founding-presence'],
    changes: [
      [
        'core/zab/readmission.ts',
        '    return quorum.voters.every((voter) => admission.counts(voter) && this.#holdsMarker(voter));',
        '    return quorum.voters.every((voter) => admission.counts(voter));',
      ],
    ],
  },
  {
    name: 'readmission-asks-for-an-epoch',
    mistake: 'a voter whose readmission is under way makes the leader open a new epoch',
    standsFor: 'a member that comes back costs no leader',
    tests: ['core/zab/rejoining'],
    changes: [
      [
        'core/zab/readmission.ts',
        '      (learner) => isWaiting(learner) && learner.ackedZxid >= this.#marker && !learner.isBeingReadmitted,',
        '      (learner) => isWaiting(learner) && learner.ackedZxid >= this.#marker,',
      ],
    ],
  },
  {
    name: 'declared-over-an-earlier-link',
    mistake: 'what a member declared over a link that is down counts as its standing',
    standsFor: 'a founding knows each member over its present link',
    tests: ['core/zab/founding-presence'],
    changes: [
      [
        'core/zab/admission.ts',
        '    return this.#currentLink(member) === undefined ? undefined : this.#declared.get(member)!.standing;',
        '    return this.#declared.get(member)?.standing;',
      ],
    ],
  },
  {
    name: 'observers-not-waited-for-anew',
    mistake:
      'the time that a founding waits for observers is counted from the first time that all voters were there',
    standsFor: 'no founding beside an observer that may have a history',
    tests: ['core/zab/founding-presence'],
    changes: [
      [
        'core/zab/admission.ts',
        `    if (!mayTakePart || !this.#areVotersReady()) this.#votersReadyMs = null;
    else this.#votersReadyMs ??= nowMs;`,
        '    if (mayTakePart && this.#areVotersReady()) this.#votersReadyMs ??= nowMs;',
      ],
    ],
  },
];
