import { link, mkdir, open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { DIRECTORY_ID_BYTES } from '../../core/storage/directory-id.js';
import { withFile, type Directory } from '../../core/storage/disk.js';
import { parseFileName } from '../../core/storage/file-name.js';
import { FileStorage, NodeDisk, type EpochTable, type LogEntry } from '../../core/storage/index.js';
import { readHeader, segmentOf } from '../../core/storage/log-segment.js';
import { SegmentScan } from '../../core/storage/segment-scan.js';
import type { MemberLog } from './history.js';

const COLLECT_MS = 200;
/** Where the id of its directory stands in a file of the log. */
const ID_OFFSET = 40;

/**
 * Keeps every file of the log that a member ever had, also those that it purges: each gets a second name in a directory beside. The
 * bytes of a file stay one and the same, so what the member cuts off is cut off here too.
 */
export class LogArchive implements AsyncDisposable {
  readonly #member: number;
  readonly #data: string;
  readonly #archive: string;
  readonly #kept = new Set<string>();
  readonly #timer: NodeJS.Timeout;
  #collecting: Promise<void> = Promise.resolve();

  private constructor(member: number, data: string) {
    this.#member = member;
    this.#data = data;
    this.#archive = `${data}-archive`;
    this.#timer = setInterval(() => void this.#collect(), COLLECT_MS);
  }

  static async start(member: number, data: string): Promise<LogArchive> {
    const archive = new LogArchive(member, data);
    await mkdir(archive.#archive);
    return archive;
  }

  /** To be called when the member has ended. */
  async read(): Promise<MemberLog> {
    clearInterval(this.#timer);
    await this.#collect();
    const entries = new Map<bigint, LogEntry>();
    const directory = await (await NodeDisk.open(this.#archive)).lock();
    for (const name of await directory.list()) {
      for (const entry of await entriesOf(directory, name)) entries.set(entry.zxid, entry);
    }
    return {
      member: this.#member,
      epochs: await epochsOf(this.#data),
      entries: [...entries.values()].sort((one, other) => (one.zxid < other.zxid ? -1 : 1)),
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer);
    await this.#collecting;
  }

  #collect(): Promise<void> {
    this.#collecting = this.#collecting.then(() => this.#linkNew());
    return this.#collecting;
  }

  async #linkNew(): Promise<void> {
    const names = await readdir(this.#data).catch(() => []);
    for (const name of names) {
      if (this.#kept.has(name) || parseFileName(name)?.kind !== 'log') continue;
      // A file may be purged in this moment.
      const isLinked = await link(join(this.#data, name), join(this.#archive, name)).then(
        () => true,
        () => false,
      );
      if (isLinked) this.#kept.add(name);
    }
  }
}

/** Whole records, up to the end of the file or to the first that is not whole. */
async function entriesOf(directory: Directory, name: string): Promise<LogEntry[]> {
  const found = parseFileName(name);
  if (found?.kind !== 'log') return [];
  const id = await directoryIdOf(join(directory.location, name));
  const reading = await readHeader(directory, found, id);
  if (reading.type === 'damaged') throw new Error(`${name} in ${directory.location}: ${reading.reason}`);
  const { start } = segmentOf(name, reading.header);
  const entries: LogEntry[] = [];
  await withFile(directory, name, 'read', async (file) => {
    const scan = new SegmentScan(file, { from: start, limit: await file.size(), salt: crc32(id) });
    for (let next = await scan.next(); next !== null; next = await scan.next()) entries.push(...next);
  });
  return entries;
}

async function directoryIdOf(path: string): Promise<Buffer> {
  const file = await open(path, 'r');
  try {
    const id = Buffer.alloc(DIRECTORY_ID_BYTES);
    await file.read(id, 0, id.length, ID_OFFSET);
    return id;
  } finally {
    await file.close();
  }
}

async function epochsOf(data: string): Promise<EpochTable> {
  const storage = await FileStorage.open({ disk: await NodeDisk.open(data) });
  try {
    return (await storage.recover()).epochs;
  } finally {
    await storage.close();
  }
}
