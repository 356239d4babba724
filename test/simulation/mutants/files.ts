import type { Mutant } from './mutant.js';

/** Mistakes in the bounds of a storage, in the order of its work, and in what it keeps. */
export const FILES: readonly Mutant[] = [
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
    name: 'ambiguous-end-ended-by-a-promise',
    mistake: 'a promise forgets what an ambiguous end of the log may have held',
    standsFor: 'a member votes with a log that it can show to be complete',
    tests: ['core/storage/end-of-log'],
    changes: [
      ['core/storage/durable-history.ts', '...(isMissing ? { mayHold } : {})', '...(isMissing ? {} : {})'],
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
    name: 'reader-never-leaves',
    mistake: 'a file of the log counts as being read for ever',
    standsFor: 'the log is purged',
    tests: ['core/storage/left-over'],
    changes: [['core/storage/transaction-log.ts', 'for (const segment of segments) segment.readers--;', '']],
  },
  {
    name: 'group-without-bound',
    mistake: 'a group of batches that share a write has no bound',
    standsFor: 'what is written at once is bounded',
    tests: ['core/storage/limits'],
    changes: [
      ['core/storage/commit-queue.ts', 'end < taken.length && bytes < GROUP_BYTES', 'end < taken.length'],
    ],
  },
  {
    name: 'snapshot-synced-at-its-end',
    mistake: 'a snapshot is synced only at its end',
    standsFor: 'syncs of the log do not wait behind a snapshot',
    tests: ['core/storage/limits'],
    changes: [
      [
        'core/storage/snapshot-file.ts',
        'if (this.#unsyncedBytes < SYNC_BYTES) return;',
        'if (this.#unsyncedBytes > 0) return;',
      ],
    ],
  },
  {
    name: 'file-one-group-too-long',
    mistake: 'a file of the log that has exactly its size takes another group',
    standsFor: 'bounds hold at their value',
    tests: ['core/storage/limits'],
    changes: [
      [
        'core/storage/transaction-log.ts',
        'last.end.offset >= this.#options.segmentBytes',
        'last.end.offset > this.#options.segmentBytes',
      ],
    ],
  },
  {
    name: 'cut-tail-not-synced',
    mistake: 'the copy of what was cut off a log is not synced',
    standsFor: 'what is cut is kept',
    tests: ['core/storage/rare-sequences'],
    changes: [
      [
        'core/storage/cut-tail.ts',
        `      await target.sync();
`,
        '',
      ],
    ],
  },
  {
    name: 'retaken-snapshot-removed',
    mistake: 'a snapshot that is taken again and whose name cannot be synced is removed, with the older one',
    standsFor: 'a spare snapshot costs nothing',
    tests: ['core/storage/rare-sequences'],
    changes: [['core/storage/snapshot-store.ts', 'isShortage(error) && isNew', 'isShortage(error)']],
  },
  {
    name: 'own-snapshot-needs-a-log',
    mistake: 'an own snapshot right behind an installed one is refused without a log',
    standsFor: 'a directory starts with what it has',
    tests: ['core/storage/rare-sequences'],
    changes: [
      ['core/storage/durable-history.ts', 'standsAlone: zxid === firstPrevZxid', 'standsAlone: false'],
    ],
  },
  {
    name: 'cut-beside-a-read',
    mistake: 'a log is cut while the last but one read has ended',
    standsFor: 'a read of the log sees no cut',
    tests: ['core/storage/read-gate'],
    changes: [
      [
        'core/storage/read-gate.ts',
        'if (this.#reads === 0) this.#wakeLast?.();',
        'if (this.#reads <= 1) this.#wakeLast?.();',
      ],
    ],
  },
  {
    name: 'promised-directory-is-new',
    mistake: 'a directory that has promised an epoch and has no history passes for a new one',
    standsFor: 'a voter may not forget what it promised',
    tests: ['core/storage/small-files'],
    changes: [
      [
        'core/storage/data-directory.ts',
        'isUnproven && promises.acceptedEpoch === 0 && promises',
        'isUnproven && promises',
      ],
    ],
  },
  {
    name: 'link-to-an-older-file',
    mistake: 'a file of the log that continues an entry before those of the file that it follows is linked',
    standsFor: 'a gap in the log is damage',
    tests: ['core/storage/log-recovery'],
    changes: [
      [
        'core/storage/log-recovery.ts',
        'header.prevZxid < previous.firstZxid || header.prevEnd',
        'header.prevEnd',
      ],
    ],
  },
  {
    name: 'second-failure-told',
    mistake: 'a later failure takes the place of the one that stopped the storage',
    standsFor: 'the error says why the member stopped',
    tests: ['core/storage/rare-sequences'],
    changes: [
      [
        'core/storage/file-storage.ts',
        `    if (this.#failure !== null) return this.#failure;
    const what`,
        '    const what',
      ],
    ],
  },
  {
    name: 'place-for-each-record',
    mistake: 'the index of a log has a place for each 512 bytes',
    standsFor: 'memory of a large log is bounded',
    tests: ['core/storage/segment-index'],
    changes: [
      [
        'core/storage/log-segment.ts',
        'Math.min(INDEX_BYTES, Math.max(FIRST_INDEX_BYTES, last.offset / 2))',
        'FIRST_INDEX_BYTES',
      ],
    ],
  },
  {
    name: 'failed-look-stops-the-storage',
    mistake: 'any error of a look at the directory stops the storage',
    standsFor: 'lack of descriptors for a look harms nobody',
    tests: ['core/storage/disk-errors'],
    changes: [
      [
        'core/storage/file-storage.ts',
        "      if (error instanceof DataDirectoryReplacedError) throw this.#fail(error, 'looking at');",
        "      throw this.#fail(error, 'looking at');",
      ],
    ],
  },
  {
    name: 'second-descriptor-kept',
    mistake: 'the descriptor for synced writes of a file stays open when the file is closed',
    standsFor: 'a log leaves no descriptor open',
    tests: ['core/storage/node-disk'],
    changes: [
      [
        'core/storage/node-disk.ts',
        `      if (syncing !== null) await call<void>((done) => fs.close(syncing, done));
    } finally {`,
        `      if (syncing !== null) this.#syncingDescriptor = null;
    } finally {`,
      ],
    ],
  },
  {
    name: 'draft-of-a-broken-file-kept',
    mistake: 'what was written of a file whose content breaks off stays on the disk',
    standsFor: 'a backup that fails leaves nothing',
    tests: ['core/storage/whole-file'],
    changes: [
      [
        'core/storage/whole-file.ts',
        `    await handle.close().catch(() => undefined);
    await rm(draft, { force: true });
    throw error;`,
        `    await handle.close().catch(() => undefined);
    throw error;`,
      ],
    ],
  },
];
