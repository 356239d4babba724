import type { Mutant } from './mutant.js';

/** Mistakes in what is written to the disk, and in how it is read back. */
export const DURABILITY: readonly Mutant[] = [
  {
    name: 'old-end-of-log-is-believed',
    mistake: 'files of a later generation than end-of-log names pass for foreign ones',
    standsFor: 'a member that cannot show that its log is complete rejoins',
    tests: ['core/storage/damage'],
    changes: [['core/storage/data-directory.ts', 'if (later === undefined) return end;', 'return end;']],
  },
  {
    name: 'old-end-of-log-passes-for-an-interrupted-switch',
    mistake:
      'a snapshot of the next generation passes for the remainder of a switch that end-of-log never announced',
    standsFor: 'a member that cannot show that its log is complete rejoins',
    tests: ['core/storage/damage'],
    changes: [['core/storage/generation.ts', ' && end.isSwitching === true', '']],
  },
  {
    name: 'one-block-of-end-of-log-keeps-the-generation-before',
    mistake: 'the files of the generation before go while one block of end-of-log still names it',
    standsFor: 'what is older is removed only after what replaces it counts',
    tests: ['core/storage/damage'],
    changes: [['core/storage/durable-history.ts', 'slot < 2', 'slot < 1']],
  },
  {
    name: 'recovery-forgets-the-switch',
    mistake: 'a recovery says that no switch is under way while its snapshot is still there',
    standsFor: 'a recovery that is interrupted is carried out anew',
    tests: ['core/storage/damage'],
    changes: [
      ['core/storage/recovery.ts', '...(end?.isSwitching === true ? { isSwitching: true } : {}),', ''],
    ],
  },
  {
    name: 'unproven-room-is-recorded',
    mistake: 'a recovery records the size of a log file whose growth may never have reached the disk',
    standsFor: 'what a failed sync let go is written again before anything is claimed of it',
    tests: ['core/storage/crash'],
    changes: [
      ['core/storage/recovery.ts', 'await rewrite(file, Math.max(offset, provenBytes), fileBytes);', ''],
    ],
  },
  {
    name: 'kernel-lock-given-back',
    mistake: 'the descriptor that holds the lock of a directory is closed as soon as it has it',
    standsFor: 'a data directory has one owner',
    tests: ['core/storage/directory-lock'],
    changes: [
      [
        'core/storage/kernel-lock.ts',
        "if (outcome === 'held') return { descriptor };\n  await closeDescriptor(descriptor);",
        "await closeDescriptor(descriptor);\n  if (outcome === 'held') return { descriptor: 1_000_000 };",
      ],
      [
        'core/storage/directory-lock.ts',
        'await removeRecord(location, self);\n      await closeDescriptor(descriptor);',
        'await removeRecord(location, self);',
      ],
    ],
  },
  {
    name: 'lock-number-not-looked-for-again',
    mistake: 'a slow process keeps a lock number that was used and removed before it made it again',
    standsFor: 'a data directory has one owner',
    tests: ['core/storage/directory-lock'],
    changes: [
      [
        'core/storage/lock-files.ts',
        'if ((await highestNumber(directory)) > highest + 1) {',
        'if (highest < 0) {',
      ],
    ],
  },
  {
    name: 'other-kind-of-lock-not-looked-for',
    mistake: 'a process with the lock of the kernel does not look for lock files of processes without',
    standsFor: 'a data directory has one owner',
    tests: ['core/storage/directory-lock'],
    changes: [
      [
        'core/storage/directory-lock.ts',
        'const other = await lockFileHolder(location);',
        'const other = null as LockOwner | null;',
      ],
      [
        'core/storage/directory-lock.ts',
        'if (found !== null && found.hasKernelLock !== true && (await isAlive(found))) {',
        'if (found !== null && found.host === undefined && (await isAlive(found))) {',
      ],
    ],
  },
  {
    name: 'levels-above-not-synced',
    mistake: 'only the parent of the first new level of a data directory is synced',
    standsFor: 'a new data directory survives a power failure',
    tests: ['core/storage/node-disk'],
    changes: [
      [
        'core/storage/node-disk.ts',
        'for (let level = dirname(location); ; level = dirname(level)) {',
        'for (let level = required; ; level = dirname(level)) {',
      ],
    ],
  },
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
        'core/storage/durable-history.ts',
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
        'await directory.rename(draft, name);\n  await directory.syncDirectory();',
        'await directory.rename(draft, name);',
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
      ['core/storage/end-verdict.ts', 'if (syncedTo > position.offset) {', 'if (false) {'],
      [
        'core/storage/end-verdict.ts',
        'if (proven !== null && proven.position.offset > position.offset) {',
        'if (false) {',
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
        'await file.truncate(cut!.offset);\n      await file.sync();',
        'await file.truncate(cut!.offset);',
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
  {
    name: 'group-mark-in-its-own-block',
    mistake: 'the mark of a group stands directly behind its records',
    standsFor: 'what identifies the last records does not lie in their block',
    tests: ['core/storage/end-of-log'],
    changes: [
      ['core/storage/group-mark.ts', 'return Math.ceil(end / BLOCK_BYTES) * BLOCK_BYTES;', 'return end;'],
    ],
  },
  {
    name: 'group-mark-proves-its-own-group',
    mistake: 'the mark of a group says that its group was synced, though the sync has not returned',
    standsFor: 'a torn write after a power failure is not taken for damage',
    tests: ['core/storage/end-of-log'],
    changes: [
      [
        'core/storage/log-record.ts',
        'writeGroupMark(this.#buffer, markAt, { start, end: this.end, salt: this.#salt });',
        'writeGroupMark(this.#buffer, markAt, { start: this.end.offset, end: this.end, salt: this.#salt });',
      ],
    ],
  },
  {
    name: 'proof-before-the-sync',
    mistake: 'the file end-of-log names a group before its sync has returned',
    standsFor: 'a torn write after a power failure is not taken for damage',
    tests: ['core/storage/end-of-log'],
    changes: [
      [
        'core/storage/transaction-log.ts',
        'await this.#writeDurably(file, segment.end.offset, bytes);',
        'await this.#claim(segment, writer.end);\n      await this.#writeDurably(file, segment.end.offset, bytes);',
      ],
    ],
  },
  {
    name: 'ambiguous-end-taken-for-torn',
    mistake: 'a group that may have been acknowledged is cut off, and nothing says so',
    standsFor: 'a member whose log may have lost its end does not vote as if it had not',
    shownBy: { mode: 'safety', voters: 3, faults: ['tailDamage'], faultEveryMs: 200, strikeMs: 10_000 },
    changes: [
      [
        'core/storage/end-verdict.ts',
        'if (missingGroupEnd !== null) return',
        'if (missingGroupEnd?.offset === 0) return',
      ],
    ],
  },
  {
    name: 'ambiguous-voter-counts-always',
    mistake: 'a voter that may have lost entries which it acknowledged counts for a candidate without them',
    standsFor: 'nobody is elected without entries that a missing voter may hold',
    tests: ['core/zab/ambiguous-end'],
    changes: [
      [
        'core/zab/ambiguous-end.ts',
        "standing !== 'ambiguous' || mayHold <= zxid || areAllPresent;",
        "standing !== 'ambiguous' || mayHold >= 0n || zxid > 0n || areAllPresent;",
      ],
    ],
  },
  {
    name: 'lost-disk-shows-nothing-though-it-holds-more',
    mistake:
      'a voter that lost a part of its disk counts as proof that nobody holds more than the leader, though it does',
    standsFor: 'nobody leads without entries that a voter holds and that may have been acknowledged',
    tests: ['core/zab/ambiguous-end'],
    changes: [
      [
        'core/zab/leader.ts',
        'if (report.lastZxid > this.#state.history.last) return;',
        "if (learner.info.standing !== 'rejoining' && report.lastZxid > this.#state.history.last) return;",
      ],
    ],
  },
  {
    name: 'waits-beside-a-lost-disk',
    mistake:
      'an ambiguous end beside a voter that lost its disk keeps the ensemble waiting, though every voter is there',
    standsFor: 'a failure of power at all voters needs no operator, also if one disk is lost with it',
    tests: ['core/zab/ambiguous-end'],
    changes: [
      [
        'core/zab/ambiguous-end.ts',
        'quorum.voters.every((voter) => voters.has(voter));',
        "quorum.voters.every((voter) => remembers(voters.get(voter)?.standing ?? 'rejoining'));",
      ],
    ],
  },
  {
    name: 'missing-segment-not-missed',
    mistake: 'nobody looks whether the newest file of the log is there, and how far it reached',
    standsFor: 'a member whose log files are gone does not vote',
    shownBy: { mode: 'safety', voters: 3, faults: ['missingFile'], faultEveryMs: 200, strikeMs: 10_000 },
    changes: [
      [
        'core/storage/log-recovery.ts',
        'if (end === null || end.newest === null) return;',
        'if (end?.zxid !== -1n) return;',
      ],
      ['core/storage/recovery.ts', 'if (end !== null && end.zxid > lastZxid) {', 'if (end?.zxid === -1n) {'],
    ],
  },
  {
    name: 'damaged-end-taken-for-torn',
    mistake:
      'damage to records that `end-of-log`, or a later record, proves to have been there is taken for a torn end',
    standsFor: 'a member that lost a block of its log does not vote with a shorter one',
    shownBy: {
      mode: 'safety',
      voters: 3,
      faults: ['tailDamage', 'rot'],
      faultEveryMs: 200,
      strikeMs: 10_000,
    },
    changes: [
      [
        'core/storage/end-verdict.ts',
        'if (proven !== null && proven.position.offset > position.offset) {',
        'if (proven !== null && proven.position.offset < 0) {',
      ],
      ['core/storage/recovery.ts', 'if (end !== null && end.zxid > lastZxid) {', 'if (end?.zxid === -1n) {'],
    ],
  },
  {
    name: 'stale-blocks-believed',
    mistake:
      'a record of an old file, in a block that the log was given and never synced, counts as one of the log',
    standsFor: 'a power failure makes no member rejoin',
    tests: ['core/storage/end-of-log'],
    changes: [['core/storage/tail-search.ts', 'if (this.#isStale(window, at)) return;', '']],
  },
  {
    name: 'readmission-shares-a-write',
    mistake:
      'a batch that ends rejoining is carried out behind another in one group, of which only the first may hold more than entries',
    standsFor: 'a readmission that is reported as durable is durable',
    tests: ['core/storage/commit-queue'],
    changes: [
      [
        'core/storage/commit-queue.ts',
        'return acceptedEpoch === undefined && rejoining === undefined && truncateAfter === undefined;',
        'return acceptedEpoch === undefined && (rejoining ?? null) === null && truncateAfter === undefined;',
      ],
    ],
  },
  {
    name: 'self-repair-counts',
    mistake: 'a member that has repaired its damaged directory counts at once',
    standsFor: 'a member votes with a log that it can show to be complete',
    shownBy: {
      mode: 'safety',
      voters: 3,
      observers: 0,
      faults: ['damage', 'damage', 'partition', 'crash'],
      faultEveryMs: 300,
      strikeMs: 20_000,
      workloads: ['pipelines', 'registers'],
    },
    changes: [['core/storage/self-repair.ts', 'isLoss: true', 'isLoss: false']],
  },
  {
    name: 'place-of-the-next-entry',
    mistake: 'a reader of the log begins at a place of the index behind the entry that it looks for',
    standsFor: 'a learner that lags behind gets every entry',
    shownBy: {
      mode: 'liveness',
      voters: 3,
      faults: ['pause', 'partition', 'crash'],
      segmentBytes: 65_536,
      snapshotTxns: 100_000,
      windowEntries: 5,
      workloads: ['pipelines', 'registers'],
    },
    changes: [
      [
        'core/storage/log-segment.ts',
        'segment.index.findLast((position) => position.zxid <= zxid)',
        'segment.index.findLast((position) => position.zxid <= zxid + 1n)',
      ],
    ],
  },
  {
    name: 'files-stay-open',
    mistake: 'a reader of the log does not close its file',
    standsFor: 'nothing is left over: descriptors',
    shownBy: {
      mode: 'liveness',
      voters: 3,
      faults: ['pause', 'partition', 'crash'],
      snapshotTxns: 100_000,
      windowEntries: 5,
      workloads: ['pipelines', 'registers'],
    },
    changes: [
      [
        'core/storage/transaction-log.ts',
        'if (scan.position.offset !== end.offset) throw this.#damage(segment, scan);\n    } finally {\n      await file.close();',
        'if (scan.position.offset !== end.offset) throw this.#damage(segment, scan);\n    } finally {\n      void file;',
      ],
    ],
  },
  {
    name: 'second-ambiguous-end-hides-the-first',
    mistake: 'a second ambiguous end of the log takes the place of one that may have held more',
    standsFor: 'a voter does not forget what it may have acknowledged',
    tests: ['core/storage/end-of-log'],
    changes: [
      [
        'core/storage/recovery.ts',
        '    if (mayHold === null || mayHold <= lastZxid || mayHold <= (promises.mayHold ?? 0n)) return promises;',
        '    if (mayHold === null || mayHold <= lastZxid || mayHold === promises.mayHold) return promises;',
      ],
    ],
  },
  {
    name: 'self-repair-judges-the-loss',
    mistake: 'a member that has repaired itself keeps its vote if the repair finds nothing missing',
    standsFor: 'a member that repairs itself rejoins, whatever the damage was',
    tests: ['core/storage/damaged-file'],
    changes: [
      [
        'core/storage/self-repair.ts',
        '  const prognosis = { ...prognose(survey), isLoss: true };',
        '  const prognosis = prognose(survey);',
      ],
    ],
  },
  {
    name: 'repair-promises-what-it-keeps',
    mistake: 'a repaired directory promises the epoch of what is kept, and not the newest that it shows',
    standsFor: 'no epoch, and so no zxid, is used twice',
    tests: ['core/storage/examination/repaired-promises'],
    changes: [
      [
        'core/storage/examination/repair.ts',
        '  const acceptedEpoch = Math.max(promised, epochOf(soundUpTo), epochOf(knownUpTo), isAlone ? 1 : 0);',
        '  const acceptedEpoch = Math.max(promised, epochOf(soundUpTo), isAlone ? 1 : 0);',
      ],
    ],
  },
];
