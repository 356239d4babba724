import { Fifo } from '../../runtime/index.js';
import { CloseCode, type Connection } from '../../transport/index.js';
import { FRAME_BYTES, joinFrame, partFrame } from './frame.js';

/** What the transport may hold before only heartbeats are given to it. */
const HIGH_WATER_BYTES = 256 * 1024;

/** Messages of one urgency that wait for the transport, in their order. */
class Lane {
  readonly isUrgent: boolean;
  readonly #queue = new Fifo<Uint8Array>();
  #bytes = 0;
  /** How much of the first message has left, if it is too large for one frame. */
  #partsSent = 0;

  constructor(isUrgent: boolean) {
    this.isUrgent = isUrgent;
  }

  /** Including what has left of a message that goes in parts. */
  get bytes(): number {
    return this.#bytes;
  }

  get isEmpty(): boolean {
    return this.#queue.length === 0;
  }

  /** The next message, if it can share a frame with others. */
  get nextSmall(): Uint8Array | undefined {
    const message = this.#queue.peek();
    return message !== undefined && message.length <= FRAME_BYTES / 2 ? message : undefined;
  }

  push(message: Uint8Array): void {
    this.#bytes += message.length;
    this.#queue.push(message);
  }

  shift(): void {
    this.#bytes -= this.#queue.shift()!.length;
  }

  /** The next part of the first message. */
  takePart(): Uint8Array {
    const message = this.#queue.peek()!;
    const { frame, next } = partFrame(message, this.#partsSent, this.isUrgent);
    this.#partsSent = next;
    if (next === message.length) {
      this.#partsSent = 0;
      this.shift();
    }
    return frame;
  }
}

/**
 * An authenticated link to another member. Messages keep their order, but for urgent ones (heartbeats and acknowledgements),
 * which go before what waits for the transport. An empty frame is a sign of life.
 */
export class PeerLink {
  readonly peer: number;
  /** Counts the links of this member: a later one has a higher number. */
  readonly number: number;
  /** Of the peer protocol, as negotiated. */
  readonly version: number;
  readonly #connection: Connection;
  readonly #bulk = new Lane(false);
  readonly #urgent = new Lane(true);
  #hasSent = false;

  constructor(peer: number, number: number, version: number, connection: Connection) {
    this.peer = peer;
    this.number = number;
    this.version = version;
    this.#connection = connection;
  }

  get remoteAddress(): string {
    return this.#connection.remoteAddress;
  }

  /** What waits for the transport. */
  get queuedBytes(): number {
    return this.#bulk.bytes + this.#urgent.bytes;
  }

  /** Leaves with the next flush. */
  send(message: Uint8Array, isUrgent: boolean): void {
    (isUrgent ? this.#urgent : this.#bulk).push(message);
  }

  /** Gives the transport what it takes; to be called once per turn, and when the transport has drained. */
  flush(): void {
    while (!this.#urgent.isEmpty || (!this.#bulk.isEmpty && this.#takesBulk)) this.#sendFrame();
  }

  get #takesBulk(): boolean {
    return this.#connection.bufferedBytes < HIGH_WATER_BYTES;
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
  close(text: string, code: number = CloseCode.normal): void {
    this.flush();
    this.#connection.close({ code, text });
  }

  terminate(): void {
    this.#connection.terminate();
  }

  /** Urgent messages first; what else there is fills the same frame. */
  #sendFrame(): void {
    const first = this.#urgent.isEmpty ? this.#bulk : this.#urgent;
    if (first.nextSmall === undefined) return this.#give(first.takePart());
    const takesBulk = this.#takesBulk;
    const lane = (): Lane => (takesBulk && this.#urgent.isEmpty ? this.#bulk : this.#urgent);
    this.#give(
      joinFrame(
        () => lane().nextSmall,
        () => lane().shift(),
      ),
    );
  }

  #give(frame: Uint8Array): void {
    this.#connection.send(frame);
    this.#hasSent = true;
  }
}
