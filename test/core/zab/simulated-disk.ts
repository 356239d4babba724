import type {
  Entry,
  EpochTable,
  PersistRequest,
  Rejoining,
  RestoredHistory,
} from '../../../core/zab/index.js';

/** The replicated state of the simulation: how much was applied, and a hash over all of it. */
export interface AppliedState {
  readonly zxid: bigint;
  readonly count: number;
  readonly hash: number;
}

export const NOTHING_APPLIED: AppliedState = { zxid: 0n, count: 0, hash: 17 };

interface StoredSnapshot {
  readonly state: AppliedState;
  readonly epochs: EpochTable;
}

export interface StagedSnapshot {
  readonly zxid: bigint;
  readonly epochs: EpochTable;
  readonly state: AppliedState;
}

type Operation =
  | { readonly type: 'epoch'; readonly epoch: number }
  | { readonly type: 'rejoining'; readonly rejoining: Rejoining | null }
  | { readonly type: 'truncate'; readonly after: bigint }
  | { readonly type: 'append'; readonly entry: Entry }
  | { readonly type: 'install'; readonly snapshot: StagedSnapshot };

/** What may go wrong with a durable image, as seen by whoever checks the invariants. */
export interface DiskWatcher {
  appended(entry: Entry, previous: bigint): void;
  truncated(removed: readonly Entry[]): void;
}

/** A disk with its two images: what is durable, and the operations that a crash may still undo. */
export class SimulatedDisk {
  acceptedEpoch = 0;
  rejoining: Rejoining | null = null;
  snapshot: StoredSnapshot = { state: NOTHING_APPLIED, epochs: [] };
  /** The entries behind `logBase`; it reaches back behind the snapshot. */
  log: Entry[] = [];
  logBase = 0n;
  readonly #watcher: DiskWatcher;
  #pending: { readonly number: number; readonly operations: readonly Operation[] }[] = [];

  constructor(watcher: DiskWatcher) {
    this.#watcher = watcher;
  }

  get last(): bigint {
    return this.log.at(-1)?.zxid ?? this.snapshot.state.zxid;
  }

  get hasPending(): boolean {
    return this.#pending.length > 0;
  }

  write(request: PersistRequest, staged: StagedSnapshot | null): void {
    const operations: Operation[] = [];
    if (staged !== null) operations.push({ type: 'install', snapshot: staged });
    if (request.acceptedEpoch !== undefined) operations.push({ type: 'epoch', epoch: request.acceptedEpoch });
    if (request.rejoining !== undefined) operations.push({ type: 'rejoining', rejoining: request.rejoining });
    if (request.truncateAfter !== undefined)
      operations.push({ type: 'truncate', after: request.truncateAfter });
    for (const entry of request.entries) operations.push({ type: 'append', entry });
    this.#pending.push({ number: request.number, operations });
  }

  /** Makes the oldest `batches` durable; returns the number of the last, and the snapshot among them if there is one. */
  sync(batches: number): { readonly number: number; readonly installed: StagedSnapshot | null } | null {
    const synced = this.#pending.splice(0, batches);
    const operations = synced.flatMap((batch) => batch.operations);
    for (const operation of operations) this.#apply(operation);
    const last = synced.at(-1);
    if (last === undefined) return null;
    const install = operations.findLast((operation) => operation.type === 'install');
    return { number: last.number, installed: install?.snapshot ?? null };
  }

  /** Loses what was not synced, but for the first `kept` operations, which had reached the platter by chance. */
  crash(kept: number): void {
    const operations = this.#pending.flatMap((batch) => batch.operations);
    this.#pending = [];
    for (const operation of operations.slice(0, kept)) this.#apply(operation);
  }

  get pendingOperations(): number {
    return this.#pending.reduce((sum, { operations }) => sum + operations.length, 0);
  }

  saveSnapshot(state: AppliedState, epochs: EpochTable): void {
    this.snapshot = { state, epochs };
  }

  /** Everything is gone: the next start finds nothing. */
  wipe(): void {
    this.acceptedEpoch = 0;
    this.rejoining = 'new';
    this.snapshot = { state: NOTHING_APPLIED, epochs: [] };
    this.log = [];
    this.logBase = 0n;
    this.#pending = [];
  }

  /** Damage: only the first `kept` entries behind the snapshot can be read, and what was promised may be more than is known. */
  damage(kept: number): void {
    const behind = this.log.filter((entry) => entry.zxid > this.snapshot.state.zxid);
    this.log.length -= behind.length - Math.min(kept, behind.length);
    this.rejoining = 'damaged';
    this.acceptedEpoch = Number(this.last >> 32n);
    this.#pending = [];
  }

  /** Forgets the log up to `zxid`, which a snapshot covers. */
  purge(zxid: bigint): void {
    this.log = this.log.filter((entry) => entry.zxid > zxid);
    if (zxid > this.logBase) this.logBase = zxid;
  }

  read(after: bigint, maxBytes: number): Entry[] | null {
    if (after < this.logBase) return null;
    const entries: Entry[] = [];
    let bytes = 0;
    for (const entry of this.log) {
      if (entry.zxid <= after) continue;
      bytes += entry.payload.length;
      if (bytes > maxBytes && entries.length > 0) break;
      entries.push(entry);
    }
    return entries;
  }

  recover(): RestoredHistory {
    const { state, epochs } = this.snapshot;
    const entries = this.log.filter((entry) => entry.zxid > state.zxid);
    const { acceptedEpoch, rejoining } = this;
    return { acceptedEpoch, snapshotZxid: state.zxid, epochs, entries, rejoining };
  }

  #apply(operation: Operation): void {
    switch (operation.type) {
      case 'epoch':
        this.acceptedEpoch = operation.epoch;
        return;
      case 'rejoining':
        this.rejoining = operation.rejoining;
        return;
      case 'truncate': {
        const removed = this.log.filter((entry) => entry.zxid > operation.after);
        this.log.length -= removed.length;
        this.#watcher.truncated(removed);
        return;
      }
      case 'append':
        this.#watcher.appended(operation.entry, this.last);
        this.log.push(operation.entry);
        return;
      case 'install':
        this.snapshot = { state: operation.snapshot.state, epochs: operation.snapshot.epochs };
        this.log = [];
        this.logBase = operation.snapshot.zxid;
    }
  }
}
