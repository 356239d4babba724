import type { Directory } from './disk.js';
import { fileName, parseFileName, temporaryName, type HistoryFile } from './file-name.js';
import { verifySnapshot, writeSnapshotFile, type SnapshotHeader } from './snapshot-file.js';
import { DiskFullError, toStorageError } from './storage-error.js';

/** Thrown by whoever gives the content, not by the disk. */
class ContentFailure extends Error {}

/** The snapshots of one directory: written under another name, verified, then switched in. */
export class SnapshotStore {
  readonly #directory: Directory;
  readonly #directoryId: Uint8Array;
  #files: HistoryFile[];

  constructor(directory: Directory, directoryId: Uint8Array, files: readonly HistoryFile[]) {
    this.#directory = directory;
    this.#directoryId = directoryId;
    this.#files = [...files];
  }

  /** zxid of the newest one; 0n without any. */
  get newestZxid(): bigint {
    return this.#files.at(-1)?.zxid ?? 0n;
  }

  /**
   * Writes the snapshot under its temporary name, synced and read back. On any failure nothing stays behind:
   * an error of `content` comes out as it is, a full disk as `DiskFullError`, both with `isHarmless` set.
   */
  async stage(
    generation: number,
    header: SnapshotHeader,
    content: AsyncIterable<Uint8Array>,
  ): Promise<StagedSnapshot> {
    const name = fileName('snapshot', generation, header.zxid);
    const draft = temporaryName(name);
    try {
      await writeSnapshotFile(this.#directory, draft, {
        header,
        directoryId: this.#directoryId,
        content: markingFailures(content),
      });
      await verifySnapshot(
        this.#directory,
        { name: draft, kind: 'snapshot', generation, zxid: header.zxid },
        this.#directoryId,
      );
    } catch (error) {
      await this.#directory.remove(draft).catch(() => undefined);
      throw this.#explain(error, name);
    }
    return { draft, name };
  }

  /** Gives a staged snapshot its name, durably: from here on it counts. */
  async publish({ draft, name }: StagedSnapshot): Promise<void> {
    try {
      await this.#directory.rename(draft, name);
      await this.#directory.syncDirectory();
    } catch (error) {
      throw toStorageError(error, { location: this.#directory.location, doing: 'switching to', file: name });
    }
    const file = parseFileName(name)!;
    this.#files = [...this.#files.filter((other) => other.name !== name), file];
  }

  /** Removes all but the newest `kept`; returns the zxid of the oldest that stays, null while there are fewer than that. */
  async purge(kept: number): Promise<bigint | null> {
    while (this.#files.length > kept) await this.#directory.remove(this.#files.shift()!.name);
    return this.#files.length < kept ? null : this.#files[0]!.zxid;
  }

  /** Forgets and removes every snapshot of an older generation. */
  async removeOlderThan(generation: number): Promise<void> {
    const old = this.#files.filter((file) => file.generation < generation);
    this.#files = this.#files.filter((file) => file.generation >= generation);
    for (const file of old) await this.#directory.remove(file.name);
  }

  #explain(error: unknown, file: string): SnapshotFailure {
    if (error instanceof ContentFailure) return new SnapshotFailure(error.cause, true);
    const reason = toStorageError(error, { location: this.#directory.location, doing: 'writing', file });
    return new SnapshotFailure(reason, reason instanceof DiskFullError);
  }
}

export interface StagedSnapshot {
  readonly draft: string;
  readonly name: string;
}

/** `reason` is what the caller should see; `isHarmless` says that nothing durable is in doubt. */
export class SnapshotFailure extends Error {
  readonly reason: unknown;
  readonly isHarmless: boolean;

  constructor(reason: unknown, isHarmless: boolean) {
    super('the snapshot could not be staged');
    this.reason = reason;
    this.isHarmless = isHarmless;
  }
}

async function* markingFailures(content: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void> {
  try {
    yield* content;
  } catch (error) {
    throw new ContentFailure('the content ended in an error', { cause: error });
  }
}
