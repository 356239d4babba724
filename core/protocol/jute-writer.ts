import { nodeBuffer } from './node-buffer.js';
import type { BytesToWrite } from './requests.js';

const NOTHING = new Uint8Array(0);
const NO_VIEW = new DataView(NOTHING.buffer);
const MAX_CHUNK_BYTES = 65_536;
/** What is left of a chunk below this is not worth keeping; above the other bound it is too much for a writer at rest. */
const MIN_USEFUL_BYTES = 64;
/** Up to this length a loop over the characters beats the call into the engine. */
const SHORT_TEXT = 48;
const TWO_POW_32 = 4_294_967_296;

/** A fast call of Node's. */
interface LatinBytes extends Uint8Array {
  latin1Write(text: string, at: number): number;
}

const encoder = new TextEncoder();

/**
 * Writes jute: big-endian numbers, strings and buffers behind their length, vectors behind their count.
 *
 * Packets are written one behind the other; `take` hands all of them over as one array that the writer never
 * touches again, and goes on behind it in the same chunk of memory. So a payload is copied once, into the
 * message that leaves.
 */
export class JuteWriter {
  private chunkBytes: number;
  private bytes: Uint8Array = NOTHING;
  private view: DataView = NO_VIEW;
  /** Where the bytes not taken yet begin, and where they end. */
  private start = 0;
  private end = 0;

  /** `chunkBytes`: what is allocated at first; later chunks grow with what is written, up to 64 KiB. */
  constructor(chunkBytes = 512) {
    this.chunkBytes = chunkBytes;
  }

  /** Bytes written since the last `take`. */
  get length(): number {
    return this.end - this.start;
  }

  writeBool(value: boolean): void {
    const at = this.reserve(1);
    this.bytes[at] = value ? 1 : 0;
  }

  writeInt(value: number): void {
    const at = this.reserve(4);
    this.view.setInt32(at, value);
  }

  writeLong(value: bigint): void {
    const at = this.reserve(8);
    this.view.setBigInt64(at, value);
  }

  /** A long that is known to be a safe integer: times, durations. */
  writeNumberAsLong(value: number): void {
    const at = this.reserve(8);
    this.view.setInt32(at, Math.floor(value / TWO_POW_32));
    this.view.setInt32(at + 4, value);
  }

  writeString(value: string | null): void {
    if (value === null) return this.writeInt(-1);
    if (value.length <= SHORT_TEXT) this.writeShortText(value);
    else this.writeText(value);
  }

  /** Null and empty are different things on the wire. */
  writeBuffer(value: BytesToWrite | null): void {
    if (value === null) return this.writeInt(-1);
    this.writeInt(value.length);
    if (typeof value === 'string') this.writeByteText(value);
    else this.writeBytes(value);
  }

  /** Text with one byte per character, without a length. */
  private writeByteText(value: string): void {
    const at = this.reserve(value.length);
    // Only Node's Buffer makes such text, and there every chunk is one.
    (this.bytes as LatinBytes).latin1Write(value, at);
  }

  /** Bytes as they are, without a length. */
  writeBytes(value: Uint8Array): void {
    const at = this.reserve(value.length);
    this.bytes.set(value, at);
  }

  /** Number of elements of the vector whose elements follow. */
  writeCount(count: number): void {
    this.writeInt(count);
  }

  /** Leaves room for a packet's length; the result is for `endPacket`. */
  startPacket(): number {
    return this.reserve(4) - this.start;
  }

  /** Fills in the length of the packet begun at `packet`. */
  endPacket(packet: number): void {
    this.view.setInt32(this.start + packet, this.length - packet - 4);
  }

  /** Takes back everything written behind `length`: a packet that could not be finished. */
  truncate(length: number): void {
    this.end = Math.min(this.end, this.start + length);
  }

  /** Hands over what was written. The caller owns it; the writer starts anew behind it. */
  take(): Uint8Array {
    const taken = this.bytes.subarray(this.start, this.end);
    this.start = this.end;
    const left = this.bytes.length - this.end;
    if (left < MIN_USEFUL_BYTES || left > MAX_CHUNK_BYTES) this.forgetChunk();
    return taken;
  }

  private writeShortText(value: string): void {
    const at = this.reserve(4 + value.length);
    const { bytes } = this;
    for (let index = 0; index < value.length; index++) {
      const unit = value.charCodeAt(index);
      if (unit > 0x7f) {
        this.end = at;
        return this.writeText(value);
      }
      bytes[at + 4 + index] = unit;
    }
    this.view.setInt32(at, value.length);
  }

  private writeText(value: string): void {
    // A UTF-16 code unit never takes more than three bytes of UTF-8.
    const at = this.reserve(4 + value.length * 3);
    const written = encodeInto(value, this.bytes, at + 4);
    this.view.setInt32(at, written);
    this.end = at + 4 + written;
  }

  /** Claims `count` bytes and says where they begin. */
  private reserve(count: number): number {
    const at = this.end;
    if (at + count <= this.bytes.length) {
      this.end = at + count;
      return at;
    }
    this.grow(count);
    this.end += count;
    return this.end - count;
  }

  private grow(count: number): void {
    const { length } = this;
    let capacity = this.chunkBytes;
    while (capacity < length + count) capacity *= 2;
    this.chunkBytes = Math.min(Math.max(capacity, this.chunkBytes * 2), MAX_CHUNK_BYTES);
    const grown = allocate(capacity);
    grown.set(this.bytes.subarray(this.start, this.end));
    this.bytes = grown;
    this.view = new DataView(grown.buffer, grown.byteOffset, grown.byteLength);
    this.start = 0;
    this.end = length;
  }

  private forgetChunk(): void {
    this.bytes = NOTHING;
    this.view = NO_VIEW;
    this.start = 0;
    this.end = 0;
  }
}

function allocate(bytes: number): Uint8Array {
  // Uninitialised memory is safe here: only bytes that were written are ever handed over.
  return nodeBuffer === undefined ? new Uint8Array(bytes) : nodeBuffer.allocUnsafeSlow(bytes);
}

function encodeInto(text: string, target: Uint8Array, at: number): number {
  if (nodeBuffer !== undefined) return (target as Buffer).write(text, at, 'utf8');
  return encoder.encodeInto(text, target.subarray(at)).written;
}
