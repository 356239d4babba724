import { CloseCode, type Connection } from '../../transport/index.js';
import { Fifo } from '../fifo.js';

/** What the transport may hold before nothing more but heartbeats is given to it. */
const HIGH_WATER_BYTES = 1024 * 1024;
/** Messages of one turn leave together, in frames of about this size. */
const FRAME_BYTES = 1024 * 1024;
const LENGTH_BYTES = 4;

/**
 * An authenticated link to another member. A frame holds any number of messages, each behind its length; an empty one
 * is a sign of life. Messages keep their order, but for heartbeats, which go before what waits for the transport.
 */
export class PeerLink {
  readonly peer: number;
  /** Counts the links of this member: a later one has a higher number. */
  readonly number: number;
  readonly #connection: Connection;
  readonly #queue = new Fifo<Uint8Array>();
  readonly #urgent = new Fifo<Uint8Array>();
  #queuedBytes = 0;
  #hasSent = false;

  constructor(peer: number, number: number, connection: Connection) {
    this.peer = peer;
    this.number = number;
    this.#connection = connection;
  }

  get remoteAddress(): string {
    return this.#connection.remoteAddress;
  }

  /** What waits for the transport. */
  get queuedBytes(): number {
    return this.#queuedBytes;
  }

  /** Leaves with the next flush. */
  send(message: Uint8Array, isHeartbeat: boolean): void {
    this.#queuedBytes += message.length;
    (isHeartbeat ? this.#urgent : this.#queue).push(message);
  }

  /** Gives the transport what it takes; to be called once per turn, and when the transport has drained. */
  flush(): void {
    while (this.#urgent.length > 0) this.#sendFrame(this.#urgent);
    while (this.#queue.length > 0 && this.#connection.bufferedBytes < HIGH_WATER_BYTES)
      this.#sendFrame(this.#queue);
  }

  /** Says that this member is there, unless something else has said so since the last call. */
  keepAlive(): void {
    if (!this.#hasSent) this.#connection.send(new Uint8Array(0));
    this.#hasSent = false;
  }

  /** Stops, and resumes, taking in what the other end sends. */
  pause(): void {
    this.#connection.pause();
  }

  resume(): void {
    this.#connection.resume();
  }

  /** What was sent still arrives. */
  close(text: string): void {
    this.flush();
    this.#connection.close({ code: CloseCode.normal, text });
  }

  terminate(): void {
    this.#connection.terminate();
  }

  #sendFrame(queue: Fifo<Uint8Array>): void {
    const messages: Uint8Array[] = [];
    let bytes = 0;
    for (let next = queue.peek(); next !== undefined; next = queue.peek()) {
      if (bytes > 0 && bytes + next.length > FRAME_BYTES) break;
      bytes += LENGTH_BYTES + next.length;
      messages.push(queue.shift()!);
      this.#queuedBytes -= next.length;
    }
    this.#connection.send(joined(messages, bytes));
    this.#hasSent = true;
  }
}

function joined(messages: readonly Uint8Array[], bytes: number): Uint8Array {
  const frame = Buffer.allocUnsafeSlow(bytes);
  let at = 0;
  for (const message of messages) {
    at = frame.writeUInt32BE(message.length, at);
    frame.set(message, at);
    at += message.length;
  }
  return frame;
}

/** The messages of a frame, as views. Null if the bytes are no frame. */
export function splitFrame(frame: Uint8Array): readonly Uint8Array[] | null {
  const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength);
  const messages: Uint8Array[] = [];
  for (let at = 0; at < frame.length;) {
    if (frame.length - at < LENGTH_BYTES) return null;
    const length = view.getUint32(at);
    at += LENGTH_BYTES;
    if (length > frame.length - at) return null;
    messages.push(frame.subarray(at, at + length));
    at += length;
  }
  return messages;
}
