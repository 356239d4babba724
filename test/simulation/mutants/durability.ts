import type { Mutant } from './mutant.js';

/** Mistakes in what is written to the disk, and in how it is read back. */
export const DURABILITY: readonly Mutant[] = [
  {
    name: 'log-not-synced',
    mistake: 'an append counts as durable without a sync',
    standsFor: 'nothing is acknowledged before it is synced',
    changes: [
      [
        'core/storage/transaction-log.ts',
        'await this.#extendBehind(file, end);\n    await file.syncData();',
        'await this.#extendBehind(file, end);',
      ],
      [
        'core/storage/transaction-log.ts',
        'return file.writeThrough(at, bytes);',
        'return file.write(at, bytes);',
      ],
    ],
  },
  {
    name: 'fsync-error-ignored',
    mistake: 'an append whose sync fails counts as durable',
    standsFor: 'ZOOKEEPER-2247; a failed sync may not be tried again',
    shownBy: { faults: ['diskError', 'diskError', 'crash'], faultEveryMs: 300, strikeMs: 10_000 },
    changes: [
      [
        'core/storage/transaction-log.ts',
        'await this.#extendBehind(file, end);\n    await file.syncData();',
        'await this.#extendBehind(file, end);\n    await file.syncData().catch(() => undefined);',
      ],
      [
        'core/storage/transaction-log.ts',
        'return file.writeThrough(at, bytes);',
        'return file.write(at, bytes).then(() => file.syncData().catch(() => undefined));',
      ],
    ],
  },
  {
    name: 'promise-not-synced',
    mistake: 'a promised epoch counts as durable while it is being written',
    standsFor: 'ZOOKEEPER-1653, ZOOKEEPER-2354',
    changes: [
      [
        'core/storage/file-storage.ts',
        'await writePromises(this.#directory, promises);',
        'void writePromises(this.#directory, promises).catch(() => undefined);',
      ],
    ],
  },
  {
    name: 'segment-name-not-synced',
    mistake: 'the name of a new log segment is not synced',
    standsFor: 'a file is durable when its directory is',
    changes: [
      [
        'core/storage/log-segment.ts',
        'await file.sync();\n    await directory.syncDirectory();',
        'await file.sync();',
      ],
    ],
  },
  {
    name: 'snapshot-not-synced',
    mistake: 'a snapshot gets its name before its content is synced',
    standsFor: 'ZOOKEEPER-2872',
    changes: [
      ['core/storage/snapshot-file.ts', 'await writer.end();\n    await file.sync();', 'await writer.end();'],
    ],
  },
  {
    name: 'records-unchecked',
    mistake: 'the checksum of a record is not looked at',
    standsFor: 'what is damaged is not taken for what was written',
    shownBy: { mode: 'safety', faults: ['damage', 'rot'], faultEveryMs: 300 },
    changes: [['core/storage/log-record.ts', 'if (chain !== buffer.readUInt32LE(at)) {', 'if (false) {']],
  },
  {
    name: 'damage-taken-for-a-torn-tail',
    mistake: 'a log that was damaged in the midst of what was synced is cut there, and the member goes on',
    standsFor: 'damage is not repaired by forgetting what was acknowledged',
    shownBy: {
      mode: 'safety',
      voters: 3,
      faults: ['damage', 'damage', 'partition', 'crash'],
      faultEveryMs: 300,
      strikeMs: 20_000,
      snapshotTxns: 100_000,
      segmentBytes: 65_536,
      workloads: ['pipelines', 'registers'],
    },
    changes: [
      [
        'core/storage/segment-scan.ts',
        'wasSynced: findSyncedTo(rest, offset, this.#salt) > offset',
        'wasSynced: false',
      ],
    ],
  },
  {
    name: 'cut-not-synced',
    mistake: 'a cut of the log is confirmed before it is synced',
    standsFor: 'what a member has confirmed is durable by itself',
    tests: ['core/storage/crash'],
    changes: [
      [
        'core/storage/transaction-log.ts',
        'await file.truncate(cut.offset);\n      await file.sync();',
        'await file.truncate(cut.offset);',
      ],
    ],
  },
  {
    name: 'promise-name-not-synced',
    mistake: 'the new name of the file of promises is not synced',
    standsFor: 'a promise is durable when it is made',
    tests: ['core/storage/crash-states/crash-states'],
    changes: [
      [
        'core/storage/sealed-file.ts',
        'await directory.rename(temporaryName(name), name);\n  await directory.syncDirectory();',
        'await directory.rename(temporaryName(name), name);',
      ],
    ],
  },
  {
    name: 'snapshot-name-before-content',
    mistake: 'a snapshot has its name before its content is synced',
    standsFor: 'ZOOKEEPER-2872',
    tests: ['core/storage/crash-states/crash-states'],
    changes: [
      ['core/storage/snapshot-file.ts', 'await writer.end();\n    await file.sync();', 'await writer.end();'],
    ],
  },
];
