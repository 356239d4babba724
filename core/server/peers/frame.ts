/**
 * Messages of one turn leave together, in frames of about this size; a larger message is cut into several, so that neither
 * heartbeats nor the other end's memory depend on how large a message can be.
 */
export const FRAME_BYTES = 1024 * 1024;
/** The largest frame there is. */
export const MAX_FRAME_BYTES = FRAME_BYTES + 16;

const LENGTH_BYTES = 4;
const Kind = { messages: 0, part: 1, lastPart: 2 } as const;
/** More than any message takes. */
const MAX_MESSAGE_BYTES = 1024 * 1024 * 1024;

/** Takes messages from `next` for one frame, at least one: each behind its length. None of them is larger than `FRAME_BYTES`. */
export function joinFrame(next: () => Uint8Array | undefined, take: () => void): Uint8Array {
  const messages: Uint8Array[] = [];
  let bytes = 1;
  for (let message = next(); message !== undefined; message = next()) {
    const more = LENGTH_BYTES + message.length;
    if (messages.length > 0 && bytes + more > FRAME_BYTES) break;
    bytes += more;
    messages.push(message);
    take();
  }
  const frame = Buffer.allocUnsafeSlow(bytes);
  frame[0] = Kind.messages;
  let at = 1;
  for (const message of messages) {
    at = frame.writeUInt32BE(message.length, at);
    frame.set(message, at);
    at += message.length;
  }
  return frame;
}

/** The part of a message that is too large for one frame which begins at `from`. */
export function partFrame(
  message: Uint8Array,
  from: number,
): { readonly frame: Uint8Array; readonly next: number } {
  const next = Math.min(from + FRAME_BYTES, message.length);
  const frame = Buffer.allocUnsafeSlow(1 + next - from);
  frame[0] = next === message.length ? Kind.lastPart : Kind.part;
  frame.set(message.subarray(from, next), 1);
  return { frame, next };
}

/** Puts the messages of one link together again. */
export class FrameReader {
  #parts: Uint8Array[] = [];
  #partBytes = 0;

  /** The messages that are complete now, as views where they can be; null if the bytes are no frame. Nothing of all is a sign of life. */
  read(frame: Uint8Array): readonly Uint8Array[] | null {
    if (frame.length === 0) return [];
    const kind = frame[0];
    if (kind === Kind.messages) return split(frame);
    if (kind !== Kind.part && kind !== Kind.lastPart) return null;
    this.#parts.push(frame.subarray(1));
    this.#partBytes += frame.length - 1;
    if (this.#partBytes > MAX_MESSAGE_BYTES) return null;
    if (kind === Kind.part) return [];
    const message = Buffer.concat(this.#parts);
    this.#parts = [];
    this.#partBytes = 0;
    return [message];
  }
}

function split(frame: Uint8Array): readonly Uint8Array[] | null {
  const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength);
  const messages: Uint8Array[] = [];
  for (let at = 1; at < frame.length;) {
    if (frame.length - at < LENGTH_BYTES) return null;
    const length = view.getUint32(at);
    at += LENGTH_BYTES;
    if (length > frame.length - at) return null;
    messages.push(frame.subarray(at, at + length));
    at += length;
  }
  return messages;
}
