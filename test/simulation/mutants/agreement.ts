import type { Mutant } from './mutant.js';

/** Mistakes in Zab. */
export const AGREEMENT: readonly Mutant[] = [
  {
    name: 'ack-before-fsync',
    mistake: 'a follower acknowledges what is not durable yet',
    standsFor: 'ZOOKEEPER-3911, ZOOKEEPER-4646',
    changes: [
      [
        'core/zab/learner.ts',
        'const { disk, outbox, deliveredZxid } = this.#state;',
        'const { outbox, deliveredZxid } = this.#state; const disk = { durableZxid: this.#state.history.last };',
      ],
    ],
  },
  {
    name: 'own-ack-before-fsync',
    mistake: 'a leader counts its own copy before it is durable',
    standsFor: 'Zab: a quorum of durable copies commits',
    changes: [
      [
        'core/zab/leader.ts',
        'this.#state.disk.append(entry);',
        "this.#state.disk.append(entry); if (this.#phase === 'broadcast') this.#noteAck(this.#state.id, entry.zxid);",
      ],
    ],
  },
  {
    name: 'apply-on-proposal',
    mistake: 'proposals are applied when they are durable, committed or not',
    standsFor: 'nobody ever sees what is not committed',
    changes: [
      ['core/zab/peer-state.ts', 'minZxid(this.#commitZxid, this.disk.durableZxid)', 'this.disk.durableZxid'],
    ],
  },
  {
    name: 'apply-before-durable',
    mistake: 'committed entries are applied before they are durable here',
    standsFor: 'ZOOKEEPER-4882',
    changes: [
      [
        'core/zab/peer-state.ts',
        'minZxid(this.#commitZxid, this.disk.durableZxid)',
        'minZxid(this.#commitZxid, this.history.last)',
      ],
    ],
  },
  {
    name: 'promise-before-durable',
    mistake: 'a follower promises an epoch, and tells its history, before both are durable',
    standsFor: 'ZOOKEEPER-4643, ZOOKEEPER-4785',
    changes: [['core/zab/learner.ts', 'this.#epoch === 0 || !disk.isIdle', 'this.#epoch === 0']],
  },
  {
    name: 'announce-before-durable',
    mistake: 'a leader announces its epoch before its own promise is durable',
    standsFor: 'Zab: no two leaders of one epoch',
    changes: [['core/zab/discovery.ts', 'this.#state.disk.durableAcceptedEpoch >= this.#epoch', 'true']],
  },
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
    name: 'repeated-promise-counts',
    mistake:
      'a candidate proposes the epoch behind its own, and an answer that is no promise, for that epoch was promised to another, counts as one',
    standsFor: 'ACKEPOCH of -1 must not be counted',
    shownBy: { voters: 3, faults: ['crash', 'partition'], faultEveryMs: 300, strikeMs: 10_000 },
    changes: [
      ['core/zab/leader.ts', '!report.isPromise || !learner.isVoter', '!learner.isVoter'],
      [
        'core/zab/discovery.ts',
        'Math.max(promisedElsewhere, ...this.#accepted.values()) + 1',
        'disk.acceptedEpoch + 1',
      ],
    ],
  },
  {
    name: 'no-promise-quorum',
    mistake: 'a candidate does not wait for a quorum of promises',
    standsFor: 'Zab, phase 1',
    changes: [['core/zab/leader.ts', '!this.#discovery.hasPromiseQuorum', 'false']],
  },
  {
    name: 'half-is-a-quorum',
    mistake: 'half of the voters are taken for a quorum',
    standsFor: 'any two quorums have a voter in common',
    changes: [
      ['core/zab/quorum.ts', 'Math.floor(this.voters.length / 2) + 1', 'Math.ceil(this.voters.length / 2)'],
    ],
  },
  {
    name: 'commit-without-quorum',
    mistake: 'the fastest voter commits, not a quorum',
    standsFor: 'Zab, phase 3',
    changes: [['core/zab/quorum.ts', 'reached[this.#needed - 1]', 'reached[0]']],
  },
  {
    name: 'vote-before-disk-is-quiet',
    mistake: 'a vote is computed, and a role begun, while writes of the last one are under way',
    standsFor: 'ZOOKEEPER-4712',
    changes: [['core/zab/election.ts', '!state.disk.isIdle || ', '']],
  },
  {
    name: 'hand-over-leaves-a-gap',
    mistake: 'what is proposed while a snapshot is sent is missing behind it, and the learner does not look',
    standsFor: 'ZOOKEEPER-3104, ZOOKEEPER-3589',
    changes: [
      [
        'core/zab/learner-feed.ts',
        'this.#cursor = snapshot.sentZxid;',
        'this.#cursor = this.#state.history.last;',
      ],
      ['core/zab/learner.ts', '!isSuccessor(entry.zxid, history.last)', 'entry.zxid <= history.last'],
      ['core/zab/history.ts', 'isSuccessor(zxid, last)', 'zxid > last'],
      ['core/zab/learner.ts', '|| zxid > history.last', ''],
      [
        'core/storage/durable-history.ts',
        'zxid !== last + 1n && !opensLaterEpoch(zxid, last)',
        'zxid <= last',
      ],
    ],
  },
  {
    name: 'trunc-skipped',
    mistake: 'an uncommitted tail is cut in memory, but not on the disk',
    standsFor: 'ZOOKEEPER-5094',
    changes: [
      ['core/zab/learner.ts', ' disk.truncateAfter(after);', ''],
      ['core/storage/durable-history.ts', 'zxid !== last + 1n && !opensLaterEpoch(zxid, last)', 'false'],
    ],
  },
  {
    name: 'trunc-not-sent',
    mistake: 'a learner with an uncommitted tail is sent a diff, and puts it behind the tail',
    standsFor: 'ZOOKEEPER-2678, ZOOKEEPER-3526',
    changes: [
      ['core/zab/learner-feed.ts', "this.#mustTruncate ? 'trunc' : 'diff'", "'diff'"],
      ['core/zab/learner.ts', '|| after !== history.last', ''],
    ],
  },
  {
    name: 'observer-ahead-of-commit',
    mistake: 'observers are given what is not committed',
    standsFor: 'an observer is only informed',
    changes: [['core/zab/learner-feed.ts', 'this.#isVoter ? history.last : commitZxid', 'history.last']],
  },
  {
    name: 'serves-before-up-to-date',
    mistake: 'a follower serves before its leader is established',
    standsFor: 'Zab, phase 2; nobody who is recovering answers a client',
    changes: [['core/zab/learner.ts', '|| this.#serveFrom === null || deliveredZxid < this.#serveFrom', '']],
  },
  {
    name: 'leads-before-applied',
    mistake: 'a leader proposes before it holds, and has applied, all of the epochs before its own',
    standsFor: 'Zab: primary integrity',
    changes: [
      [
        'core/zab/leader.ts',
        "this.#phase === 'broadcast' && this.#state.deliveredZxid >= this.#marker",
        "this.#phase === 'broadcast'",
      ],
      ['core/zab/leader.ts', 'disk.durableZxid < this.#marker ? null : ', ''],
    ],
  },
  {
    name: 'snapshot-ack-before-durable',
    mistake: 'a received snapshot counts as installed before it is durable',
    standsFor: 'ZOOKEEPER-2872',
    changes: [
      [
        'core/zab/snapshot-intake.ts',
        'disk.installSnapshot({',
        'this.#state.noteInstalled(zxid); disk.installSnapshot({',
      ],
    ],
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
        "rejoining = isOneOfSeveral ? 'new' : null;",
        "rejoining = isOneOfSeveral && !initialize ? 'new' : null;",
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
    name: 'sync-without-round',
    mistake: 'a sync is answered before a quorum has confirmed that this leader still leads',
    standsFor: 'ZOOKEEPER-1675, ZOOKEEPER-2136',
    shownBy: {
      mode: 'safety',
      voters: 3,
      observers: 0,
      clients: 10,
      tickMs: 2_000,
      latencyMs: 1,
      jitterMs: 1,
      thinkMs: 3_000,
      sessionMs: 60_000,
      faults: ['partition', 'reset'],
      faultEveryMs: 15_000,
      strikeMs: 200_000,
      workloads: ['registers'],
    },
    changes: [
      ['core/zab/quorum-rounds.ts', 'round <= confirmed && zxid <= commitZxid', 'zxid <= commitZxid'],
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
    name: 'heartbeat-takes-bulk',
    mistake: 'a heartbeat that goes in parts takes the bulk message from its queue in its own place',
    standsFor: 'Quorate before 0.2',
    tests: ['core/server/peers/frame'],
    changes: [
      [
        'core/server/peers/peer-link.ts',
        'if (first.nextSmall === undefined) return this.#give(first.takePart());',
        'if (first.nextSmall === undefined) return this.#give((this.#bulk.isEmpty ? first : this.#bulk).takePart());',
      ],
    ],
  },
  {
    name: 'promise-repeated-to-another',
    mistake: 'a learner repeats a promise as one to whoever asks, though it was made to another candidate',
    standsFor: 'Zab: no two leaders of one epoch',
    tests: ['core/zab/discovery'],
    changes: [
      [
        'core/zab/learner.ts',
        'promisedTo?.leader === this.leader && promisedTo.epoch === this.#epoch',
        'promisedTo?.epoch === this.#epoch',
      ],
    ],
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
    name: 'lone-voter-asks-no-observer',
    mistake: 'a lone voter with an empty directory counts at once, whatever its observers hold',
    standsFor: 'no founding while a listed member has a history',
    tests: ['core/server/member/rejoining'],
    changes: [
      [
        'core/server/member/first-start.ts',
        'const isOneOfSeveral = members.length > 1 &&',
        'const isOneOfSeveral = voters.length > 1 &&',
      ],
    ],
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
    name: 'older-link-leaks',
    mistake: 'a link that is made anew forgets the older one and does not close it',
    standsFor: 'connections leak with every half-open line',
    tests: ['core/server/peers/peer-links'],
    changes: [['core/server/peers/peer-links.ts', 'old.terminate();', 'void old;']],
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
    name: 'older-epoch-committed-by-copies',
    mistake: 'entries of older epochs are committed by counting their copies',
    standsFor: 'Zab: what is older than the epoch is committed by what stands behind it',
    changes: [
      ['core/zab/leader.ts', '!learner.isVoter || zxid < this.#marker', '!learner.isVoter'],
      ['core/zab/leader.ts', 'if (zxid < this.#marker) return;\n    invariant', 'invariant'],
    ],
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
    name: 'leader-forgets-its-promise',
    mistake: 'a candidate chooses its epoch without the one that it has promised itself',
    standsFor: 'Zab, phase 1: an epoch is newer than every promise',
    changes: [
      [
        'core/zab/discovery.ts',
        'this.#noteAccepted(state.id, state.disk.acceptedEpoch);',
        'this.#noteAccepted(state.id, 0);',
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
    name: 'resumes-behind-acknowledged',
    mistake:
      'a leader sends a voter that comes back only what that one had not acknowledged, whatever its disk holds now',
    standsFor: 'what a learner holds is what it says when it comes, and not what it said before',
    shownBy: {
      mode: 'liveness',
      voters: 3,
      faults: ['pause'],
      returnsDisk: true,
      workloads: ['pipelines', 'registers'],
    },
    changes: [
      ['core/zab/leader.ts', 'this.#acked.delete(peer);', ''],
      [
        'core/zab/leader.ts',
        "if (this.#phase !== 'discovery') return void learner.startFeed(this.#state, this.epoch, report);",
        "if (this.#phase !== 'discovery') {\n      const last = this.#acked.get(learner.id) ?? 0n;\n      const isFurther = learner.info.standing === 'full' && last > report.lastZxid;\n      const known = { ...report, lastZxid: last, epochs: [...this.#state.history.epochs.filter(({ epoch }) => epoch < this.epoch), { epoch: this.epoch, lastZxid: last }] };\n      return void learner.startFeed(this.#state, this.epoch, isFurther ? known : report);\n    }",
      ],
    ],
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
];
