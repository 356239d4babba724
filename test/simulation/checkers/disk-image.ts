import type { LogEntry, PersistBatch, RecoveredState, Storage } from '../../../core/storage/index.js';
import { epochOf } from '../../../core/zab/index.js';
import { check, hex, type Referee } from './referee.js';

/** What a member finds on its disk. */
export type Found = Pick<RecoveredState, 'acceptedEpoch' | 'rejoining' | 'isNew' | 'entries'> & {
  readonly snapshot: { readonly zxid: bigint } | null;
};

/** Keeps for all members together what stands behind what in their logs. */
export class LogChain {
  readonly #entries = new Map<bigint, { readonly previous: bigint; readonly payload: Uint8Array }>();

  /** Log matching: an entry has the same bytes, and the same entry before it, in every log that it is in. */
  appended(member: string, { zxid, payload }: LogEntry, previous: bigint): void {
    check(zxid > previous, () => `${member} has ${hex(zxid)} behind ${hex(previous)}`);
    const known = this.#entries.get(zxid);
    if (known === undefined) {
      this.#entries.set(zxid, { previous, payload });
      return;
    }
    check(
      known.previous === previous,
      () => `${member} has ${hex(zxid)} behind ${hex(previous)}, others behind ${hex(known.previous)}`,
    );
    check(isSameBytes(known.payload, payload), () => `${member} has other bytes at ${hex(zxid)} than others`);
  }
}

/**
 * What a member's disk must hold: what its storage has said to be durable. Lives as long as the disk, through all
 * starts of the member, and compares at each what is found with what was promised.
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
  /** What a later group of records bears witness to, and what two do: damage there cannot be taken for a torn tail. */
  #witnessed = 0n;
  #proven = 0n;
  /** Asked for and not confirmed: may have taken effect when the member dies. */
  #truncating: bigint | null = null;
  #installing: bigint | null = null;
  #accepting = 0;
  /** Somebody has tampered with the disk: nothing can be expected of it until it is read again. */
  isDamaged = false;
  /** The same, until the disk is replaced. */
  isRotten = false;
  /** Reads of the disk fail: what is on it is sound, but a member that starts may take it for damaged, and rejoin. */
  isUnreadable = false;

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
    return this.#isVoter && this.#isFull && !this.isDamaged && !this.isRotten;
  }

  /** Of the last durable entry. */
  get last(): bigint {
    return this.#entries.at(-1)?.zxid ?? this.snapshotZxid;
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
      !this.isCounted || this.has(zxid) || !this.#hasLost(zxid),
      () => `${this.#member} counts again, but lacks ${hex(zxid)}, which its lost disk held`,
    );
  }

  /** The same storage, looked at. What is not a `Storage` calls `begun`, `persisted` and so on itself. */
  observe(storage: Storage): Storage {
    return {
      recover: async (checkContent) => {
        const state = await storage.recover(checkContent);
        this.recovered(state);
        return state;
      },
      persist: async (batch) => {
        const { last } = this;
        this.begun(batch);
        await storage.persist(batch);
        this.#referee.watch(() => this.persisted(batch, last));
      },
      proveEnd: () => storage.proveEnd(),
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
  begun({ truncateAfter, acceptedEpoch, entries = [] }: PersistBatch): void {
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
    if (rejoining !== undefined) this.#count(rejoining === null);
    if (truncateAfter !== undefined) {
      this.#truncate(truncateAfter);
      this.#truncating = null;
      this.#witnessed = this.#proven = 0n;
    } else if (entries.length > 0 && before > this.#witnessed) {
      this.#proven = this.#witnessed;
      this.#witnessed = before;
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
    this.#witnessed = this.#proven = 0n;
    this.snapshotZxid = zxid;
    this.#entries = [];
    this.#zxids.clear();
    this.#changed();
  }

  /** What a member finds when it starts must hold all that it was told to be durable. */
  recovered(state: Found): void {
    const { entries } = state;
    this.#referee.watch(() => this.#compare(state, entries));
    this.acceptedEpoch = state.acceptedEpoch;
    if (this.isDamaged || this.isRotten || this.#isTakenForDamaged(state)) this.#lose();
    this.#begin(state.snapshot?.zxid ?? 0n, entries);
    this.#referee.watch(() => this.#count(state.rejoining === null && !state.isNew));
    this.#referee.watch(this.#changed);
  }

  #isTakenForDamaged({ rejoining }: Found): boolean {
    return this.isUnreadable && rejoining !== null;
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
    const found = entries.at(-1)?.zxid ?? state.snapshot?.zxid ?? 0n;
    if (this.isRotten || this.#isTakenForDamaged(state)) return;
    if (this.isDamaged && (state.isNew || state.rejoining !== null)) return;
    if (this.isDamaged) {
      const message = (): string =>
        `${this.#member} goes on from ${hex(found)} with a damaged log, which had held ${hex(this.#proven)} for sure`;
      return check(found >= this.#proven, message);
    }
    const isInstalled = this.#installing !== null && state.snapshot?.zxid === this.#installing;
    const promised = this.#truncating !== null && this.#truncating < this.last ? this.#truncating : this.last;
    check(
      isInstalled || found >= promised,
      () => `${this.#member} finds a history up to ${hex(found)}, ${hex(promised)} was durable`,
    );
    const back = entries.find(({ zxid }) => this.#cut.has(zxid));
    check(back === undefined, () => `${this.#member} finds ${hex(back!.zxid)} again, which was cut off`);
    const { acceptedEpoch } = state;
    check(
      acceptedEpoch === this.acceptedEpoch || acceptedEpoch === this.#accepting,
      () =>
        `${this.#member} finds the promise of ${acceptedEpoch}, it had made that of ${this.acceptedEpoch}`,
    );
  }

  #begin(snapshotZxid: bigint, entries: readonly LogEntry[]): void {
    this.isDamaged = false;
    this.#installing = this.#truncating = null;
    this.#witnessed = this.#proven = 0n;
    this.snapshotZxid = snapshotZxid;
    this.#entries = [];
    this.#zxids.clear();
    this.#referee.watch(() => {
      for (const entry of entries) this.#append(entry);
    });
  }
}

export function isSameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a === b || Buffer.compare(a, b) === 0;
}
