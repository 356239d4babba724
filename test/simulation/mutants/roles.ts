import type { Mutant } from './mutant.js';

/** Mistakes in what stays of a role that has ended, in how long one waits, and in messages that are out of place. */
export const ROLES: readonly Mutant[] = [
  {
    name: 'ping-payload-of-the-last-role',
    mistake: 'what was to ride on a ping of one role goes out in the next',
    standsFor: 'nothing of a role is left when it ends',
    tests: ['core/zab/left-over'],
    changes: [
      [
        'core/zab/peer.ts',
        `      this.#state.takePingPayload();
`,
        '',
      ],
    ],
  },
  {
    name: 'learner-of-a-broken-link-waits',
    mistake: 'a member whose link is down goes on to wait to follow',
    standsFor: 'nothing of a link is left when it breaks',
    tests: ['core/zab/left-over'],
    changes: [
      [
        'core/zab/peer.ts',
        `    this.#state.waitingLearners.delete(peer);
`,
        '',
      ],
    ],
  },
  {
    name: 'uninvited-promise-taken',
    mistake: 'a promise counts though the epoch was not announced to its sender',
    standsFor: 'messages out of place end the link',
    tests: ['core/zab/out-of-place'],
    changes: [
      ['core/zab/leader.ts', 'learner.report !== null || !learner.isInvited', 'learner.report !== null'],
    ],
  },
  {
    name: 'acknowledgement-taken-back',
    mistake: 'a learner may acknowledge less than before',
    standsFor: 'a lost disk is no copy',
    tests: ['core/zab/out-of-place'],
    changes: [
      [
        'core/zab/leader.ts',
        `    if (zxid < learner.ackedZxid) return this.#drop(learner, 'it took back an acknowledgement');
`,
        '',
      ],
    ],
  },
  {
    name: 'readmission-before-the-marker',
    mistake: 'a learner takes a readmission before it holds the marker',
    standsFor: 'rule 1 of readmission, (c)',
    tests: ['core/zab/out-of-place'],
    changes: [
      [
        'core/zab/learner.ts',
        `    if (epochOf(disk.durableZxid) !== this.#epoch) return this.#refuse('a readmission before its marker');
`,
        '',
      ],
    ],
  },
  {
    name: 'pause-breaks-the-link',
    mistake: 'a pause of the process counts as time without a link to the leader',
    standsFor: "a pause is nobody's silence",
    tests: ['core/zab/learner-limits'],
    changes: [
      [
        'core/zab/learner.ts',
        `    this.#heardMs = this.#state.nowMs;
    this.#linkedMs = this.#state.nowMs;`,
        '    this.#heardMs = this.#state.nowMs;',
      ],
    ],
  },
  {
    name: 'long-discovery-is-silence',
    mistake: 'the time of a discovery counts as silence once the follower serves',
    standsFor: 'a learner whose leader was slow to come up stays',
    tests: ['core/zab/learner-limits'],
    changes: [
      [
        'core/zab/learner.ts',
        `      if (this.#ackedZxid === null) this.#contact.provenAt(this.#state.nowMs);
`,
        '',
      ],
    ],
  },
  {
    name: 'failures-never-forgotten',
    mistake: 'attempts are put off as long after a success as before it',
    standsFor: 'a member that served looks for a leader at once',
    tests: ['core/zab/learner-limits'],
    changes: [
      [
        'core/zab/peer.ts',
        `if (this.#role.phase === 'broadcast') this.#failures = 0;
      else if`,
        'if',
      ],
    ],
  },
  {
    name: 'epoch-changed-in-the-stream',
    mistake: 'a follower takes another epoch over the attempt that has one',
    standsFor: 'an epoch is announced once',
    tests: ['core/zab/discovery'],
    changes: [
      ['core/zab/learner.ts', 'attempt !== this.#attempt || this.#epoch !== 0', 'attempt !== this.#attempt'],
    ],
  },
  {
    name: 'invited-learner-waits',
    mistake: 'a learner that was answered is taken for one that waits by the next leadership',
    standsFor: 'nothing of a role is left when it ends',
    tests: ['core/zab/left-over'],
    changes: [
      [
        'core/zab/leader.ts',
        'if (!isInvited) this.#state.waitingLearners.set(id, info);',
        'this.#state.waitingLearners.set(id, info);',
      ],
    ],
  },
  {
    name: 'complete-snapshot-given-up',
    mistake: 'a complete snapshot that waits for the disk is given up when the leader goes',
    standsFor: 'ZOOKEEPER-3642',
    tests: ['core/zab/learner-limits'],
    changes: [
      [
        'core/zab/snapshot-intake.ts',
        "if (!this.#isComplete) this.#state.outputs.install({ type: 'abort'",
        "this.#state.outputs.install({ type: 'abort'",
      ],
    ],
  },
];
