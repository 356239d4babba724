import type { Mutant } from './mutant.js';

/** Mistakes in quotas, and in what the state, its preparer and its tables keep. */
export const DATA: readonly Mutant[] = [
  {
    name: 'failed-multi-charged',
    mistake: 'the charges of a failed multi stay pending',
    standsFor: 'what failed is charged to no quota',
    tests: ['core/data/quota'],
    changes: [
      [
        'core/data/prepare/pending-overlay.ts',
        `this.#nodes.fail();
    this.quotas.layers.fail();`,
        'this.#nodes.fail();',
      ],
    ],
  },
  {
    name: 'no-growth-refused',
    mistake: 'a change that does not grow a subtree is refused where a limit is exceeded',
    standsFor: 'a subtree that exceeds its quota can be made smaller',
    tests: ['core/data/quota'],
    changes: [
      ['core/data/prepare/pending-quotas.ts', 'growth > 0 && limit >= 0 && usage', 'limit >= 0 && usage'],
    ],
  },
  {
    name: 'owner-without-ephemerals-kept',
    mistake: 'an empty set stays for each session that ever owned an ephemeral znode',
    standsFor: 'nothing is left over of a session',
    tests: ['core/data/data-tree'],
    changes: [
      ['core/data/data-tree.ts', 'if (owned?.size === 0) this.#ephemerals.delete(node.ephemeralOwner);', ''],
    ],
  },
  {
    name: 'watcher-without-watches-kept',
    mistake: 'an empty set stays for a watcher whose several watches are gone',
    standsFor: 'nothing is left over of a connection',
    tests: ['core/data/path-watches'],
    changes: [['core/data/path-watches.ts', 'paths.size > 1', 'paths.size > 0']],
  },
  {
    name: 'removed-watch-charged',
    mistake: 'a watch that is taken away goes on to be charged to its watcher',
    standsFor: 'nothing is left over of a connection',
    tests: ['core/data/left-over', 'core/data/path-watches'],
    changes: [
      [
        'core/data/path-watches.ts',
        `    this.charge(watcher, -watchBytes(path));
    this.entries--;`,
        '    this.entries--;',
      ],
    ],
  },
  {
    name: 'replaced-acl-kept',
    mistake: 'the ACL that a znode had before goes on to be counted',
    standsFor: 'nothing is left over of a znode',
    tests: ['core/data/left-over'],
    changes: [
      [
        'core/data/data-tree.ts',
        `    this.#acls.release(node.interned);
    node.interned = interned;`,
        '    node.interned = interned;',
      ],
    ],
  },
  {
    name: 'bucket-without-sessions-kept',
    mistake: 'an empty bucket stays for each tick at which a session could have expired',
    standsFor: 'nothing is left over of a session',
    tests: ['core/data/left-over'],
    changes: [
      [
        'core/data/session-tracker.ts',
        `    if (bucket.size === 0) this.buckets.delete(session.expiresAt);
`,
        '',
      ],
    ],
  },
  {
    name: 'proposed-ephemerals-kept',
    mistake: 'an empty set stays for each session that had an ephemeral znode proposed',
    standsFor: 'nothing is left over of a session',
    tests: ['core/data/left-over'],
    changes: [
      [
        'core/data/prepare/pending-overlay.ts',
        `      if (paths?.size === 0) this.#ephemerals.delete(from);
`,
        '',
      ],
    ],
  },
  {
    name: 'time-not-restored',
    mistake: 'the time of the newest transaction is not taken from a snapshot',
    standsFor: 'time never runs backwards',
    tests: ['core/data/snapshot'],
    changes: [
      [
        'core/data/snapshot-reader.ts',
        `    this.state.lastZxid = zxid;
    this.state.lastTime = lastTime;`,
        `    this.state.lastZxid = zxid;
    this.state.lastTime = Math.min(lastTime, this.state.lastTime);`,
      ],
    ],
  },
];
