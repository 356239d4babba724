import type { EpochTable } from './epoch-table.js';
import type { Entry, Rejoining } from './peer-config.js';
import type { PersistRequest } from './ready.js';
import { invariant } from './zab-error.js';

interface Batch {
  number: number;
  installSnapshot?: { install: number; zxid: bigint; epochs: EpochTable };
  acceptedEpoch?: number;
  rejoining?: Rejoining | null;
  truncateAfter?: bigint;
  entries: Entry[];
}

interface InFlight {
  readonly batch: Batch;
  readonly sinceMs: number;
}

interface Confirmed {
  readonly hasAdvanced: boolean;
  /** Of a snapshot that has now taken the place of the history. */
  readonly installedZxid: bigint | null;
}

/**
 * What was asked of the disk and what it has confirmed. Nobody sends a promise before asking here whether
 * what it promises is durable: that is how `Ready` can be carried out in any order.
 */
export class DiskQueue {
  #pending: Batch[] = [];
  readonly #inFlight: InFlight[] = [];
  #nextNumber = 1;
  #durableZxid: bigint;
  #durableAcceptedEpoch: number;
  #acceptedEpoch: number;
  #confirmedMs = 0;
  /** Why this member does not count; a reason holds at once, an admission when it is durable. */
  #rejoining: Rejoining | null;
  /** The same, with what is on its way to the disk. */
  #nextRejoining: Rejoining | null;

  constructor(durable: {
    readonly zxid: bigint;
    readonly acceptedEpoch: number;
    readonly rejoining: Rejoining | null;
  }) {
    this.#rejoining = durable.rejoining;
    this.#nextRejoining = durable.rejoining;
    this.#durableZxid = durable.zxid;
    this.#durableAcceptedEpoch = durable.acceptedEpoch;
    this.#acceptedEpoch = durable.acceptedEpoch;
  }

  /** The last entry that survives a crash now. */
  get durableZxid(): bigint {
    return this.#durableZxid;
  }

  /** The highest epoch promised, durable or on its way to the disk. */
  get acceptedEpoch(): number {
    return this.#acceptedEpoch;
  }

  get durableAcceptedEpoch(): number {
    return this.#durableAcceptedEpoch;
  }

  get rejoining(): Rejoining | null {
    return this.#rejoining;
  }

  /** The disk says that this member does not count. */
  get isRejoining(): boolean {
    return !isCounted(this.#rejoining);
  }

  /** Nothing waits and nothing is under way: memory and disk agree. */
  get isIdle(): boolean {
    return this.#pending.length === 0 && this.#inFlight.length === 0;
  }

  /** A received snapshot has not taken the place of the history yet. */
  get isInstalling(): boolean {
    const installs = ({ installSnapshot }: Batch): boolean => installSnapshot !== undefined;
    return this.#pending.some(installs) || this.#inFlight.some(({ batch }) => installs(batch));
  }

  /**
   * Since when the disk has owed a confirmation; null if it owes none. Each confirmation starts the time anew: a disk that
   * makes one batch after another durable is slow under much work, and not stuck.
   */
  get owesSinceMs(): number | null {
    const oldest = this.#inFlight[0];
    return oldest === undefined ? null : Math.max(oldest.sinceMs, this.#confirmedMs);
  }

  saveAcceptedEpoch(epoch: number): void {
    invariant(epoch > this.#acceptedEpoch, 'a promised epoch only grows', {
      epoch,
      acceptedEpoch: this.#acceptedEpoch,
    });
    this.#acceptedEpoch = epoch;
    this.#open().acceptedEpoch = epoch;
  }

  /** From when this is durable, the member counts. `isFounded`: every voter is known to count, or to have counted. */
  readmit(isFounded: boolean): void {
    if (!isCounted(this.#nextRejoining)) this.#admit(isFounded ? null : 'founding');
    else if (isFounded) this.noteFounded();
  }

  /**
   * Every voter of the ensemble counts, or has counted: a member that counts takes part in no founding any more. One whose directory
   * was empty, and that does not count, has lost its disk.
   */
  noteFounded(): void {
    if (this.#nextRejoining === 'founding') this.#admit(null);
    else if (this.#nextRejoining === 'new') this.rejoin('damaged');
  }

  /** The member cannot be counted from now on, whether that is durable yet or not. */
  rejoin(cause: Rejoining): void {
    this.#rejoining = cause;
    this.#nextRejoining = cause;
    this.#open().rejoining = cause;
  }

  append(entry: Entry): void {
    this.#open().entries.push(entry);
  }

  /** Only while idle otherwise: the confirmation of an older append must not count for what stood behind the cut. */
  truncateAfter(zxid: bigint): void {
    invariant(this.isIdle, 'a log is cut only when nothing is under way', { zxid });
    this.#durableZxid = zxid;
    this.#open().truncateAfter = zxid;
  }

  /** The received snapshot takes the place of the whole log. */
  installSnapshot(snapshot: { install: number; zxid: bigint; epochs: EpochTable }): void {
    invariant(this.isIdle, 'a snapshot is installed only when nothing else is under way', {
      zxid: snapshot.zxid,
    });
    this.#pending.push({ number: 0, installSnapshot: snapshot, entries: [] });
  }

  /** The next batch to hand out, or null. */
  take(nowMs: number): PersistRequest | null {
    const batch = this.#pending.shift();
    if (batch === undefined) return null;
    batch.number = this.#nextNumber;
    this.#nextNumber += 1;
    this.#inFlight.push({ batch, sinceMs: nowMs });
    return batch;
  }

  /** The disk is not to be used any more. */
  abandon(): void {
    this.#pending = [];
  }

  /** Batch `number` is durable, and with it every one before it; returns what that confirms for the first time. */
  persisted(number: number, nowMs: number): Confirmed {
    invariant(number < this.#nextNumber, 'only a batch that was handed out can be durable', { number });
    let confirmed: Confirmed = { hasAdvanced: false, installedZxid: null };
    for (
      let oldest = this.#inFlight[0];
      oldest !== undefined && oldest.batch.number <= number;
      oldest = this.#inFlight[0]
    ) {
      this.#inFlight.shift();
      this.#confirmedMs = nowMs;
      this.#confirm(oldest.batch);
      const installedZxid = oldest.batch.installSnapshot?.zxid ?? confirmed.installedZxid;
      confirmed = { hasAdvanced: true, installedZxid };
    }
    return confirmed;
  }

  #confirm(batch: Batch): void {
    if (batch.acceptedEpoch !== undefined) this.#durableAcceptedEpoch = batch.acceptedEpoch;
    // An admission on its way does not count any more if something was lost meanwhile.
    if (batch.rejoining !== undefined && isCounted(this.#nextRejoining)) this.#rejoining = batch.rejoining;
    if (batch.installSnapshot !== undefined) this.#durableZxid = batch.installSnapshot.zxid;
    const last = batch.entries.at(-1);
    if (last !== undefined) this.#durableZxid = last.zxid;
  }

  #admit(next: 'founding' | null): void {
    this.#nextRejoining = next;
    this.#open().rejoining = next;
  }

  #open(): Batch {
    let batch = this.#pending.at(-1);
    if (batch === undefined || batch.installSnapshot !== undefined) {
      batch = { number: 0, entries: [] };
      this.#pending.push(batch);
    }
    return batch;
  }
}

function isCounted(rejoining: Rejoining | null): boolean {
  return rejoining === null || rejoining === 'founding';
}
