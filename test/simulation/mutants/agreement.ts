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
    name: 'older-epoch-committed-by-copies',
    mistake: 'entries of older epochs are committed by counting their copies',
    standsFor: 'Zab: what is older than the epoch is committed by what stands behind it',
    changes: [
      ['core/zab/leader.ts', '!learner.isVoter || zxid < this.#marker', '!learner.isVoter'],
      ['core/zab/leader.ts', 'if (zxid < this.#marker) return;\n    invariant', 'invariant'],
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
];
