import { EPOCH_MAX } from './zxid.js';

/** Bytes that are no peer message, or not a whole one. The link that brought them is to be closed. */
export class PeerMessageError extends Error {
  readonly code = 'ZAB_MESSAGE';

  constructor(what: string, offset: number) {
    super(`not a peer message: ${what} at byte ${offset}`);
    this.name = 'PeerMessageError';
  }
}

/** Reads what `ByteWriter` wrote; throws `PeerMessageError` where that ends or makes no sense. Byte strings are views, not copies. */
export class ByteReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #offset = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get remaining(): number {
    return this.#bytes.length - this.#offset;
  }

  byte(): number {
    this.#need(1);
    return this.#bytes[this.#offset++]!;
  }

  flag(): boolean {
    const value = this.byte();
    if (value > 1) this.fail(`a flag of ${value}`);
    return value === 1;
  }

  count(): number {
    let value = 0;
    for (let factor = 1, byte = 0x80; byte >= 0x80; factor *= 0x80) {
      if (factor > Number.MAX_SAFE_INTEGER) this.fail('a number out of range');
      byte = this.byte();
      value += (byte & 0x7f) * factor;
      if (value > Number.MAX_SAFE_INTEGER || (byte === 0 && factor > 1)) this.fail('a number out of range');
    }
    return value;
  }

  epoch(): number {
    const value = this.count();
    return value > EPOCH_MAX ? this.fail(`an epoch of ${value}`) : value;
  }

  zxid(): bigint {
    this.#need(8);
    const value = this.#view.getBigUint64(this.#offset);
    this.#offset += 8;
    return value;
  }

  bytes(): Uint8Array {
    const length = this.count();
    this.#need(length);
    this.#offset += length;
    return this.#bytes.subarray(this.#offset - length, this.#offset);
  }

  /** As many items as were announced, provided that so many of at least `minBytes` each can follow. */
  list<T>(minBytes: number, read: () => T): T[] {
    const length = this.count();
    if (length * minBytes > this.remaining) this.fail(`a list of ${length}`);
    const items: T[] = [];
    for (let index = 0; index < length; index++) items.push(read());
    return items;
  }

  end(): void {
    if (this.remaining > 0) this.fail(`${this.remaining} bytes too many`);
  }

  fail(what: string): never {
    throw new PeerMessageError(what, this.#offset);
  }

  #need(count: number): void {
    if (count > this.remaining) this.fail(`${count} bytes missing`);
  }
}
