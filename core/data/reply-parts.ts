import { JuteWriter, LENGTH_BYTES, REPLY_HEADER_BYTES } from '../protocol/index.js';

/** What is written in one piece. */
const PART_BYTES = 64 * 1024;
/** Bytes that are as much work as one name. */
const BYTES_PER_UNIT = 1024;

/** A reply that is written over several turns: in parts, so that no large buffer is copied when it grows. */
export class ReplyParts {
  readonly writer = new JuteWriter();
  #parts: Uint8Array[] = [];
  #taken = 0;
  /** Counts of lists that were not known when the list was begun, with their places. */
  readonly #counts: { readonly at: number; count: number }[] = [];

  /** Size of the reply so far, with its header and without its length. */
  get bytes(): number {
    return REPLY_HEADER_BYTES + this.#written;
  }

  get #written(): number {
    return this.#taken + this.writer.length;
  }

  /** Leaves room for the number of strings that follow; `count` is to be set when they are written. */
  beginList(): { count: number } {
    const list = { at: this.#written, count: 0 };
    this.#counts.push(list);
    this.writer.writeCount(0);
    return list;
  }

  /** To be called between two records now and then. */
  cut(): void {
    if (this.writer.length >= PART_BYTES) this.#take();
  }

  /** The packet, with room for length and header in front. Yields units of work. */
  *assemble(): Generator<number, Uint8Array> {
    this.#take();
    const front = LENGTH_BYTES + REPLY_HEADER_BYTES;
    const packet = new Uint8Array(front + this.#taken);
    let at = front;
    const parts = this.#parts;
    for (let index = 0; index < parts.length; index++) {
      const part = parts[index]!;
      packet.set(part, at);
      at += part.length;
      parts[index] = EMPTY;
      if (index < parts.length - 1) yield 1 + Math.floor(part.length / BYTES_PER_UNIT);
    }
    const view = new DataView(packet.buffer);
    for (const { at: place, count } of this.#counts) view.setInt32(front + place, count);
    return packet;
  }

  #take(): void {
    const part = this.writer.take();
    this.#taken += part.length;
    this.#parts.push(part);
  }
}

const EMPTY = new Uint8Array(0);
