import { Fifo } from '../../runtime/index.js';

/** Pieces of bytes that are read in their own time, once, by one reader; ends in order or with an error. */
export class ByteQueue implements AsyncIterable<Uint8Array> {
  readonly #pieces = new Fifo<Uint8Array>();
  #bytes = 0;
  #end: { readonly error: Error | null } | null = null;
  #arrived: (() => void) | null = null;

  /** Pushed and not read yet. */
  get bytes(): number {
    return this.#bytes;
  }

  push(piece: Uint8Array): void {
    this.#pieces.push(piece);
    this.#bytes += piece.length;
    this.#wake();
  }

  end(): void {
    this.#end ??= { error: null };
    this.#wake();
  }

  fail(error: Error): void {
    this.#end ??= { error };
    this.#wake();
  }

  async *[Symbol.asyncIterator](): AsyncIterator<Uint8Array> {
    for (;;) {
      if (this.#end?.error != null) throw this.#end.error;
      const piece = this.#pieces.shift();
      if (piece !== undefined) {
        this.#bytes -= piece.length;
        yield piece;
      } else if (this.#end !== null) return;
      else await new Promise<void>((resolve) => (this.#arrived = resolve));
    }
  }

  #wake(): void {
    this.#arrived?.();
    this.#arrived = null;
  }
}
