import type { Mutant } from './mutant.js';

/** Mistakes in how snapshots are written, verified and examined; each is found by a test that is named after the failure. */
export const SNAPSHOTS: readonly Mutant[] = [
  {
    name: 'whole-snapshot-goes-with-its-link',
    mistake: 'a snapshot that has come as a whole is forgotten when its link breaks, before it is taken',
    standsFor: 'a member stops for nothing but its own disk',
    tests: ['core/server/state/snapshot-receiver'],
    changes: [
      [
        'core/server/state/snapshot-arrivals.ts',
        'if (arrival.machine === null) this',
        'if (arrival !== null) this',
      ],
    ],
  },
  {
    name: 'untaken-snapshot-stays',
    mistake: 'a whole snapshot that nobody takes stays in memory behind its link',
    standsFor: 'nothing is left over when a link ends',
    tests: ['core/server/state/snapshot-receiver'],
    changes: [['core/server/state/snapshot-arrivals.ts', 'else arrival.isLinkGone = true;', '']],
  },
  {
    name: 'repair-lets-it-vote',
    mistake: 'a repaired member votes although something may be lost',
    standsFor: 'a member that may have forgotten does not vote',
    tests: ['core/server/process/doctor'],
    changes: [
      [
        'core/storage/examination/repair.ts',
        "isAlone ? null : isLoss ? 'damaged' : before",
        'isAlone ? null : before',
      ],
    ],
  },
  {
    name: 'second-fault-hidden',
    mistake: 'a repair is called harmless by the first fault alone',
    standsFor: 'no text claims more than is known',
    tests: ['core/storage/examination/doctor'],
    changes: [
      [
        'core/storage/examination/data-directory-doctor.ts',
        "(plan.type === 'none' || (await this.#wouldStart(survey, plan)))",
        "(plan.type !== 'none' || (await this.#wouldStart(survey, plan)))",
      ],
    ],
  },
  {
    name: 'start-without-content-check',
    mistake: 'a start takes a snapshot whose tree contradicts its digest',
    standsFor: 'a snapshot counts only if its tree adds up to its digest',
    tests: ['core/server/process/doctor'],
    changes: [
      [
        'core/storage/recovery.ts',
        'await verifySnapshot(this.#directory, file, id, this.#checkContent)',
        'await verifySnapshot(this.#directory, file, id)',
      ],
    ],
  },
  {
    name: 'replaced-link-keeps-half-a-snapshot',
    mistake:
      'a link that a newer one replaces is not reported as down, and what has come over it stays in memory',
    standsFor: 'what a broken link leaves behind does not grow',
    tests: ['core/server/peers/peer-links'],
    changes: [
      ['core/server/peers/peer-links.ts', 'this.#handler.disconnected(peer, old.number);', 'void 0;'],
    ],
  },
  {
    name: 'one-repair-for-a-start',
    mistake: 'a member whose disk is damaged in two places stops when the second one shows',
    standsFor: 'a member with a damaged disk rejoins without help',
    tests: ['core/storage/damaged-file'],
    changes: [['core/storage/file-storage.ts', 'const MOST_REPAIRS = 3;', 'const MOST_REPAIRS = 1;']],
  },
  {
    name: 'lost-end-of-log-called-harmless',
    mistake: 'a repair counts the member as before though the file that shows where its log ends is lost',
    standsFor: 'a repair never lets a member vote that may have lost something',
    tests: ['core/storage/examination/doctor'],
    changes: [
      [
        'core/storage/examination/prognosis.ts',
        'if (damagedFiles.some(({ name }) => name === LOG_END_FILE)) return false;',
        'if (damagedFiles.some(({ name }) => name === `${LOG_END_FILE}.old`)) return false;',
      ],
    ],
  },
  {
    name: 'no-identity-taken-for-an-old-directory',
    mistake:
      'a directory without identity and end-of-log is repaired as one of 0.1.0, which had no such file',
    standsFor: 'a repair never lets a member vote that may have lost something',
    tests: ['core/storage/examination/doctor'],
    changes: [
      [
        'core/storage/examination/prognosis.ts',
        'if (end === null && damagedFiles.some(({ name }) => name === IDENTITY_FILE)) return false;',
        '',
      ],
    ],
  },
  {
    name: 'file-that-cannot-be-opened-ends-the-start',
    mistake: 'an error of the disk at opening a file is no damage to that file',
    standsFor: 'a member whose disk cannot give a file back has a way on',
    tests: ['core/storage/damaged-file'],
    changes: [
      [
        'core/storage/unreadable-blocks.ts',
        "mode === 'create' || !isUnreadable(error)",
        "mode !== 'create' || error",
      ],
    ],
  },
  {
    name: 'directory-taken-for-a-missing-file',
    mistake: 'a directory with the name of a file passes for a missing file',
    standsFor: 'what is no regular file is refused by name',
    tests: ['core/storage/damaged-file'],
    changes: [['core/storage/node-disk.ts', 'if (odd !== undefined) throw', 'if (odd === null) throw']],
  },
  {
    name: 'unreadable-block-ends-the-examination',
    mistake: 'a read error ends member and doctor with an error that names no file',
    standsFor: 'an unreadable block is damage with file and offset',
    tests: ['core/storage/examination/doctor'],
    changes: [
      [
        'core/storage/unreadable-blocks.ts',
        "new Set(['EIO', 'EREMOTEIO', 'EUCLEAN', 'EBADMSG', 'ENODATA'])",
        "new Set(['EREMOTEIO', 'EUCLEAN', 'EBADMSG', 'ENODATA'])",
      ],
    ],
  },
  {
    name: 'oldest-goes-before-read-back',
    mistake: 'the oldest snapshot is removed before the new one was read back',
    standsFor: 'what is older is removed only after what replaces it was read back',
    tests: ['core/storage/disk-errors'],
    changes: [
      [
        'core/storage/snapshot-store.ts',
        "await this.#readBack({ name: draft, kind: 'snapshot', generation, zxid: header.zxid }, checkContent);",
        `await this.#directory.remove(this.#files[0]?.name ?? draft).catch(() => undefined);
      await this.#readBack({ name: draft, kind: 'snapshot', generation, zxid: header.zxid }, checkContent);`,
      ],
    ],
  },
  {
    name: 'read-back-compares-nothing',
    mistake: 'a snapshot that was read back is not compared with the state that it was taken of',
    standsFor: 'a bit that flips in memory ends no snapshot that was good',
    tests: ['core/server/state/snapshot-read-back'],
    changes: [['core/server/state/snapshot-check.ts', 'verifier.finish(expected());', '']],
  },
  {
    name: 'no-space-for-a-snapshot-is-fatal',
    mistake: 'a spare snapshot that finds no space ends the member',
    standsFor: 'lack of space or descriptors for a snapshot never ends a member',
    tests: ['core/server/state/snapshot-read-back'],
    changes: [
      [
        'core/server/state/snapshotter.ts',
        'if (error instanceof SnapshotPostponedError) {',
        'if (error instanceof SnapshotPostponedError) failed(error);\n    if (error instanceof SnapshotPostponedError) {',
      ],
    ],
  },
  {
    name: 'recount-trusts-kept-hashes',
    mistake: 'a recount adds up the hashes that are kept with the znodes',
    standsFor: 'a recount finds what flips in memory',
    tests: ['core/data/recount'],
    changes: [
      ['core/data/recount.ts', 'node.hashRest();', 'node.hash();'],
      [
        'core/data/recount.ts',
        'if (lanes.low !== node.bodyLow || lanes.high !== node.bodyHigh) this.#path ??= node.path;',
        '',
      ],
    ],
  },
  {
    name: 'snapshot-while-one-comes-in',
    mistake: 'a snapshot of the old state may be taken while one of the leader is coming in',
    standsFor: 'what is about to be replaced is not written',
    tests: ['core/server/member/member-loop'],
    changes: [
      [
        'core/server/member/member-loop.ts',
        'if (!snapshotter.isDue || snapshotsIn.isReceiving) return;',
        'if (!snapshotter.isDue) return;',
      ],
    ],
  },
  {
    name: 'expired-right-after-a-pause',
    mistake: 'after a pause a leader expires sessions whose packets wait to be read',
    standsFor: 'no session expires whose client has been heard in time',
    tests: ['core/server/member/member-loop'],
    changes: [
      ['core/server/member/member-loop.ts', 'if (!isLate) pipeline.tick(now);', 'pipeline.tick(now);'],
    ],
  },
  {
    name: 'learner-installs-unverified',
    mistake: 'a learner acts upon a snapshot before it was verified',
    standsFor: 'a snapshot replaces nothing before all of it adds up to its digest',
    tests: ['core/server/state/snapshot-refused'],
    changes: [
      [
        'core/server/member/member-loop.ts',
        'if (fault === null) this.#input(() => this.#parts.peer.step(peer, link, message));',
        'if (fault !== undefined) this.#input(() => this.#parts.peer.step(peer, link, message));',
      ],
    ],
  },
  {
    name: 'received-snapshot-not-read-back',
    mistake: 'a received snapshot replaces the history without having been read back',
    standsFor: 'what is older is removed only after what replaces it was read back',
    tests: ['core/server/state/snapshot-refused'],
    changes: [
      [
        'core/storage/snapshot-store.ts',
        "await this.#readBack({ name: draft, kind: 'snapshot', generation, zxid: header.zxid }, checkContent);",
        "if (!header.standsAlone) await this.#readBack({ name: draft, kind: 'snapshot', generation, zxid: header.zxid }, checkContent);",
      ],
    ],
  },
  {
    name: 'replaced-directory-unnoticed',
    mistake:
      'a new log file is written without a look whether the directory is still the one that was locked',
    standsFor: 'what is acknowledged is where the next start finds it',
    tests: ['core/server/member/directory-replaced'],
    changes: [
      [
        'core/storage/node-disk.ts',
        'await this.#inPlace(() => syncDescriptor(descriptor));\n    await this.verifyPlace();',
        'await this.#inPlace(() => syncDescriptor(descriptor));',
      ],
    ],
  },
  {
    name: 'replaced-directory-not-looked-at',
    mistake: 'a member without writes does not notice that its directory was replaced',
    standsFor: 'a data directory that was removed or replaced stops the member at once',
    tests: ['core/server/member/directory-replaced'],
    changes: [['core/server/member/member-loop.ts', 'directory.tick(now);', '']],
  },
];
