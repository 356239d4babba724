import type { Directory } from './disk.js';
import { fileName, parseFileName, temporaryName, type HistoryFile } from './file-name.js';
import { verifySnapshot, writeSnapshotFile, type SnapshotHeader } from './snapshot-file.js';
import { CorruptionError, isShortage, SnapshotReadBackError, toStorageError } from './storage-error.js';
import type { ContentCheck } from './storage.js';
import { reportingUnreadableBlocks } from './unreadable-blocks.js';

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
   * Writes the snapshot under its temporary name, syncs it, reads it back and has it verified. On any failure nothing stays
   * behind; the error is a `SnapshotFailure`.
   */
  async stage(
    generation: number,
    header: SnapshotHeader,
    content: AsyncIterable<Uint8Array>,
    checkContent?: ContentCheck,
  ): Promise<StagedSnapshot> {
    const name = fileName('snapshot', generation, header.zxid);
    const draft = temporaryName(name);
    try {
      await writeSnapshotFile(this.#directory, draft, {
        header,
        directoryId: this.#directoryId,
        content: markingFailures(content),
      });
      await this.#readBack({ name: draft, kind: 'snapshot', generation, zxid: header.zxid }, checkContent);
    } catch (error) {
      await this.#directory.remove(draft).catch(() => undefined);
      throw this.#explain(error, name);
    }
    return { draft, name };
  }

  /**
   * Gives a staged snapshot its name, durably: from here on it counts. If there is no descriptor to sync the directory by, the
   * snapshot goes again, for its name might not survive a crash.
   */
  async publish({ draft, name }: StagedSnapshot): Promise<void> {
    const isNew = this.#files.every((other) => other.name !== name);
    try {
      await this.#directory.rename(draft, name);
      await this.#directory.syncDirectory();
    } catch (error) {
      if (isShortage(error) && isNew) {
        await this.#directory.remove(name).catch(() => this.#directory.remove(draft).catch(() => undefined));
        throw this.#explain(error, name);
      }
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

  /** An unreadable block, too, means that what was written is not there. */
  async #readBack(file: HistoryFile, checkContent: ContentCheck | undefined): Promise<void> {
    try {
      await verifySnapshot(reportingUnreadableBlocks(this.#directory), file, this.#directoryId, checkContent);
    } catch (error) {
      if (!(error instanceof CorruptionError)) throw error;
      const { location } = this.#directory;
      const reason = String(error.fields.reason);
      throw new SnapshotReadBackError({ location, file: file.name, reason, cause: error });
    }
  }

  #explain(error: unknown, file: string): SnapshotFailure {
    if (error instanceof ContentFailure) return new SnapshotFailure(error.cause, 'content');
    if (error instanceof SnapshotReadBackError) return new SnapshotFailure(error, 'readBack');
    const reason = toStorageError(error, { location: this.#directory.location, doing: 'writing', file });
    return new SnapshotFailure(reason, isShortage(error) ? 'shortage' : 'disk');
  }
}

export interface StagedSnapshot {
  readonly draft: string;
  readonly name: string;
}

/**
 * `reason` is what went wrong. *content*: whoever gives the content broke off · *shortage*: no space or descriptors ·
 * *readBack*: what was written is not what was to be written · *disk*: any other refusal of the disk, which leaves open what it holds.
 */
export class SnapshotFailure extends Error {
  readonly reason: unknown;
  readonly kind: 'content' | 'shortage' | 'readBack' | 'disk';

  constructor(reason: unknown, kind: SnapshotFailure['kind']) {
    super('the snapshot could not be staged');
    this.reason = reason;
    this.kind = kind;
  }
}

async function* markingFailures(content: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void> {
  try {
    yield* content;
  } catch (error) {
    throw new ContentFailure('the content ended in an error', { cause: error });
  }
}
