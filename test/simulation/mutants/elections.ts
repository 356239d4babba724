import type { Mutant } from './mutant.js';

/** Mistakes in elections, in the adoption of a history, and in hand-overs. */
export const ELECTIONS: readonly Mutant[] = [
  {
    name: 'older-history-leads',
    mistake: 'votes go by the id alone, and a candidate leads although a voter has a more recent history',
    standsFor: 'Zab, phase 1: no follower is ahead of the leader',
    shownBy: { voters: 3, faults: ['crash', 'partition'], faultEveryMs: 300, strikeMs: 10_000 },
    changes: [
      ['core/zab/leader.ts', 'report.lastZxid > this.#state.history.last', 'false'],
      ['core/zab/election.ts', 'claim <= this.#state.disk.durableZxid', 'true'],
      [
        'core/zab/vote.ts',
        'if (vote.epoch !== other.epoch) return vote.epoch > other.epoch;\n  if (vote.zxid !== other.zxid) return vote.zxid > other.zxid;\n',
        '',
      ],
    ],
  },
  {
    name: 'vote-before-disk-is-quiet',
    mistake: 'a vote is computed, and a role begun, while writes of the last one are under way',
    standsFor: 'ZOOKEEPER-4712',
    changes: [['core/zab/election.ts', '!state.disk.isIdle || ', '']],
  },
  {
    name: 'early-learner-stays',
    mistake: 'a voter that wanted to follow, and looks for another leader now, is still waited for',
    standsFor: 'ZOOKEEPER-3109',
    tests: ['core/zab/discovery'],
    changes: [['core/zab/peer.ts', 'waitingLearners.delete(peer);\n      if', 'if']],
  },
  {
    name: 'uninvited-follower-stays',
    mistake: 'a follower that is not invited yet does not notice that its leader has given up',
    standsFor: 'nobody waits for a candidate that is gone',
    tests: ['core/zab/timers'],
    changes: [['core/zab/learner.ts', "role === 'looking'", "role === 'looking' && this.#epoch !== 0"]],
  },
  {
    name: 'uninvited-follower-waits',
    mistake: 'a follower that is not invited yet waits for initLimit for a leader without a link',
    standsFor: 'nobody waits for a candidate that is gone',
    tests: ['core/zab/timers'],
    changes: [['core/zab/learner.ts', 'nowMs - this.#linkedMs > config.tickMs', 'false']],
  },
  {
    name: 'hand-over-before-a-slow-disk',
    mistake: 'a leader hands over while a learner that is up to date still makes the last entries durable',
    standsFor: 'with orderly restarts and slow disks alone no write is unknown',
    tests: ['core/zab/hand-over'],
    changes: [['core/zab/hand-over-plan.ts', 'if (learners.some(isBehind)) return;', '']],
  },
  {
    name: 'hand-over-before-applied',
    mistake: 'a leader hands over when everything is committed, not when it has applied it itself',
    standsFor: 'an orderly restart leaves no write in doubt',
    tests: ['core/zab/hand-over'],
    changes: [
      [
        'core/zab/hand-over-plan.ts',
        'this.#state.deliveredZxid === this.#state.history.last',
        'this.#state.commitZxid === this.#state.history.last',
      ],
    ],
  },
  {
    name: 'votes-are-passed-on',
    mistake: 'a voter votes for the best that it has heard of, whether that one has links to a quorum or not',
    standsFor: 'fast leader election: a better-voted member at the edge blocks a connected quorum',
    tests: ['core/zab/election', 'core/zab/link-graphs'],
    changes: [['core/zab/election.ts', 'if (heard.canLead) candidates', 'if (heard.claim >= 0n) candidates']],
  },
  {
    name: 'adopts-without-confirmation',
    mistake:
      'a candidate takes over a history though not all of its promises are known to be remembered still',
    standsFor: 'a promise that was lost with a disk completes no quorum',
    tests: ['core/zab/adoption'],
    changes: [['core/zab/adoption.ts', 'firstRound <= round &&', '']],
  },
  {
    name: 'adopts-what-is-not-durable',
    mistake: 'a candidate begins its epoch before the history that it takes over is durable',
    standsFor: 'Zab, phase 1',
    tests: ['core/zab/adoption'],
    changes: [['core/zab/adoption.ts', ' || disk.durableZxid !== plan.upTo || !disk.isIdle', '']],
  },
  {
    name: 'begins-during-adoption',
    mistake: 'a late promise begins the epoch while a history is taken over in part',
    standsFor: 'Zab, phase 1',
    tests: ['core/zab/adoption'],
    changes: [['core/zab/leader.ts', ' || this.#adoption.isUnderWay', '']],
  },
  {
    name: 'behind-never-leads',
    mistake: 'a voter that alone has links to a quorum does not lead, because it is behind',
    standsFor: 'OmniPaxos: constrained election',
    tests: ['core/zab/election', 'core/zab/link-graphs'],
    changes: [['core/zab/election.ts', '(isCurrent || canAdopt)', 'isCurrent']],
  },
  {
    name: 'forged-candidate-leads',
    mistake:
      'a candidate counts the promise of a voter that has a more recent history, and relies on the election',
    standsFor: 'Zab, phase 1: safety does not depend on who is elected',
    shownBy: {
      mode: 'safety',
      voters: 3,
      faults: ['forgedVotes', 'forgedVotes', 'crash', 'partition'],
      faultEveryMs: 300,
      strikeMs: 10_000,
      workloads: ['pipelines', 'registers'],
    },
    changes: [['core/zab/leader.ts', 'report.lastZxid > this.#state.history.last', 'false']],
  },
  {
    name: 'hub-leads-with-its-own-history',
    mistake:
      'a voter that alone has links to a quorum counts promises of voters with a more recent history, and takes nothing over',
    standsFor: 'Zab, phase 1: a new leader has the most recent history of its quorum',
    shownBy: {
      mode: 'safety',
      voters: 5,
      observers: 0,
      tickMs: 100,
      faults: ['hub'],
      faultEveryMs: 3_000,
      strikeMs: 20_000,
      workloads: ['pipelines', 'registers'],
    },
    changes: [['core/zab/leader.ts', 'report.lastZxid > this.#state.history.last', 'report.lastZxid < 0n']],
  },
  {
    name: 'promise-of-the-gone-forgotten',
    mistake: 'the promise of a voter that is gone raises no epoch',
    standsFor: 'Zab, phase 1: an epoch above every promise that is known',
    tests: ['core/zab/discovery'],
    changes: [
      [
        'core/zab/discovery.ts',
        'Math.max(promisedElsewhere, ...this.#accepted.values()) + 1',
        'Math.max(...this.#accepted.values()) + 1',
      ],
    ],
  },
  {
    name: 'successor-not-told',
    mistake: 'a leader that has handed over answers with itself as the leader',
    standsFor: 'a hand-over needs no election',
    tests: ['core/zab/hand-over'],
    changes: [
      [
        'core/zab/hand-over-plan.ts',
        `    state.vote = { leader: to, epoch: epochOf(zxid), zxid };
`,
        '',
      ],
    ],
  },
  {
    name: 'observer-is-a-candidate',
    mistake: 'an observer that is up to date could take over',
    standsFor: 'leadership is handed to voters that count',
    tests: ['core/zab/hand-over'],
    changes: [
      ['core/zab/learner-tracker.ts', 'return this.isCounted && this.isUpToDate;', 'return this.isUpToDate;'],
    ],
  },
  {
    name: 'first-word-unanswered',
    mistake: 'a voter that begins to look for a leader is not answered unless its vote changes something',
    standsFor: 'an election takes a few round trips',
    tests: ['core/zab/election'],
    changes: [
      [
        'core/zab/election.ts',
        `    const isFirst = !this.#heard.has(from);
    this.#heard.set(from, notification);`,
        `    this.#heard.set(from, notification);
    const isFirst = !this.#heard.has(from);`,
      ],
    ],
  },
  {
    name: 'decision-put-off',
    mistake: 'each repeated vote begins the wait for a better candidate anew',
    standsFor: 'a quorum that agrees elects its leader within a bounded time',
    tests: ['core/zab/election'],
    changes: [
      [
        'core/zab/election.ts',
        'else this.#decideAtMs ??= nowMs + FINALIZE_WAIT_MS;',
        'else this.#decideAtMs = nowMs + FINALIZE_WAIT_MS;',
      ],
    ],
  },
  {
    name: 'vote-of-a-leader-counts',
    mistake: 'the vote of a voter that leads itself by now, without a quorum, stays counted',
    standsFor: 'a candidate leads only with a quorum that wants it now',
    tests: ['core/zab/election'],
    changes: [
      [
        'core/zab/election.ts',
        `    this.#heard.delete(from);
    if (vote.leader !== from || !canLead) return this.#decide();`,
        '    if (vote.leader !== from || !canLead) return this.#decide();',
      ],
    ],
  },
  {
    name: 'adoption-cuts-in-memory-only',
    mistake: 'what a candidate cuts off before it takes over a history stays on its disk',
    standsFor: 'a crash leaves the history that was in memory',
    tests: ['core/zab/adoption'],
    changes: [
      [
        'core/zab/adoption.ts',
        `    invariant(after >= committed, 'a quorum lacks what is committed here', { after, committed });
    history.truncateAfter(after);
    disk.truncateAfter(after);`,
        `    invariant(after >= committed, 'a quorum lacks what is committed here', { after, committed });
    history.truncateAfter(after);`,
      ],
    ],
  },
];
