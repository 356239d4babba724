import type { PersistBatch } from './storage.js';

/** Entries of so many bytes, if they are waiting, go into one write. */
const GROUP_BYTES = 4 * 1024 * 1024;

/** Something that has been asked for and waits for its turn at the disk. */
interface Waiting {
  /** Null for an act that shares nothing with others. */
  readonly batch: PersistBatch | null;
  /** Carries out an act; unused for a batch. */
  run(): Promise<void>;
  resolve(): void;
  reject(error: unknown): void;
}

/**
 * Group commit. What is asked for is carried out in order, one at a time; batches that gather meanwhile and that are
 * nothing but entries are carried out together, and settle together.
 */
export class CommitQueue {
  readonly #commit: (batches: readonly PersistBatch[]) => Promise<void>;
  #waiting: Waiting[] = [];
  #worker: Promise<void> | null = null;

  /** `commit` gets one batch or more, of which only the first has more than entries. */
  constructor(commit: (batches: readonly PersistBatch[]) => Promise<void>) {
    this.#commit = commit;
  }

  /** Settles as the `commit` that it is part of. */
  push(batch: PersistBatch): Promise<void> {
    return this.#enqueue(batch, nothing);
  }

  /** Runs when it is its turn, alone, and settles as it does. */
  pushAct(run: () => Promise<void>): Promise<void> {
    return this.#enqueue(null, run);
  }

  /** Resolves when nothing waits any more. */
  async idle(): Promise<void> {
    await this.#worker;
  }

  #enqueue(batch: PersistBatch | null, run: () => Promise<void>): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ batch, run, resolve, reject });
      this.#worker ??= this.#work();
    });
  }

  async #work(): Promise<void> {
    // What is asked for in the same breath belongs to the same group.
    await Promise.resolve();
    while (this.#waiting.length > 0) {
      const taken = this.#waiting;
      this.#waiting = [];
      for (let next = 0; next < taken.length;) next += await this.#carryOut(taken, next);
    }
    this.#worker = null;
  }

  /** Carries out what stands at `from`, and what can share its sync; returns how many that were. */
  async #carryOut(taken: readonly Waiting[], from: number): Promise<number> {
    const first = taken[from]!;
    const end = first.batch === null ? from + 1 : endOfGroup(taken, from, first.batch);
    const group = taken.slice(from, end);
    try {
      if (first.batch === null) await first.run();
      else await this.#commit(group.map(({ batch }) => batch!));
    } catch (error) {
      for (const waiting of group) waiting.reject(error);
      return group.length;
    }
    for (const waiting of group) waiting.resolve();
    return group.length;
  }
}

function endOfGroup(taken: readonly Waiting[], from: number, first: PersistBatch): number {
  let bytes = payloadBytes(first);
  let end = from + 1;
  for (; end < taken.length && bytes < GROUP_BYTES; end++) {
    const { batch } = taken[end]!;
    if (batch === null || !isEntriesOnly(batch)) break;
    bytes += payloadBytes(batch);
  }
  return end;
}

function isEntriesOnly({ acceptedEpoch, rejoining, truncateAfter }: PersistBatch): boolean {
  return acceptedEpoch === undefined && rejoining === undefined && truncateAfter === undefined;
}

function payloadBytes(batch: PersistBatch): number {
  let bytes = 0;
  for (const entry of batch.entries ?? []) bytes += entry.payload.length;
  return bytes;
}

function nothing(): Promise<void> {
  return Promise.resolve();
}
