/**
 * Messages of one turn leave together, in frames of about this size; a larger message is cut into several, so that neither
 * heartbeats nor the other end's memory depend on how large a message can be. A heartbeat waits for the frames that the
 * transport has taken: on a line of 300 kB/s for less than two seconds.
 */
export const FRAME_BYTES = 128 * 1024;
/** The largest frame that is accepted. Version 0.1.0 sends frames of 1 MiB. */
export const MAX_FRAME_BYTES = 1024 * 1024 + 16;

const LENGTH_BYTES = 4;
/** A heartbeat may leave between the parts of another message, so its own parts are of another kind. */
const Kind = { messages: 0, part: 1, lastPart: 2, urgentPart: 3, lastUrgentPart: 4 } as const;
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
  isUrgent: boolean,
): { readonly frame: Uint8Array; readonly next: number } {
  const next = Math.min(from + FRAME_BYTES, message.length);
  const frame = Buffer.allocUnsafeSlow(1 + next - from);
  const isLast = next === message.length;
  if (isUrgent) frame[0] = isLast ? Kind.lastUrgentPart : Kind.urgentPart;
  else frame[0] = isLast ? Kind.lastPart : Kind.part;
  frame.set(message.subarray(from, next), 1);
  return { frame, next };
}

/** The parts of one message that have arrived so far. */
class Assembly {
  #parts: Uint8Array[] = [];
  #bytes = 0;

  /** The messages that are complete now; null if this one is too large. */
  add(part: Uint8Array, isLast: boolean): readonly Uint8Array[] | null {
    this.#parts.push(part);
    this.#bytes += part.length;
    if (this.#bytes > MAX_MESSAGE_BYTES) return null;
    if (!isLast) return [];
    const message = Buffer.concat(this.#parts);
    this.#parts = [];
    this.#bytes = 0;
    return [message];
  }
}

/** Puts the messages of one link together again. */
export class FrameReader {
  readonly #bulk = new Assembly();
  readonly #urgent = new Assembly();

  /** The messages that are complete now, as views where they can be; null if the bytes are no frame. Nothing of all is a sign of life. */
  read(frame: Uint8Array): readonly Uint8Array[] | null {
    if (frame.length === 0) return [];
    const kind = frame[0];
    if (kind === Kind.messages) return split(frame);
    const part = frame.subarray(1);
    if (kind === Kind.part || kind === Kind.lastPart) return this.#bulk.add(part, kind === Kind.lastPart);
    if (kind !== Kind.urgentPart && kind !== Kind.lastUrgentPart) return null;
    return this.#urgent.add(part, kind === Kind.lastUrgentPart);
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
