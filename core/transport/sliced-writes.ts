/* oxlint-disable no-underscore-dangle -- Node gives these names to what implements a stream */
import type { Writable } from 'node:stream';

/** What is given to a socket at once: under TLS that takes about 0.4 ms to encrypt. */
export const SLICE_BYTES = 256 * 1024;

interface Piece {
  readonly chunk: Uint8Array;
  readonly encoding: BufferEncoding;
}

/**
 * Makes a stream pass on what is written to it in slices, each in a turn of its own: a TLS socket encrypts all that it is given at once, and
 * a reply of many MiB would hold the turn. What fits a slice is passed on as before. Order, callbacks and `writableLength` stay as they are.
 * To be called before anything is written.
 */
export function sliceWrites(stream: Writable): void {
  const write = stream._write.bind(stream);
  const writeMany = stream._writev?.bind(stream);
  const passOn = ({ chunk, encoding }: Piece, done: (error?: Error | null) => void): void => {
    let at = 0;
    const next = (): void => {
      const slice = chunk.subarray(at, at + SLICE_BYTES);
      at += slice.length;
      write(slice, encoding, (error) => {
        if (error != null || at >= chunk.length) done(error);
        else setImmediate(next);
      });
    };
    next();
  };
  stream._write = (chunk: Uint8Array | string, encoding, done) => {
    if (typeof chunk === 'string' || chunk.length <= SLICE_BYTES) write(chunk, encoding, done);
    else passOn({ chunk, encoding }, done);
  };
  if (writeMany === undefined) return;
  stream._writev = (pieces, done) => {
    const next = (from: number): void => {
      const to = endOfSlice(pieces, from);
      const after = (error?: Error | null): void => {
        if (error != null || to >= pieces.length) done(error);
        else setImmediate(next, to);
      };
      const { chunk, encoding } = pieces[from]!;
      if (to === from + 1) stream._write(chunk, encoding, after);
      // As it came, if it is one slice: Node marks arrays that have only buffers.
      else if (to - from === pieces.length) writeMany(pieces, after);
      else writeMany(pieces.slice(from, to), after);
    };
    next(0);
  };
}

/** Behind the last of the pieces that fit into one slice with that at `from`. */
function endOfSlice(pieces: readonly { readonly chunk: Uint8Array | string }[], from: number): number {
  let to = from + 1;
  for (let bytes = pieces[from]!.chunk.length; to < pieces.length; to++) {
    bytes += pieces[to]!.chunk.length;
    if (bytes > SLICE_BYTES) break;
  }
  return to;
}
