import { CloseCode, type Connection } from '../../transport/index.js';
import { Fifo } from '../../runtime/index.js';
import { FRAME_BYTES, joinFrame, partFrame } from './frame.js';

/** What the transport may hold before nothing more but heartbeats is given to it. */
const HIGH_WATER_BYTES = 1024 * 1024;

/**
 * An authenticated link to another member. Messages keep their order, but for heartbeats, which go before what waits
 * for the transport. An empty frame is a sign of life.
 */
export class PeerLink {
  readonly peer: number;
  /** Counts the links of this member: a later one has a higher number. */
  readonly number: number;
  readonly #connection: Connection;
  readonly #queue = new Fifo<Uint8Array>();
  readonly #urgent = new Fifo<Uint8Array>();
  #queuedBytes = 0;
  /** How much of the first in the queue has left, if it is too large for one frame. */
  #partsSent = 0;
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
    const first = queue.peek()!;
    if (first.length > FRAME_BYTES / 2) return this.#sendPart(first);
    const next = (): Uint8Array | undefined => {
      const message = queue.peek();
      return message !== undefined && message.length <= FRAME_BYTES / 2 ? message : undefined;
    };
    this.#give(
      joinFrame(next, () => {
        this.#queuedBytes -= queue.shift()!.length;
      }),
    );
  }

  /** Heartbeats, which are small, may go between the parts. */
  #sendPart(message: Uint8Array): void {
    const { frame, next } = partFrame(message, this.#partsSent);
    this.#partsSent = next;
    this.#give(frame);
    if (next < message.length) return;
    this.#partsSent = 0;
    this.#queue.shift();
    this.#queuedBytes -= message.length;
  }

  #give(frame: Uint8Array): void {
    this.#connection.send(frame);
    this.#hasSent = true;
  }
}
