/**
 * Data of a znode as they are kept. A million znodes with a few bytes each are the usual case, and an array of bytes
 * takes several hundred bytes of bookkeeping before its first one. So short data are kept as a string with one
 * byte per character, which takes sixteen; long data as an array.
 */
export type StoredData = Uint8Array | string | null;

/** Up to this length an array's bookkeeping weighs more than turning it into a string and back. */
export const MAX_PACKED_BYTES = 4096;

/** Fast calls of Node's that work on any array of bytes. */
interface LatinBytes {
  readonly latin1Slice: (this: Uint8Array, from: number, to: number) => string;
  readonly latin1Write: (this: Uint8Array, text: string) => number;
}

/** Node's, where there is one: elsewhere data stay arrays. */
const nodeBuffer = (globalThis as { readonly Buffer?: typeof Buffer }).Buffer;
const latinBytes = nodeBuffer?.prototype as LatinBytes | undefined;
const latin1Slice = latinBytes?.latin1Slice;
const latin1Write = latinBytes?.latin1Write;

const NO_BYTES = new Uint8Array(0);

/**
 * The result shares no memory with a buffer that is much larger than the data, such as a batch from the network,
 * which would otherwise stay alive with it. Long data may be kept as they are: nobody may change those bytes later.
 */
export function storeData(data: Uint8Array | null): StoredData {
  return data === null ? null : storeRange(data, 0, data.length);
}

/** The same of a part of `bytes`. */
export function storeRange(bytes: Uint8Array, from: number, to: number): StoredData {
  const length = to - from;
  if (length === 0) return NO_BYTES;
  if (length <= MAX_PACKED_BYTES && latin1Slice !== undefined) return latin1Slice.call(bytes, from, to);
  const data = length === bytes.length ? bytes : bytes.subarray(from, to);
  return data.buffer.byteLength <= 2 * length ? data : new Uint8Array(data);
}

export function loadData(stored: StoredData): Uint8Array | null {
  if (typeof stored !== 'string') return stored;
  // Only what is a string was made by this Buffer.
  return nodeBuffer!.from(stored, 'latin1');
}

/** Writes to the front of `into` the bytes that `storeData` keeps as a string. */
export function copyPacked(packed: string, into: Uint8Array): void {
  // Only what is a string was made by this Buffer.
  latin1Write!.call(into, packed);
}
