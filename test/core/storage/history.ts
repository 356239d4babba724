import { SeededRandom, silentLogger, type LogFields, type Logger } from '../../../core/runtime/index.js';
import {
  FileStorage,
  type Disk,
  type EpochTable,
  type FileStorageOptions,
  type LogEntry,
  type Rejoining,
} from '../../../core/storage/index.js';

/** What the tests write: epoch 1, counters from 0 on, each payload telling its zxid and filled up to its size. */
export function zxid(counter: number, epoch = 1): bigint {
  return (BigInt(epoch) << 32n) | BigInt(counter);
}

export function entry(counter: number, options: { epoch?: number; bytes?: number } = {}): LogEntry {
  const id = zxid(counter, options.epoch);
  const text = counter === 0 ? '' : `entry ${id} `.padEnd(options.bytes ?? 20, '.');
  return { zxid: id, payload: Buffer.from(text) };
}

export function entries(
  first: number,
  count: number,
  options: { epoch?: number; bytes?: number } = {},
): LogEntry[] {
  return Array.from({ length: count }, (_, index) => entry(first + index, options));
}

/** Everything that a storage gives back when it starts, drained. */
export interface Found {
  readonly acceptedEpoch: number;
  readonly rejoining: Rejoining | null;
  readonly isNew: boolean;
  readonly epochs: EpochTable;
  readonly snapshot: { readonly zxid: bigint; readonly epochs: EpochTable; readonly content: string } | null;
  readonly entries: readonly { readonly zxid: bigint; readonly payload: string }[];
}

export type Options = Partial<FileStorageOptions>;

export async function start(
  disk: Disk,
  options: Options = {},
): Promise<{ storage: FileStorage; found: Found }> {
  const storage = await FileStorage.open({
    disk,
    random: new SeededRandom(7),
    segmentBytes: 4096,
    ...options,
  });
  try {
    const state = await storage.recover();
    const { acceptedEpoch, rejoining, isNew, epochs } = state;
    const snapshot = state.snapshot && {
      zxid: state.snapshot.zxid,
      epochs: state.snapshot.epochs,
      content: Buffer.concat(await drain(state.snapshot.read())).toString(),
    };
    const entries = state.entries.map(plain);
    return { storage, found: { acceptedEpoch, rejoining, isNew, epochs, snapshot, entries } };
  } catch (error) {
    await storage.close();
    throw error;
  }
}

/** Starts, and closes again. */
export async function find(disk: Disk, options: Options = {}): Promise<Found> {
  const { storage, found } = await start(disk, options);
  await storage.close();
  return found;
}

export function plain({ zxid, payload }: LogEntry): { zxid: bigint; payload: string } {
  return { zxid, payload: Buffer.from(payload).toString() };
}

export async function drain<T>(items: AsyncIterable<T>): Promise<T[]> {
  const drained: T[] = [];
  for await (const item of items) drained.push(item);
  return drained;
}

export async function* content(...pieces: readonly string[]): AsyncGenerator<Uint8Array> {
  for (const piece of pieces) yield Buffer.from(piece);
}

/** What an act rejects with; fails if it does not. */
export async function rejection(
  act: Promise<unknown>,
): Promise<Error & { code?: string; fields?: LogFields }> {
  const outcome = await act.then(
    () => null,
    (error: unknown) => error as Error,
  );
  if (outcome === null) throw new Error('it should have been rejected');
  return outcome;
}

/** Keeps the warnings and errors that were logged. */
export function recordingLogger(): Logger & { readonly lines: { message: string; fields: LogFields }[] } {
  const lines: { message: string; fields: LogFields }[] = [];
  const note = (message: string, fields: LogFields = {}): void => void lines.push({ message, fields });
  return { ...silentLogger, warn: note, error: note, child: () => recordingLogger(), lines };
}
