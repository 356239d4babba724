import type { Mutant } from './mutant.js';

/** Mistakes in how requests become transactions, and transactions state. */
export const STATE: readonly Mutant[] = [
  {
    name: 'ephemeral-left-after-close',
    mistake: 'closing a session leaves ephemerals whose creation was still under way',
    standsFor: 'ZOOKEEPER-2355, ZOOKEEPER-1496',
    shownBy: { faults: ['clientLeave', 'slowDisk'], workloads: ['ephemerals'] },
    changes: [
      [
        'core/data/prepare/pending-overlay.ts',
        'const candidates = new Set(this.#ephemerals.get(sessionId));',
        'const candidates = new Set();',
      ],
      ['core/data/apply.ts', 'of this.#state.tree.ephemeralsOf(sessionId)', 'of []'],
    ],
  },
  {
    name: 'failed-multi-leaves-traces',
    mistake: 'what a refused multi would have changed is kept among what is pending, counters included',
    standsFor: 'ZOOKEEPER-1624',
    shownBy: { clients: 4, thinkMs: 60, syncMs: 20, workloads: ['transfers'] },
    changes: [
      [
        'core/data/prepare/pending-layers.ts',
        'fail(): void {\n    this.#isAttempting = false;',
        'fail(): void {\n    this.succeed();',
      ],
    ],
  },
  {
    name: 'multi-half-applied',
    mistake: 'the members of a multi before the one that is refused take effect',
    standsFor: 'ZOOKEEPER-3127',
    shownBy: { clients: 4, thinkMs: 60, syncMs: 20, workloads: ['transfers'] },
    changes: [
      [
        'core/data/prepare/multi.ts',
        'parts: failedParts(ops, parts.length, outcome) }',
        'parts: [...parts, ...failedParts(ops, parts.length, outcome).slice(parts.length)] }',
      ],
    ],
  },
  {
    name: 'acl-changed-by-everybody',
    mistake: 'who may write a znode may also change its ACL',
    standsFor: 'only the identities that an ACL names administer a znode',
    shownBy: { workloads: ['acls'], faults: ['crash'], strikeMs: 5_000 },
    changes: [
      [
        'core/data/prepare/update.ts',
        'refuseForbidden(node, Permission.admin, preparation)',
        'refuseForbidden(node, Permission.admin | Permission.write, preparation)',
      ],
    ],
  },
  {
    name: 'pending-state-ignored',
    mistake: 'versions are checked against what is applied, not against what is proposed',
    standsFor: 'transactions are prepared against everything before them',
    changes: [
      [
        'core/data/prepare/pending-overlay.ts',
        'const pending = this.#nodes.find(path);',
        'const pending = undefined;',
      ],
    ],
  },
  {
    name: 'pending-state-forgotten-early',
    mistake: 'what is pending at a path is forgotten when an older transaction on it is applied',
    standsFor: 'transactions are prepared against everything before them',
    changes: [
      [
        'core/data/prepare/pending-layers.ts',
        'if (value.zxid > mark.zxid || this.#proposed.get(key) !== value)',
        'if (!this.#proposed.has(key))',
      ],
    ],
  },
  {
    name: 'fuzzy-snapshot',
    mistake: 'a snapshot holds znodes as they are when it comes to them, not as they were when it began',
    standsFor: 'ZOOKEEPER-3125, ZOOKEEPER-1549',
    shownBy: {
      faults: ['crash', 'crashAll'],
      snapshotTxns: 5,
      windowEntries: 5,
      clients: 4,
      workloads: ['large', 'pipelines', 'sequences'],
    },
    changes: [
      ['core/data/frozen-tree.ts', 'if (!view.lacks(node))', 'if (node !== null)'],
      ['core/data/frozen-tree.ts', 'if (node.changedAt < this.#number)', 'if (node !== null)'],
      ['core/data/snapshot-reader.ts', 'tree.size !== closing.nodeCount ||', ''],
      ['core/data/snapshot-reader.ts', 'digest.value !== closing.digest', 'false'],
    ],
  },
  {
    name: 'snapshot-without-sessions',
    mistake: 'a snapshot holds no sessions',
    standsFor: 'ZOOKEEPER-3144',
    changes: [
      ['core/data/snapshot-writer.ts', 'of state.sessions.all) {', 'of new Map()) {'],
      ['core/data/snapshot-reader.ts', '|| sessions.all.size !== closing.sessionCount', ''],
      ['core/data/snapshot-reader.ts', 'digest.value !== closing.digest', 'false'],
    ],
  },
  {
    name: 'digests-not-compared',
    mistake: 'the leader ignores the digests that its learners report',
    standsFor: 'a member whose state differs from a quorum stops serving it',
    tests: ['core/server/state/digests/divergence'],
    changes: [
      [
        'core/server/state/digests/digest-exchange.ts',
        'for (const point of points) this.#compare(learner, point);',
        'void [learner, points];',
      ],
    ],
  },
  {
    name: 'difference-counted-per-digest',
    mistake: 'a state that differs at two zxids counts as two states that differ, and its member stops',
    standsFor: 'the first state that differs is replaced by a snapshot; only a second one ends the member',
    tests: ['core/server/state/digests/divergence'],
    changes: [['core/server/state/digests/digest-exchange.ts', 'if (this.#isGivenUp) return;', '']],
  },
  {
    name: 'digest-of-half-counts',
    mistake: 'a digest that half of the voters have is taken for that of a quorum',
    standsFor: 'without a majority nobody can say which state is right',
    tests: ['core/server/state/digests/digest-comparison', 'core/server/state/digests/divergence'],
    changes: [
      [
        'core/server/state/digests/digest-comparison.ts',
        'count * 2 > this.#voters.size',
        'count * 3 >= this.#voters.size',
      ],
    ],
  },
  {
    name: 'diverged-member-leads',
    mistake: 'a member whose state differs from a quorum may be elected',
    standsFor: 'a wrong state is replaced, and never handed on',
    tests: ['core/server/state/digests/divergence'],
    changes: [
      ['core/zab/peer-state.ts', 'this.config.isVoter && !this.needsSnapshot', 'this.config.isVoter'],
    ],
  },
  {
    name: 'diverged-state-kept',
    mistake: 'a member whose state differs from a quorum is sent what its log lacks, and no snapshot',
    standsFor: 'a wrong state is replaced, and never handed on',
    tests: ['core/server/state/digests/divergence'],
    changes: [
      ['core/zab/learner-feed.ts', "if (report.needsSnapshot) this.#mode = 'applying';", 'if (false);'],
    ],
  },
  {
    name: 'divergence-forgotten-at-restart',
    mistake: 'that the state differs from a quorum is not made durable',
    standsFor: 'a wrong state is replaced, and never handed on',
    tests: ['core/server/state/digests/divergence'],
    changes: [['core/zab/peer.ts', "if (state.config.isVoter) state.disk.rejoin('diverged');", '']],
  },
  {
    name: 'pending-write-charged-in-full',
    mistake: 'a write that is under way charges its whole length to a quota, not its growth',
    standsFor: 'a quota refuses growth only',
    tests: ['core/data/quota'],
    changes: [
      [
        'core/data/prepare/pending-overlay.ts',
        'pending.dataLength - lengthBefore',
        'pending.dataLength + 0 * lengthBefore',
      ],
    ],
  },
  {
    name: 'restored-epoch-not-raised',
    mistake: 'a restored ensemble goes on with the epochs of the old one',
    standsFor: 'no fence repeats over a restore, and clients come back',
    tests: ['core/server/process/backups/new-ensemble'],
    changes: [
      ['core/server/state/backups/new-epoch.ts', 'epoch + restoration * EPOCH_STEP', 'epoch + restoration'],
    ],
  },
  {
    name: 'restored-sessions-kept',
    mistake: 'sessions of the old ensemble and their ephemerals live on in the restored one',
    standsFor: 'an ephemeral never outlives its session',
    tests: ['core/data/new-ensemble'],
    changes: [['core/data/new-ensemble.ts', 'of state.sessions.all.keys()', 'of [] as bigint[]']],
  },
  {
    name: 'restored-under-the-old-id',
    mistake: 'a restored ensemble keeps the id of the old one',
    standsFor: 'another life of an ensemble is refused by its id',
    tests: ['core/data/new-ensemble'],
    changes: [['core/data/new-ensemble.ts', '  state.identify({ id, since: marker });', '  void id;']],
  },
  {
    name: 'restored-member-votes-at-once',
    mistake: 'a member that was restored once more votes with what the backup had',
    standsFor: 'a voter may not forget what it acknowledged',
    tests: ['core/server/process/backups/new-ensemble'],
    changes: [
      [
        'core/server/process/backups/new-ensemble.ts',
        "await storage.persist({ rejoining: 'new' });",
        'await storage.persist({ rejoining: null });',
      ],
    ],
  },
  {
    name: 'interrupted-restore-counts',
    mistake: 'a directory whose restore broke off counts, with nothing in it',
    standsFor: 'a voter that may have forgotten does not vote',
    tests: ['core/server/process/backups/new-ensemble'],
    changes: [
      [
        'core/server/process/backups/new-ensemble.ts',
        "acceptedEpoch: epoch, rejoining: 'damaged'",
        'acceptedEpoch: epoch, rejoining: null',
      ],
    ],
  },
  {
    name: 'backup-content-not-compared',
    mistake: 'a backup is restored though its content is not the state that it was taken of',
    standsFor: 'a copy counts only if it adds up to its digest',
    tests: ['core/server/state/backups/backup-file'],
    changes: [
      [
        'core/data/snapshot-verifier.ts',
        "expectSame('as the digest of its content', digest.value, expected.digest);",
        '',
      ],
    ],
  },
  {
    name: 'charged-quota-not-shown',
    mistake: 'what a transaction charged to a quota is not written to its statistics',
    standsFor: 'the statistics of a quota show its usage',
    tests: ['core/data/quota'],
    changes: [['core/data/apply.ts', 'state.quotas.settle();', '']],
  },
  {
    name: 'quota-ends-before-it-is-shown',
    mistake: 'a quota that ends within a transaction does not show what was charged before',
    standsFor: 'members of versions that differ have the same state',
    tests: ['core/data/quota'],
    changes: [['core/data/quota-ledger.ts', '    this.settle();\n', '']],
  },
];
