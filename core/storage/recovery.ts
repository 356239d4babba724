import { silentLogger, type Logger } from '../runtime/index.js';
import { writeIdentity, type DirectoryContent } from './data-directory.js';
import { readExactly, withFile, type Directory, type DiskFile } from './disk.js';
import { epochOf, EpochTableBuilder } from './epoch-table.js';
import { damagedName, EPOCH_FILE, LOG_END_FILE, type HistoryFile } from './file-name.js';
import { keepTail } from './cut-tail.js';
import { writePromises, type Promises } from './epoch-file.js';
import { createLogEnd, LogEndWriter, type LogEnd } from './log-end.js';
import { LogRecovery, type Tail } from './log-recovery.js';
import type { Segment } from './log-segment.js';
import { verifySnapshot, type SnapshotHeader } from './snapshot-file.js';
import { CorruptionError } from './storage-error.js';
import { reportingUnreadableBlocks } from './unreadable-blocks.js';
import type { ContentCheck, EpochTable, LogEntry } from './storage.js';
import type { LogState } from './transaction-log.js';

/** Of a file, so much is read and written again at a time. */
const REWRITE_BYTES = 1024 * 1024;

/** A history that has been read, verified, repaired and synced. */
export interface RecoveredHistory {
  readonly log: LogState;
  /** With what the end of the log adds to them. */
  readonly promises: Promises;
  readonly snapshot: { readonly file: HistoryFile; readonly header: SnapshotHeader } | null;
  /** Of the newest generation that may serve as a fallback, oldest first. */
  readonly snapshots: readonly HistoryFile[];
  readonly epochs: EpochTable;
  /** Behind the snapshot, in order. Kept from the one time that the log is read, for whoever recovers needs all of them in memory. */
  readonly entries: readonly LogEntry[];
}

/**
 * Reads the history of a directory. What a crash can leave behind is repaired: a torn or ambiguous end of the last segment
 * is cut, a segment that was never used goes, a half-written file goes. What a crash cannot explain is damage:
 * `CorruptionError`, and nothing on the disk has been changed. Writes what is known of the end of the log into `end-of-log`, and
 * makes a directory of version 0.1.0 one of the current format.
 */
export async function recoverHistory(
  directory: Directory,
  content: DirectoryContent,
  options: { readonly logger: Logger; readonly checkContent?: ContentCheck | undefined },
): Promise<RecoveredHistory> {
  return new Recovery(directory, content, options).run();
}

/** Reads and verifies it in the same way, and changes nothing: says what recovery would cut off. Rejects with `CorruptionError`. */
export async function checkHistory(
  directory: Directory,
  content: DirectoryContent,
  checkContent?: ContentCheck,
): Promise<TornTail | null> {
  return new Recovery(directory, content, { logger: silentLogger, checkContent }).check();
}

/** The entries behind the newest snapshot that verifies, in order; changes nothing. Rejects with `CorruptionError`. */
export async function readEntries(
  directory: Directory,
  content: DirectoryContent,
): Promise<readonly LogEntry[]> {
  return new Recovery(directory, content, { logger: silentLogger }).entries();
}

/** What stands behind the last whole record, where nothing shows that it was ever acknowledged. */
export interface TornTail {
  readonly file: string;
  readonly offset: number;
  readonly bytes: number;
  readonly reason: string;
  /** The last entry of what may have been acknowledged; null if nothing shows that the sync returned, or ever began. */
  readonly mayHold: bigint | null;
}

class Recovery {
  readonly #directory: Directory;
  readonly #content: DirectoryContent;
  readonly #logger: Logger;
  readonly #checkContent: ContentCheck | undefined;
  readonly #removals: string[];
  readonly #damagedSnapshots: { readonly file: HistoryFile; readonly error: CorruptionError }[] = [];
  readonly #log: LogRecovery;

  constructor(
    directory: Directory,
    content: DirectoryContent,
    options: { readonly logger: Logger; readonly checkContent?: ContentCheck | undefined },
  ) {
    this.#directory = reportingUnreadableBlocks(directory);
    this.#content = content;
    this.#logger = options.logger;
    this.#checkContent = options.checkContent;
    this.#removals = [...content.leftovers];
    this.#log = new LogRecovery(this.#directory, content);
  }

  async run(): Promise<RecoveredHistory> {
    const { history, used } = await this.#examine();
    const promises = await this.#promise(used.at(-1)?.end.zxid ?? history.snapshot?.header.zxid ?? 0n);
    const repaired = await this.#repair(used, history.snapshot?.header.zxid ?? 0n);
    const { generation } = this.#content;
    const floor = used[0]?.start.zxid ?? history.snapshot?.header.zxid ?? 0n;
    return { ...history, promises, log: { generation, floor, segments: used, ...repaired } };
  }

  async check(): Promise<TornTail | null> {
    await this.#examine();
    const { tail } = this.#log;
    if (tail === null || tail.verdict.type === 'complete') return null;
    const { segment, bytes, verdict } = tail;
    const mayHold = verdict.type === 'ambiguous' ? verdict.mayHold : null;
    return { file: segment.name, offset: segment.end.offset, bytes, reason: verdict.reason, mayHold };
  }

  async entries(): Promise<readonly LogEntry[]> {
    return (await this.#examine()).history.entries;
  }

  async #examine(): Promise<{
    readonly history: Omit<RecoveredHistory, 'log' | 'promises'>;
    readonly used: readonly Segment[];
  }> {
    const snapshot = await this.#chooseSnapshot();
    const base = snapshot?.header.zxid ?? 0n;
    const segments = await this.#log.readSegments(base);
    this.#requireReach(segments, snapshot);
    const epochs = new EpochTableBuilder(snapshot?.header.epochs);
    for (const segment of segments) {
      const isLast = segment === segments.at(-1);
      if (isLast || segment.end.zxid > base) await this.#log.scan(segment, { isLast, base, epochs });
    }
    const used = this.#withoutUnusedSegment(segments);
    this.#requireNothingLost(used.at(-1)?.end.zxid ?? base);
    const history = {
      snapshot,
      snapshots: this.#content.snapshots.filter(
        (file) => !this.#damagedSnapshots.some((damaged) => damaged.file === file),
      ),
      epochs: epochs.table(),
      entries: this.#log.entries,
    };
    return { history, used };
  }

  /** The newest that verifies; damaged ones are remembered. */
  async #chooseSnapshot(): Promise<RecoveredHistory['snapshot']> {
    for (const file of [...this.#content.snapshots].reverse()) {
      try {
        const { id } = this.#content.identity;
        return { file, header: await verifySnapshot(this.#directory, file, id, this.#checkContent) };
      } catch (error) {
        if (!(error instanceof CorruptionError)) throw error;
        const { reason, offset } = error.fields;
        this.#logger.warn('Snapshot is damaged; an older one is tried', { file: file.name, offset, reason });
        this.#damagedSnapshots.push({ file, error });
      }
    }
    return null;
  }

  /** The log must continue the snapshot, or the beginning of history, without a gap. */
  #requireReach(segments: readonly Segment[], snapshot: RecoveredHistory['snapshot']): void {
    const base = snapshot?.header.zxid ?? 0n;
    const first = segments[0];
    if (first !== undefined && first.start.zxid > base) {
      const reach = `the log begins behind 0x${first.start.zxid.toString(16)}, and no snapshot that verifies reaches up to there`;
      throw this.#snapshotDamage(reach) ?? this.#damage(first.name, 0, reach);
    }
    const newest = this.#content.snapshots.at(-1);
    if (first !== undefined || newest === undefined) return;
    const needsNoLog = snapshot?.file === newest && snapshot.header.standsAlone;
    if (needsNoLog) return;
    if (snapshot?.file === newest)
      throw this.#damage(newest.name, 0, 'the log that belongs to it is missing');
    throw this.#snapshotDamage('no log leads from an older snapshot to where it was')!;
  }

  /** What is wrong with the newest damaged snapshot, and why that matters; null if none is damaged. */
  #snapshotDamage(consequence: string): CorruptionError | null {
    const newest = this.#damagedSnapshots[0];
    if (newest === undefined) return null;
    const { offset, reason } = newest.error.fields as { offset?: number; reason: string };
    return this.#damage(newest.file.name, offset, `${reason}; ${consequence}`);
  }

  /** A segment is started just before its first record is written: one without records holds nothing. */
  #withoutUnusedSegment(segments: readonly Segment[]): readonly Segment[] {
    const last = segments.at(-1);
    return last === undefined || last.end !== last.start ? segments : segments.slice(0, -1);
  }

  /** What snapshots and promises prove to have been there is there. */
  #requireNothingLost(lastZxid: bigint): void {
    const newest = this.#content.snapshots.at(-1);
    if (newest !== undefined && newest.zxid > lastZxid) {
      throw this.#damage(
        newest.name,
        0,
        `the log ends at 0x${lastZxid.toString(16)}, before the snapshot, and so has lost its end`,
      );
    }
    const { end, promises } = this.#content;
    if (end !== null && end.zxid > lastZxid) {
      const reached = `it says that the history reaches 0x${end.zxid.toString(16)}`;
      throw this.#damage(LOG_END_FILE, undefined, `${reached}, and it ends at 0x${lastZxid.toString(16)}`);
    }
    const { acceptedEpoch } = promises;
    if (epochOf(lastZxid) > acceptedEpoch) {
      throw this.#damage(
        EPOCH_FILE,
        0,
        `it promises epoch ${acceptedEpoch} while the history reaches epoch ${epochOf(lastZxid)}: it is an old copy`,
      );
    }
  }

  /** What this member may have acknowledged and does not hold is recorded before the traces of it are cut. */
  async #promise(lastZxid: bigint): Promise<Promises> {
    const { promises, end } = this.#content;
    const mayHold = mayHoldOf(this.#log.tail, this.#content, lastZxid);
    if (mayHold === null || mayHold <= lastZxid || mayHold <= (promises.mayHold ?? 0n)) return promises;
    const changed = { ...promises, mayHold };
    await writePromises(this.#directory, changed);
    const fields = { behind: hex(lastZxid), upTo: end === null ? null : hex(mayHold) };
    this.#logger.warn('The end of the log may have been acknowledged; it is unknown whether it was', fields);
    return changed;
  }

  /** Nothing that was found may be promised before it is durable: it may have been read from a cache that a dead process left behind. */
  async #repair(
    segments: readonly Segment[],
    base: bigint,
  ): Promise<{ readonly allocatedBytes: number; readonly proven: LogEnd }> {
    const { tail } = this.#log;
    const last = segments.at(-1);
    if (tail !== null && tail.verdict.type !== 'complete') await this.#setTailAside(tail);
    for (const segment of segments) {
      await withFile(this.#directory, segment.name, 'write', async (file) => {
        if (tail?.segment === segment) await this.#rewriteUnproven(file, tail);
        await file.sync();
      });
    }
    await this.#directory.syncDirectory();
    const isCut = tail?.segment === last && tail?.verdict.type !== 'complete';
    const allocatedBytes = last === undefined ? 0 : isCut ? last.end.offset : await this.#sizeOf(last);
    const proven = await this.#claim(last, allocatedBytes, base);
    if (isCut && last !== undefined) await this.#cut(last);
    await this.#clean(tail?.segment === last ? null : (tail?.segment.name ?? null));
    return { allocatedBytes, proven };
  }

  /** Records what is durable now, before anything is cut or removed that was claimed to be there. */
  async #claim(last: Segment | undefined, allocatedBytes: number, base: bigint): Promise<LogEnd> {
    const { generation, identity, end } = this.#content;
    const proven: LogEnd = {
      generation,
      zxid: last?.end.zxid ?? base,
      newest: last === undefined ? null : { firstZxid: last.firstZxid, allocatedBytes, position: last.end },
      // What an interrupted switch has left is removed later.
      ...(end?.isSwitching === true ? { isSwitching: true } : {}),
    };
    if (end !== null) await new LogEndWriter(this.#directory, identity.id).write(proven);
    else {
      await createLogEnd(this.#directory, identity.id, proven);
      await writeIdentity(this.#directory, { id: identity.id, owner: identity.owner });
    }
    return proven;
  }

  async #setTailAside({ segment, bytes, verdict }: Tail): Promise<void> {
    const { offset } = segment.end;
    const keptAs = bytes === 0 ? null : await keepTail(this.#directory, segment.name, { offset, bytes });
    const reason = verdict.type === 'complete' ? '' : verdict.reason;
    const fields = { file: segment.name, offset, bytes, reason, keptAs };
    if (verdict.type === 'torn')
      this.#logger.warn('Cut an incomplete end off the log; nothing shows that its sync returned', fields);
    else if (bytes > 0) this.#logger.warn('Cut an unreadable end off the log', fields);
  }

  /**
   * Writes once more what does not prove to have been synced: if its sync failed and that ended the process,
   * the system may hold them in memory as if they had been written, and report success for every later sync. Written again,
   * they make the next sync a true one.
   */
  async #rewriteUnproven(file: DiskFile, { segment, syncedTo, provenBytes, fileBytes }: Tail): Promise<void> {
    const { offset } = segment.end;
    await rewrite(file, Math.max(segment.start.offset, syncedTo), offset);
    // The room behind the records too: its size is about to be recorded.
    await rewrite(file, Math.max(offset, provenBytes), fileBytes);
  }

  #cut(segment: Segment): Promise<void> {
    return withFile(this.#directory, segment.name, 'write', async (file) => {
      await file.truncate(segment.end.offset);
      await file.sync();
    });
  }

  /** `unused`: a segment without a record. */
  async #clean(unused: string | null): Promise<void> {
    const names = new Set(await this.#directory.list());
    const candidates = [...this.#removals, ...this.#log.unused, ...(unused === null ? [] : [unused])];
    // What recovery itself has replaced since is gone already.
    const removals = candidates.filter((name) => names.has(name));
    const damaged = [
      ...this.#damagedSnapshots.map(({ file }) => file.name),
      ...this.#log.superseded,
      ...this.#content.strays,
    ];
    for (const name of this.#log.superseded)
      this.#logger.warn('A log file is damaged or leads nowhere; a snapshot covers it', { file: name });
    for (const name of this.#content.strays)
      this.#logger.warn('A file belongs to no generation of this directory; it is set aside', { file: name });
    for (const name of removals) await this.#directory.remove(name);
    for (const name of damaged) await this.#directory.rename(name, damagedName(name));
    if (removals.length + damaged.length > 0) await this.#directory.syncDirectory();
  }

  #sizeOf({ name }: Segment): Promise<number> {
    return withFile(this.#directory, name, 'read', (file) => file.size());
  }

  #damage(file: string, offset: number | undefined, reason: string): CorruptionError {
    const place = offset === undefined ? {} : { offset };
    return new CorruptionError({ location: this.#directory.location, file, reason, ...place });
  }
}

async function rewrite(file: DiskFile, from: number, to: number): Promise<void> {
  for (let at = from; at < to; at += REWRITE_BYTES) {
    const bytes = await readExactly(file, at, Math.min(REWRITE_BYTES, to - at));
    if (bytes !== null) await file.write(at, bytes);
  }
}

/** The zxid up to which entries may have been acknowledged that are not there; null if it is known that there are none. */
function mayHoldOf(tail: Tail | null, { end, promises }: DirectoryContent, lastZxid: bigint): bigint | null {
  if (tail?.verdict.type === 'ambiguous') return tail.verdict.mayHold;
  // Version 0.1.0 recorded nowhere that a log had begun.
  const isUnknown = tail === null && end === null && promises.acceptedEpoch > 0;
  return isUnknown
    ? (BigInt(Math.max(promises.acceptedEpoch, epochOf(lastZxid))) << 32n) | 0xffffffffn
    : null;
}

function hex(zxid: bigint): string {
  return `0x${zxid.toString(16)}`;
}
