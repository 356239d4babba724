import type { LogEntry, PersistBatch, RecoveredState, Storage } from '../../../core/storage/index.js';
import { epochOf } from '../../../core/zab/index.js';
import type { LogChain } from './log-chain.js';
import { check, hex, type Referee } from './referee.js';

/** What a member finds on its disk. */
export type Found = Pick<RecoveredState, 'acceptedEpoch' | 'rejoining' | 'isNew' | 'entries' | 'mayHold'> & {
  readonly snapshot: { readonly zxid: bigint } | null;
};

/**
 * What was done to a disk since it was last read.
 * - sound: nothing;
 * - unreadable: its files are whole, but reads of them fail or have failed: the member may take them for damaged;
 * - damaged: files were changed, removed, emptied or renamed;
 * - wiped: all files are gone;
 * - old: the files are those of an earlier time, and nothing on them tells. The disk stays so until somebody says that it is not.
 */
export type Harm = 'sound' | 'unreadable' | 'damaged' | 'wiped' | 'old';

/**
 * What a member's disk must hold: what its storage has said to be durable. Lives as long as the disk, through all
 * starts of the member, and compares at each what is found with what was promised. Whatever was done to the disk, a member that
 * comes back without rejoining has everything that was durable. The one exception is what was appended last and nothing proved yet,
 * if the member says that it may have lost that. A member whose disk is sound does not rejoin.
 */
export class DiskImage {
  readonly #member: string;
  readonly #referee: Referee;
  readonly #chain: LogChain;
  readonly #delivered: (zxid: bigint) => boolean;
  readonly #changed: () => void;
  readonly #isVoter: boolean;
  acceptedEpoch = 0;
  snapshotZxid = 0n;
  /** Whether the disk says that this member remembers everything that it promised and acknowledged. */
  #isFull = false;
  #entries: LogEntry[] = [];
  #zxids = new Set<bigint>();
  /** Was durable on a disk that is lost. */
  readonly #lost = new Set<bigint>();
  /** Newest snapshot of a disk that is lost. */
  #lostSnapshotZxid = 0n;
  /** Cut off for good, and not written again since. */
  readonly #cut = new Set<bigint>();
  /** Something apart from these entries shows that they were durable: a later group, `end-of-log`, or a start that has read them. */
  #proven = 0n;
  /** Of these, what `end-of-log` itself says. */
  #recorded = 0n;
  /** Up to there the member says that it may have acknowledged entries that are gone. */
  #mayHold = 0n;
  /** Asked for and not confirmed: may have taken effect when the member dies. */
  #truncating: bigint | null = null;
  #installing: bigint | null = null;
  #accepting = 0;
  #isRejoiningAsked = false;
  /** Where the log was cut back to last. */
  #cutTo: bigint | null = null;
  #harm: Harm = 'sound';
  /** So often something was done to the disk. */
  #harms = 0;

  /** `delivered`: whether the entry has been delivered anywhere; `changed` is called when the disk holds or counts for something else. */
  constructor(parts: {
    readonly member: string;
    readonly referee: Referee;
    readonly chain: LogChain;
    readonly delivered: (zxid: bigint) => boolean;
    readonly changed?: () => void;
    readonly isVoter?: boolean;
  }) {
    this.#member = parts.member;
    this.#referee = parts.referee;
    this.#chain = parts.chain;
    this.#delivered = parts.delivered;
    this.#changed = parts.changed ?? ((): void => undefined);
    this.#isVoter = parts.isVoter ?? true;
  }

  /** Whether a quorum may rely on this disk: a voter's that is sound and says that it remembers everything. */
  get isCounted(): boolean {
    return this.#isVoter && this.#isFull && (this.#harm === 'sound' || this.#harm === 'unreadable');
  }

  get harm(): Harm {
    return this.#harm;
  }

  set harm(harm: Harm) {
    this.#harm = harm;
    this.#harms += 1;
  }

  /** Of the last durable entry. */
  get last(): bigint {
    return this.#entries.at(-1)?.zxid ?? this.snapshotZxid;
  }

  /** `end-of-log` says of everything durable that it is there. */
  get isEndRecorded(): boolean {
    return this.#recorded === this.last;
  }

  /**
   * Whether a quorum that includes this voter could elect a leader without the entry. Where the member says that it may have lost the
   * entry, it counts only for a leader that has it.
   */
  couldElectWithout(zxid: bigint): boolean {
    return this.isCounted && !this.has(zxid) && zxid > this.#mayHold;
  }

  has(zxid: bigint): boolean {
    return zxid <= this.snapshotZxid || this.#zxids.has(zxid);
  }

  /** Whether it was durable here once. A lost disk is no copy, but it does not take back an acknowledgement that was sent before. */
  hasHeld(zxid: bigint): boolean {
    return this.has(zxid) || this.#hasLost(zxid);
  }

  /** A member that counts again holds every delivered entry that it held on the disk it lost. */
  checkNotForgotten(zxid: bigint): void {
    check(
      !this.couldElectWithout(zxid) || !this.#hasLost(zxid),
      () => `${this.#member} counts again, but lacks ${hex(zxid)}, which its lost disk held`,
    );
  }

  /** The same storage, looked at. What is not a `Storage` calls `begun`, `persisted` and so on itself. */
  observe(storage: Storage): Storage {
    return {
      recover: async (checkContent) => {
        const harms = this.#harms;
        const state = await storage.recover(checkContent);
        this.recovered(state, harms === this.#harms);
        return state;
      },
      persist: async (batch) => {
        const { last } = this;
        this.begun(batch);
        await storage.persist(batch);
        this.#referee.watch(() => this.persisted(batch, last));
      },
      proveEnd: async () => {
        const { last } = this;
        await storage.proveEnd();
        this.#proven = this.#recorded = last;
      },
      readEntries: (after, maxBytes) => storage.readEntries(after, maxBytes),
      writeSnapshot: (zxid, epochs, content, check) => storage.writeSnapshot(zxid, epochs, content, check),
      installSnapshot: async (zxid, epochs, content, check) => {
        this.installing(zxid);
        await storage.installSnapshot(zxid, epochs, content, check);
        this.#referee.watch(() => this.installed(zxid));
      },
      verifyPlace: () => storage.verifyPlace(),
      close: () => storage.close(),
    };
  }

  /** The batch is asked for. */
  begun({ truncateAfter, acceptedEpoch, rejoining, entries = [] }: PersistBatch): void {
    if (rejoining !== undefined) this.#isRejoiningAsked = true;
    for (const { zxid } of entries) this.#cut.delete(zxid);
    if (truncateAfter !== undefined) this.#truncating = truncateAfter;
    if (acceptedEpoch !== undefined) this.#accepting = acceptedEpoch;
  }

  /** The batch is durable. `before`: what was durable when it was asked for. */
  persisted({ acceptedEpoch, rejoining, truncateAfter, entries = [] }: PersistBatch, before: bigint): void {
    if (acceptedEpoch !== undefined) {
      check(acceptedEpoch >= this.acceptedEpoch, () => `${this.#member} takes back a promise`);
      this.acceptedEpoch = acceptedEpoch;
    }
    if (rejoining !== undefined) {
      this.#isRejoiningAsked = false;
      this.#count(rejoining === null);
    }
    if (truncateAfter !== undefined) {
      this.#truncate(truncateAfter);
      this.#cutTo = truncateAfter;
      this.#truncating = null;
      this.#proven = this.#recorded = this.last;
    } else if (entries.length > 0 && before > this.#proven) {
      this.#proven = before;
    }
    for (const entry of entries) this.#append(entry);
    check(
      epochOf(this.last) <= this.acceptedEpoch,
      () => `${this.#member} has entries of epoch ${epochOf(this.last)}, but promised ${this.acceptedEpoch}`,
    );
    this.#changed();
  }

  #truncate(after: bigint): void {
    check(after >= this.snapshotZxid, () => `${this.#member} cuts its log in front of its snapshot`);
    while (this.#entries.length > 0 && this.#entries.at(-1)!.zxid > after) {
      const { zxid } = this.#entries.pop()!;
      this.#zxids.delete(zxid);
      this.#cut.add(zxid);
      check(!this.#delivered(zxid), () => `${this.#member} cuts ${hex(zxid)}, which was delivered`);
    }
  }

  #append(entry: LogEntry): void {
    this.#chain.appended(this.#member, entry, this.last);
    this.#entries.push(entry);
    this.#zxids.add(entry.zxid);
  }

  /** A snapshot at that zxid is asked for. */
  installing(zxid: bigint): void {
    this.#installing = zxid;
  }

  /** The snapshot has taken the place of the history. */
  installed(zxid: bigint): void {
    this.#installing = null;
    this.#proven = this.#recorded = this.snapshotZxid = zxid;
    this.#entries = [];
    this.#zxids.clear();
    this.#changed();
  }

  /** What a member finds when it starts must hold all that it was told to be durable. `isAsRead`: nothing was done to the disk meanwhile. */
  recovered(state: Found, isAsRead = true): void {
    const { entries } = state;
    this.#referee.watch(() => this.#compare(state, entries));
    this.acceptedEpoch = state.acceptedEpoch;
    if (this.#harm !== 'sound') this.#lose();
    this.#mayHold = state.mayHold ?? 0n;
    // What was done while it was being read is still to be found.
    const isPassing = this.#harm !== 'unreadable' && this.#harm !== 'old';
    if (isAsRead && isPassing) this.#harm = 'sound';
    this.#begin(state.snapshot?.zxid ?? 0n, entries);
    this.#referee.watch(() => this.#count(state.rejoining === null && !state.isNew));
    this.#referee.watch(this.#changed);
  }

  #lose(): void {
    for (const zxid of this.#zxids) this.#lost.add(zxid);
    if (this.snapshotZxid > this.#lostSnapshotZxid) this.#lostSnapshotZxid = this.snapshotZxid;
  }

  #hasLost(zxid: bigint): boolean {
    return zxid <= this.#lostSnapshotZxid || this.#lost.has(zxid);
  }

  #count(isFull: boolean): void {
    const isBack = isFull && !this.#isFull;
    this.#isFull = isFull;
    if (!isBack) return;
    this.checkNotForgotten(this.#lostSnapshotZxid);
    for (const zxid of this.#lost) if (this.#delivered(zxid)) this.checkNotForgotten(zxid);
  }

  #compare(state: Found, entries: readonly LogEntry[]): void {
    if (this.#harm === 'old') return;
    const { acceptedEpoch, isNew, mayHold } = state;
    // An observer never counts, whatever its disk holds.
    const isCounted = state.rejoining === null || state.rejoining === 'founding';
    const remembers = !isNew && (this.#isVoter ? isCounted : this.#harm === 'sound');
    if (!remembers) return this.#compareForgetful(state);
    const found = entries.at(-1)?.zxid ?? state.snapshot?.zxid ?? 0n;
    const isInstalled = this.#installing !== null && state.snapshot?.zxid === this.#installing;
    const promised = this.#truncating !== null && this.#truncating < this.last ? this.#truncating : this.last;
    const isFound = isInstalled || found >= promised;
    const isUnsure = this.#harm !== 'sound' && found >= this.#proven && (mayHold ?? 0n) >= promised;
    check(
      isFound || isUnsure,
      () =>
        `${this.#member} finds a history up to ${hex(found)}, ${hex(promised)} was durable, and it does not rejoin`,
    );
    const back = entries.find(({ zxid }) => this.#cut.has(zxid));
    check(back === undefined, () => `${this.#member} finds ${hex(back!.zxid)} again, which was cut off`);
    check(
      acceptedEpoch === this.acceptedEpoch || acceptedEpoch === this.#accepting,
      () =>
        `${this.#member} finds the promise of ${acceptedEpoch}, it had made that of ${this.acceptedEpoch}`,
    );
  }

  /** Of a member that says that it may have forgotten something. */
  #compareForgetful({ isNew }: Found): void {
    // What was cut off the end may stand behind it again, in blocks that were not synced when the power failed.
    const isCutBack = this.#truncating !== null || this.#cutTo === this.last;
    const hadReason = this.#harm !== 'sound' || !this.#isFull || this.#isRejoiningAsked || isCutBack;
    check(hadReason, () => `${this.#member} rejoins, though nothing has happened to its disk`);
    const isBlank = this.#harm === 'wiped' || (this.last === 0n && this.acceptedEpoch === 0);
    check(
      !isNew || isBlank,
      () => `${this.#member} takes its disk, which held ${hex(this.last)}, for a new one`,
    );
  }

  #begin(snapshotZxid: bigint, entries: readonly LogEntry[]): void {
    this.#installing = this.#truncating = null;
    this.#isRejoiningAsked = false;
    this.snapshotZxid = snapshotZxid;
    this.#entries = [];
    this.#zxids.clear();
    this.#referee.watch(() => {
      for (const entry of entries) this.#append(entry);
    });
    this.#proven = this.#recorded = this.last;
  }
}
