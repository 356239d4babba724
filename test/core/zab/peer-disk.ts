import type {
  Entry,
  EpochTable,
  PersistRequest,
  Rejoining,
  RestoredHistory,
} from '../../../core/zab/index.js';
import type { DiskImage } from '../../simulation/checkers/disk-image.js';
import type { ReplicatedState } from '../../simulation/checkers/ghost.js';
import type { Referee } from '../../simulation/checkers/referee.js';

/** What stands for a replicated state: where it is, and a hash over all that was applied. */
export type AppliedState = ReplicatedState;

export const NOTHING_APPLIED: AppliedState = { lastZxid: 0n, digest: 17n };

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

interface Batch {
  readonly request: PersistRequest;
  readonly operations: readonly Operation[];
}

/** What is durable for a peer, and the operations that a crash may still undo. */
export class PeerDisk {
  acceptedEpoch = 0;
  rejoining: Rejoining | null = null;
  snapshot: StoredSnapshot = { state: NOTHING_APPLIED, epochs: [] };
  /** The entries behind `#logBase`. */
  log: Entry[] = [];
  #logBase = 0n;
  readonly #image: DiskImage;
  readonly #referee: Referee;
  #pending: Batch[] = [];

  constructor(image: DiskImage, referee: Referee) {
    this.#image = image;
    this.#referee = referee;
  }

  get last(): bigint {
    return this.log.at(-1)?.zxid ?? this.snapshot.state.lastZxid;
  }

  get hasPending(): boolean {
    return this.#pending.length > 0;
  }

  get pendingOperations(): number {
    return this.#pending.reduce((sum, { operations }) => sum + operations.length, 0);
  }

  write(request: PersistRequest, staged: StagedSnapshot | null): void {
    const operations: Operation[] = [];
    if (staged !== null) operations.push({ type: 'install', snapshot: staged });
    if (request.acceptedEpoch !== undefined) operations.push({ type: 'epoch', epoch: request.acceptedEpoch });
    if (request.rejoining !== undefined) operations.push({ type: 'rejoining', rejoining: request.rejoining });
    if (request.truncateAfter !== undefined)
      operations.push({ type: 'truncate', after: request.truncateAfter });
    for (const entry of request.entries) operations.push({ type: 'append', entry });
    this.#pending.push({ request, operations });
    if (staged === null) this.#image.begun(request);
    else this.#image.installing(staged.zxid);
  }

  /** Makes the oldest `batches` durable; returns the number of the last, and the snapshot among them if there is one. */
  sync(batches: number): { readonly number: number; readonly installed: StagedSnapshot | null } | null {
    let installed: StagedSnapshot | null = null;
    let number: number | null = null;
    for (const { request, operations } of this.#pending.splice(0, batches)) {
      const before = this.#image.last;
      for (const operation of operations) this.#apply(operation);
      const [first] = operations;
      if (first?.type === 'install') installed = first.snapshot;
      this.#referee.watch(() => {
        if (first?.type === 'install') this.#image.installed(first.snapshot.zxid);
        else this.#image.persisted(request, before);
      });
      ({ number } = request);
    }
    return number === null ? null : { number, installed };
  }

  /** Loses what was not synced, but for the first `kept` operations, which had reached the platter by chance. */
  crash(kept: number): void {
    const operations = this.#pending.flatMap((batch) => batch.operations);
    this.#pending = [];
    for (const operation of operations.slice(0, kept)) this.#apply(operation);
  }

  /** Everything is gone: the next start finds nothing. */
  wipe(): void {
    this.acceptedEpoch = 0;
    this.rejoining = 'new';
    this.snapshot = { state: NOTHING_APPLIED, epochs: [] };
    this.log = [];
    this.#logBase = 0n;
    this.#pending = [];
    this.#image.harm = 'wiped';
  }

  /** Damage: only the first `kept` entries behind the snapshot can be read, and what was promised may be more than is known. */
  damage(kept: number): void {
    const behind = this.log.filter((entry) => entry.zxid > this.snapshot.state.lastZxid);
    this.log.length -= behind.length - Math.min(kept, behind.length);
    this.rejoining = 'damaged';
    this.acceptedEpoch = Number(this.last >> 32n);
    this.#pending = [];
    this.#image.harm = 'damaged';
  }

  /** Entries behind that one; null if the log does not reach back so far. */
  read(after: bigint, maxBytes: number): Entry[] | null {
    if (after < this.#logBase) return null;
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
    const { acceptedEpoch, rejoining } = this;
    const entries = this.log.filter((entry) => entry.zxid > state.lastZxid);
    const snapshot = state.lastZxid === 0n ? null : { zxid: state.lastZxid };
    const isNew = rejoining === 'new' && acceptedEpoch === 0 && this.last === 0n;
    this.#image.recovered({ acceptedEpoch, rejoining, isNew, mayHold: null, snapshot, entries });
    return { acceptedEpoch, snapshotZxid: state.lastZxid, epochs, entries, rejoining };
  }

  #apply(operation: Operation): void {
    switch (operation.type) {
      case 'epoch':
        this.acceptedEpoch = operation.epoch;
        return;
      case 'rejoining':
        this.rejoining = operation.rejoining;
        return;
      case 'truncate':
        this.log = this.log.filter((entry) => entry.zxid <= operation.after);
        return;
      case 'append':
        this.log.push(operation.entry);
        return;
      case 'install':
        this.snapshot = { state: operation.snapshot.state, epochs: operation.snapshot.epochs };
        this.log = [];
        this.#logBase = operation.snapshot.zxid;
    }
  }
}
