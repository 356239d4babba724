import type { Mutant } from './mutant.js';

/** Mistakes in how a leader feeds its learners, in rounds of pings, and in what stays when a learner leaves. */
export const LEARNERS: readonly Mutant[] = [
  {
    name: 'observer-bound-by-a-promise',
    mistake: 'an observer follows no leader of an epoch below one that it promised as a voter',
    standsFor: 'an observer finds its way to every established leader',
    tests: ['core/zab/discovery'],
    changes: [
      [
        'core/zab/learner.ts',
        'config.isVoter ? disk.acceptedEpoch : epochOf(history.last)',
        'disk.acceptedEpoch',
      ],
    ],
  },
  {
    name: 'observer-goes-back-an-epoch',
    mistake: 'an observer follows a leader of an epoch before its last entry',
    standsFor: 'what is committed here is never cut',
    tests: ['core/zab/discovery'],
    changes: [
      [
        'core/zab/learner.ts',
        'config.isVoter ? disk.acceptedEpoch : epochOf(history.last)',
        'config.isVoter ? disk.acceptedEpoch : 0',
      ],
    ],
  },
  {
    name: 'voter-of-the-same-round-deserts',
    mistake:
      'a candidate takes a voter that looks in the round of its election for one that looks for another leader',
    standsFor: 'a leader that was elected is not given up without a reason',
    tests: ['core/zab/timers'],
    changes: [
      ['core/zab/leader.ts', 'if (isLooking && round <= ownRound)', 'if (isLooking && round < ownRound)'],
    ],
  },
  {
    name: 'synchronization-within-sync-limit',
    mistake: 'a learner that synchronises has syncLimit to acknowledge, not initLimit',
    standsFor: 'a learner with a slow disk comes up',
    tests: ['core/zab/timers'],
    changes: [
      [
        'core/zab/learner-tracker.ts',
        'this.isUpToDate ? config.syncLimitMs : config.initLimitMs',
        'config.syncLimitMs',
      ],
    ],
  },
  {
    name: 'acknowledgement-outlives-its-link',
    mistake: 'acknowledgements of a voter whose link is gone go on counting',
    standsFor: 'a lost disk is no copy',
    tests: ['core/zab/broadcast'],
    changes: [['core/zab/leader.ts', 'this.#acked.delete(peer);', '']],
  },
  {
    name: 'leader-keeps-its-feeds',
    mistake: 'a leader that gives up keeps the snapshots of its learners open',
    standsFor: 'nothing is left over when a role ends',
    tests: ['core/zab/synchronization'],
    changes: [['core/zab/leader.ts', 'this.#learners.remove(id);', '']],
  },
  {
    name: 'acknowledgement-is-no-progress',
    mistake: 'an acknowledgement is no progress of a learner that owes more',
    standsFor: 'a learner under steady load is not dropped',
    tests: ['core/zab/timers'],
    changes: [
      [
        'core/zab/learner-feed.ts',
        `if (settled > 0) this.#unacked.splice(0, settled);
    this.#progressMs = this.#state.nowMs;`,
        'if (settled > 0) this.#unacked.splice(0, settled);',
      ],
    ],
  },
  {
    name: 'observer-gets-the-log-uncommitted',
    mistake: 'an observer gets entries from the log that are not committed yet',
    standsFor: 'an observer shows only what is committed',
    tests: ['core/zab/synchronization'],
    changes: [
      ['core/zab/learner-feed.ts', 'this.#fetched.filter(({ zxid }) => zxid <= upTo)', 'this.#fetched'],
    ],
  },
  {
    name: 'trimmed-entries-keep-their-bytes',
    mistake: 'entries that left the window of a history stay in memory until a thousand have gathered',
    standsFor: 'a member holds no more of its history than the window',
    tests: ['core/zab/history'],
    changes: [['core/zab/history.ts', 'this.#entries[this.#head] = TRIMMED;', '']],
  },
  {
    name: 'cut-entries-count-in-the-window',
    mistake: 'entries cut off a history go on counting in the bytes of its window',
    standsFor: 'learners that are behind are brought up from memory',
    tests: ['core/zab/history'],
    changes: [
      [
        'core/zab/history.ts',
        'for (let index = end; index < this.#entries.length; index++)',
        'for (let index = this.#entries.length; index < this.#entries.length; index++)',
      ],
    ],
  },
  {
    name: 'applied-bytes-stay-in-the-window',
    mistake: "bytes of proposals that were applied stay in the leader's window",
    standsFor: 'a leader admits writes however many it has admitted',
    tests: ['core/zab/proposal-window'],
    changes: [['core/zab/proposal-window.ts', 'this.#bytes -= oldest.bytes;', '']],
  },
  {
    name: 'late-admission-hides-a-loss',
    mistake: 'an admission that was on its way to the disk counts though something was lost meanwhile',
    standsFor: 'a voter that lost something does not count',
    tests: ['core/zab/disk-queue'],
    changes: [
      [
        'core/zab/disk-queue.ts',
        'batch.rejoining !== undefined && isCounted(this.#nextRejoining)',
        'batch.rejoining !== undefined',
      ],
    ],
  },
  {
    name: 'snapshot-wanted-for-ever',
    mistake: 'a member whose state was replaced by a snapshot goes on to ask for one',
    standsFor: 'a member that diverged counts again',
    tests: ['core/zab/synchronization'],
    changes: [['core/zab/peer-state.ts', 'this.needsSnapshot = false;', '']],
  },
  {
    name: 'deserter-refused-for-ever',
    mistake: 'an established leader cannot be followed by voters that once looked for another',
    standsFor: 'a leader with links to a quorum can lead',
    tests: ['core/zab/timers'],
    changes: [
      [
        'core/zab/quorum-watch.ts',
        "phase !== 'broadcast' && this.#deserters.has(voter)",
        'this.#deserters.has(voter)',
      ],
    ],
  },
  {
    name: 'contact-evicted',
    mistake: 'a learner forgets the oldest of its echoes, so that many pings in one round trip prove nothing',
    standsFor: 'no traffic changes a leader',
    tests: ['core/zab/timers', 'core/server/member/leader-under-load'],
    changes: [
      ['core/zab/leader-contact.ts', 'if (this.#echoes.at(-1)?.sentMs === nowMs) return;', ''],
      [
        'core/zab/leader-contact.ts',
        'this.#echoes = this.#echoes.filter((_, index) => index % 2 === 0);',
        'this.#echoes.shift();',
      ],
    ],
  },
  {
    name: 'slow-disk-is-stuck',
    mistake:
      'a leader takes its disk for stuck by the age of a batch, though one batch after another is confirmed',
    standsFor: 'no traffic changes a leader',
    tests: ['core/zab/timers'],
    changes: [['core/zab/disk-queue.ts', 'Math.max(oldest.sinceMs, this.#confirmedMs)', 'oldest.sinceMs']],
  },
  {
    name: 'older-link-is-heard',
    mistake: 'messages of an older link are taken for those of the link that has replaced it',
    standsFor: 'a link is first in, first out',
    tests: ['core/zab/rejoining'],
    changes: [
      ['core/zab/outbox.ts', 'return this.#links.get(peer) === link;', 'return this.#links.has(peer);'],
    ],
  },
  {
    name: 'echoes-never-heard',
    mistake: 'echoes that the leader has heard are kept',
    standsFor: 'what is answered is forgotten',
    tests: ['core/zab/learner-limits'],
    changes: [
      [
        'core/zab/leader-contact.ts',
        'while (this.#echoes.length > 0 && this.#echoes[0]!.nonce <= heard)',
        'if (this.#echoes.length > 0 && this.#echoes[0]!.nonce <= heard)',
      ],
    ],
  },
  {
    name: 'chunks-are-no-debt',
    mistake: 'a learner that confirms no chunk of a snapshot is kept for ever',
    standsFor: 'a learner that does not come on is given up',
    tests: ['core/zab/learner-feed'],
    changes: [['core/zab/learner-feed.ts', ' || (this.#snapshot?.isWaitingForLearner ?? false)', '']],
  },
  {
    name: 'idle-learner-owes',
    mistake: 'the time that a learner owes counts from its last acknowledgement, not from the message',
    standsFor: 'a learner that was idle is not dropped',
    tests: ['core/zab/learner-feed'],
    changes: [
      [
        'core/zab/learner-feed.ts',
        `    if (this.#unacked.length === 0) this.#progressMs = this.#state.nowMs;
`,
        '',
      ],
    ],
  },
  {
    name: 'one-message-too-many',
    mistake: 'a learner that owes exactly as much as it may is sent another message',
    standsFor: 'bounds hold at their value',
    tests: ['core/zab/learner-feed'],
    changes: [
      [
        'core/zab/learner-feed.ts',
        'this.#unackedBytes >= config.limits',
        'this.#unackedBytes > config.limits',
      ],
    ],
  },
  {
    name: 'diverged-learner-gets-entries',
    mistake: 'a learner whose state diverged is sent the entries that its log lacks',
    standsFor: 'a wrong state is replaced',
    tests: ['core/zab/learner-feed'],
    changes: [
      [
        'core/zab/learner-feed.ts',
        `if (report.needsSnapshot) this.#mode = 'applying';
    else if`,
        'if',
      ],
    ],
  },
  {
    name: 'own-uncounted-copy-confirms',
    mistake: 'a leader whose own copy does not count confirms rounds of pings with itself',
    standsFor: 'a quorum of voters that count',
    tests: ['core/zab/quorum-rounds'],
    changes: [['core/zab/quorum-rounds.ts', 'if (isCounted) this.#echoed', 'this.#echoed']],
  },
  {
    name: 'late-snapshot-moves-back',
    mistake: 'a snapshot that is reported late moves back the place up to which nothing is cut',
    standsFor: 'what is in a snapshot cannot be cut',
    tests: ['core/zab/history'],
    changes: [
      [
        'core/zab/history.ts',
        'if (zxid > this.#snapshotZxid) this.#snapshotZxid = zxid;',
        'this.#snapshotZxid = zxid;',
      ],
    ],
  },
  {
    name: 'uptodate-commits-nothing',
    mistake: 'an observer that had everything before serves only after the next write',
    standsFor: 'an observer serves when it is up to date',
    tests: ['core/zab/synchronization'],
    changes: [
      [
        'core/zab/learner.ts',
        `    if (this.name === 'observing') this.#state.advanceCommit(commit);
`,
        '',
      ],
    ],
  },
];
