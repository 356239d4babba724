import type { Mutant } from './mutant.js';

/** Mistakes in limits, in what is left over, and in the order of work, which the tests of single modules have to find. */
export const LIMITS: readonly Mutant[] = [
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
    name: 'end-proved-out-of-turn',
    mistake: 'the proof of the end does not wait for the append before it',
    standsFor: 'what end-of-log says is true, and never older than before',
    tests: ['core/storage/order-of-work'],
    changes: [
      [
        'core/storage/file-storage.ts',
        `await this.#queue.pushAct(async () => {
      if`,
        `const now = async (act: () => Promise<void>): Promise<void> => act();
    await now(async () => {
      if`,
      ],
    ],
  },
  {
    name: 'cut-leaves-the-index',
    mistake: 'a cut leaves positions in the index that lie behind the end of the segment',
    standsFor: 'a learner that is behind gets the log',
    tests: ['core/storage/log-file'],
    changes: [
      [
        'core/storage/log-segment.ts',
        'while ((segment.index.at(-1)?.offset ?? 0) > position.offset) segment.index.pop();',
        '',
      ],
    ],
  },
  {
    name: 'header-between-two-windows',
    mistake: 'a record header that lies in two windows of the search behind the end is not found',
    standsFor: 'damage is not taken for a torn end',
    tests: ['core/storage/tail-search'],
    changes: [
      [
        'core/storage/tail-search.ts',
        'Math.min(next - at + GROUP_MARK_BYTES, limit - at)',
        'Math.min(next - at, limit - at)',
      ],
    ],
  },
  {
    name: 'log-purged-before-snapshots-are-kept',
    mistake: 'the log is purged though there are fewer snapshots than are to be kept',
    standsFor: 'a damaged snapshot costs nothing',
    tests: ['core/storage/kept-snapshots'],
    changes: [
      [
        'core/storage/snapshot-store.ts',
        'return this.#files.length < kept ? null : this.#files[0]!.zxid;',
        'return this.#files[0]?.zxid ?? null;',
      ],
    ],
  },
  {
    name: 'snapshot-counts-twice',
    mistake: 'a snapshot that is taken again at the same zxid counts as two',
    standsFor: 'a purge leaves the snapshots that are to be kept',
    tests: ['core/storage/kept-snapshots'],
    changes: [
      [
        'core/storage/snapshot-store.ts',
        'this.#files = [...this.#files.filter((other) => other.name !== name), file];',
        'this.#files = [...this.#files, file];',
      ],
    ],
  },
  {
    name: 'closed-while-a-snapshot-is-written',
    mistake: 'close does not wait for a snapshot that is being written',
    standsFor: 'a data directory has one owner',
    tests: ['core/storage/order-of-work'],
    changes: [
      [
        'core/storage/file-storage.ts',
        `await this.#queue.idle();
    await this.#snapshotting;`,
        'await this.#queue.idle();',
      ],
    ],
  },
  {
    name: 'entry-of-the-snapshot-purged',
    mistake: 'a purge removes the log file that ends with the entry of the oldest snapshot',
    standsFor: 'a log may be cut back to a snapshot',
    tests: ['core/storage/kept-snapshots'],
    changes: [
      [
        'core/storage/transaction-log.ts',
        'oldest.end.zxid >= zxid || oldest.readers > 0',
        'oldest.end.zxid > zxid || oldest.readers > 0',
      ],
    ],
  },
  {
    name: 'checks-without-progress-add-up',
    mistake: 'checks at which a client took in nothing are counted over the whole life of its connection',
    standsFor: 'a client that reads slowly is served',
    tests: ['core/server/clients/connection/connection-output'],
    changes: [
      [
        'core/server/clients/connection/connection-output.ts',
        'this.#stuckChecks = isStuck ? this.#stuckChecks + 1 : 0;',
        'if (isStuck) this.#stuckChecks += 1;',
      ],
    ],
  },
  {
    name: 'postponed-snapshot-stays-due',
    mistake: 'after a postponed snapshot the next one is due at once, for ever',
    standsFor: 'snapshots have a bounded cost',
    tests: ['core/server/state/snapshotter'],
    changes: [
      [
        'core/server/state/snapshotter.ts',
        `this.#draw(machine);
    this.#retryAt = null;`,
        'this.#draw(machine);',
      ],
    ],
  },
  {
    name: 'ambiguous-end-ended-by-a-promise',
    mistake: 'a promise forgets what an ambiguous end of the log may have held',
    standsFor: 'a member votes with a log that it can show to be complete',
    tests: ['core/storage/end-of-log'],
    changes: [
      ['core/storage/durable-history.ts', '...(isMissing ? { mayHold } : {})', '...(isMissing ? {} : {})'],
    ],
  },
  {
    name: 'refused-bytes-stay-under-way',
    mistake: 'bytes of a request that the leader refused count as under way for ever',
    standsFor: 'a member takes writes however many were refused',
    tests: ['core/server/pipeline/learner-path'],
    changes: [
      [
        'core/server/pipeline/learner-path.ts',
        `more requests are refused than were made');
    this.#forwardedBytes -= forwarded.bytes;`,
        "more requests are refused than were made');",
      ],
    ],
  },
  {
    name: 'heard-once-reported-for-ever',
    mistake: 'a learner goes on to report a session that it heard once',
    standsFor: 'the session of a dead client expires',
    tests: ['core/server/pipeline/learner-path'],
    changes: [['core/server/pipeline/learner-path.ts', 'this.#touched.clear();', '']],
  },
  {
    name: 'used-link-needs-no-sign-of-life',
    mistake: 'a link over which something went says nothing when it is idle',
    standsFor: 'an idle link stays',
    tests: ['core/server/peers/peer-links'],
    changes: [
      [
        'core/server/peers/peer-link.ts',
        `if (!this.#hasSent) this.#connection.send(new Uint8Array(0));
    this.#hasSent = false;`,
        'if (!this.#hasSent) this.#connection.send(new Uint8Array(0));',
      ],
    ],
  },
  {
    name: 'answers-held-for-ever',
    mistake: 'a member that leaves its role while it holds answers back goes on to hold them',
    standsFor: 'a member that was paused serves again',
    tests: ['core/server/member/ensemble-pause'],
    changes: [
      [
        'core/server/clients/client-service.ts',
        `this.#isHeld = false;
    for (const connection of this.#connections) connection.abandon();`,
        'for (const connection of this.#connections) connection.abandon();',
      ],
    ],
  },
  {
    name: 'untaken-behind-waiting',
    mistake: 'requests that a server has not taken are sent again behind those that waited for room',
    standsFor: "a session's requests take effect in their order",
    tests: ['core/client/requests-over-connections'],
    changes: [
      [
        'core/client/request-queue.ts',
        '[...sent, ...unsent, ...waiting]',
        '[...sent, ...waiting, ...unsent]',
      ],
    ],
  },
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
    name: 'unread-bytes-stay-held',
    mistake: 'bytes of requests that nobody looked at count for ever when their connection ends',
    standsFor: 'a member reads its clients however others ended',
    tests: ['core/server/clients/left-over'],
    changes: [
      [
        'core/server/clients/connection/inbound.ts',
        `this.#packets.clear();
    this.hold(-this.#heldBytes);`,
        'this.#packets.clear();',
      ],
    ],
  },
  {
    name: 'watches-outlive-their-connection',
    mistake: 'the watches of a connection that ended stay in the table',
    standsFor: 'nothing is left over of a connection',
    tests: ['core/server/clients/left-over'],
    changes: [['core/server/clients/client-service.ts', 'this.watches.table.removeAll(connection);', '']],
  },
  {
    name: 'create-found-by-its-beginning',
    mistake: 'a create whose answer was lost is taken for another znode whose name begins alike',
    standsFor: 'a client owns what it believes to own',
    tests: ['core/client/unique-creates'],
    changes: [
      [
        'core/client/create-recovery.ts',
        'child.startsWith(unique) && isNumber(child.slice(unique.length))',
        'child.startsWith(unique)',
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
    name: 'replaced-snapshots-not-forgotten',
    mistake: 'snapshots that an installed one replaced are removed but not forgotten',
    standsFor: 'a purge removes only what is there',
    tests: ['core/storage/kept-snapshots'],
    changes: [
      [
        'core/storage/snapshot-store.ts',
        'this.#files = this.#files.filter((file) => file.generation >= generation);',
        '',
      ],
    ],
  },
  {
    name: 'moves-of-closed-sessions-kept',
    mistake: 'how often a session moved is kept after its end',
    standsFor: 'nothing is left over of a session',
    tests: ['core/server/pipeline/leader-sessions'],
    changes: [['core/server/pipeline/leader-sessions.ts', 'this.#moves.delete(sessionId);', '']],
  },
  {
    name: 'snapshot-of-a-lost-learner-frozen',
    mistake: 'a snapshot whose learner is gone stays frozen',
    standsFor: 'nothing is left over of a learner',
    tests: ['core/server/state/snapshot-sender'],
    changes: [['core/server/state/snapshot-sender.ts', 'this.#open.get(request)?.snapshot.close();', '']],
  },
  {
    name: 'half-closed-connection-stays',
    mistake: 'a connection whose client closed its direction stays when its last request is answered',
    standsFor: 'nothing is left over of a connection',
    tests: ['plugins/zookeeper/half-closed'],
    changes: [
      [
        'core/server/clients/connection/client-connection.ts',
        `    else this.#endIfDone();
`,
        '',
      ],
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
    name: 'flood-served-as-quiet',
    mistake: 'a connection with one request waits behind those with thousands',
    standsFor: 'who floods a member waits, and nobody else',
    tests: ['core/server/clients/admission'],
    changes: [
      [
        'core/server/clients/admission.ts',
        'connection.outstanding > REQUESTS_PER_VISIT',
        'connection.outstanding > 0',
      ],
    ],
  },
  {
    name: 'full-path-stops-reads',
    mistake: 'reads wait while no write is admitted',
    standsFor: 'reads pass a full write path',
    tests: ['core/server/clients/admission'],
    changes: [
      [
        'core/server/clients/admission.ts',
        'connection.isWriteNext && pipeline.isFull',
        'connection.hasPackets && pipeline.isFull',
      ],
    ],
  },
  {
    name: 'shares-of-writes-ignored',
    mistake: 'a connection has as many writes under way as it likes while others write',
    standsFor: 'who floods a member waits, and nobody else',
    tests: ['core/server/clients/connection/owed-replies'],
    changes: [
      ['core/server/clients/connection/owed-replies.ts', ' && this.#writes < this.#shares.share', ''],
    ],
  },
];
