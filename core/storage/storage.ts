/** One record of the transaction log: the payload is opaque here. */
export interface LogEntry {
  readonly zxid: bigint;
  readonly payload: Uint8Array;
}

/** The last zxid of each epoch in a history, oldest epoch first, from its very beginning. */
export type EpochTable = readonly { readonly epoch: number; readonly lastZxid: bigint }[];

/**
 * Why a voter of an ensemble of several cannot be counted until its ensemble has taken it back. *new*: there was nothing
 * in its directory at all, or it was an observer · *damaged*: what was there is lost, wholly or in part · *diverged*: what is there differs from
 * what a quorum has · *founding*: it counts, but does not know yet whether every voter of its new ensemble does.
 */
export type Rejoining = 'new' | 'damaged' | 'diverged' | 'founding';

/** What has to be made durable together; the parts take effect in this order. */
export interface PersistBatch {
  /** The highest epoch this member has promised. */
  readonly acceptedEpoch?: number;
  /** Whether this member has to rejoin from now on; null if it need not any more. */
  readonly rejoining?: Rejoining | null;
  /** Every entry behind this zxid is removed from the log. */
  readonly truncateAfter?: bigint;
  /** Appended in order; each the successor of the one before. */
  readonly entries?: readonly LogEntry[];
}

/** A snapshot that verified completely. */
export interface StoredSnapshot {
  readonly zxid: bigint;
  readonly epochs: EpochTable;
  /** Its content in order, in pieces of the storage's choosing. */
  read(): AsyncIterable<Uint8Array>;
}

/**
 * Reads the content of a snapshot in order, to its end; rejects if it is not the state at `zxid`. The checksums of each piece
 * have been verified by then. A `StorageError` passes through as it is; anything else is damage to the file.
 */
export type ContentCheck = (
  content: AsyncIterable<Uint8Array>,
  header: { readonly zxid: bigint },
) => Promise<void>;

export interface RecoveredState {
  readonly acceptedEpoch: number;
  /** As it was last made durable; null if that never happened, which is so if `isNew`. */
  readonly rejoining: Rejoining | null;
  /**
   * Entries behind the last one and up to this zxid may have been acknowledged, and are gone: the end of the log is ambiguous. Null
   * if there are none.
   */
  readonly mayHold: bigint | null;
  /** The newest snapshot that verifies and that the log reaches back to; null if there is none. */
  readonly snapshot: StoredSnapshot | null;
  /** Of the whole history: the snapshot's, and the entries behind it. */
  readonly epochs: EpochTable;
  /** Every durable entry behind the snapshot, in order. */
  readonly entries: readonly LogEntry[];
  /** Random, made with the directory; a copy of the directory has the same. In hexadecimal. */
  readonly directoryId: string;
  /** True when the data directory held nothing at all, not even that it need not rejoin. */
  readonly isNew: boolean;
}

/**
 * Durable state of one member. One owner, one process. Calls take effect in the order in which they are
 * made. A failed write or sync stops the storage for good: every later call rejects with the same
 * `StorageError`, because after a failed sync nobody knows what the disk holds.
 */
export interface Storage {
  /**
   * Reads and repairs what is there; to be called once, first. Uses the newest snapshot that `checkContent` accepts and from which
   * the log leads to the end; without `checkContent` only checksums are verified. Rejects with `CorruptionError` on damage that must
   * not be guessed around.
   */
  recover(checkContent?: ContentCheck): Promise<RecoveredState>;
  /** Resolves when the batch is durable. Batches handed over while a sync is under way share the next one (group commit). */
  persist(batch: PersistBatch): Promise<void>;
  /**
   * Records apart from the log how far it is durable, unless that is recorded already. To be called once in a while, at least
   * every tick: what was appended last cannot be told from an append that was never acknowledged before that.
   */
  proveEnd(): Promise<void>;
  /** The durable entries behind `after`, oldest first, as many as fit in `maxBytes` (at least one if there is any); null if the log no longer reaches back that far. */
  readEntries(after: bigint, maxBytes: number): Promise<readonly LogEntry[] | null>;
  /**
   * Writes a snapshot of the state at `zxid`, beside running appends. It is synced, read back, and verified by `checkContent`; only
   * then it counts, and old snapshots and log segments are purged. Rejects with `SnapshotPostponedError` if the system lacks space or
   * descriptors, and with `SnapshotReadBackError` if what was read back is not what was to be written: the history is as before, and
   * the storage goes on. Any other failure stops it.
   */
  writeSnapshot(
    zxid: bigint,
    epochs: EpochTable,
    content: AsyncIterable<Uint8Array>,
    checkContent?: ContentCheck,
  ): Promise<void>;
  /** Replaces the whole history by a snapshot received from a leader: staged, read back, verified, then switched in one step together with an emptied log. */
  installSnapshot(
    zxid: bigint,
    epochs: EpochTable,
    content: AsyncIterable<Uint8Array>,
    checkContent?: ContentCheck,
  ): Promise<void>;
  /** Rejects with `DataDirectoryReplacedError`, and the storage has stopped, if the data directory is not at its place any more. */
  verifyPlace(): Promise<void>;
  /** Waits for what is under way, then releases the files. Idempotent. */
  close(): Promise<void>;
}
