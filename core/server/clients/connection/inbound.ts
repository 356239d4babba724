import {
  FrameError,
  isClientOp,
  OpCode,
  readRequestHeader,
  splitPackets,
  type JuteReader,
} from '../../../protocol/index.js';
import { Fifo } from '../../../runtime/index.js';
import type { Connection } from '../../../transport/index.js';
import { isWriteOperation } from '../write-operation.js';
import type { SharedResources } from './shared-resources.js';

/** Bytes that one connection may have waiting here, beyond which it is not read. */
const MAX_HELD_BYTES = 1024 * 1024;

/** A request as it arrived: its body is not decoded yet. */
export interface Packet {
  readonly xid: number;
  readonly op: number;
  readonly isWrite: boolean;
  readonly body: JuteReader;
  readonly arrivedAt: number;
}

/**
 * The requests that one connection has sent and that are not processed yet, in their order. While too many wait the transport is not
 * read.
 */
export class Inbound {
  readonly #connection: Connection;
  readonly #shared: SharedResources;
  readonly #packets = new Fifo<Packet>();
  #heldBytes = 0;
  #isReading = true;

  constructor(connection: Connection, shared: SharedResources) {
    this.#connection = connection;
    this.#shared = shared;
  }

  get length(): number {
    return this.#packets.length;
  }

  get heldBytes(): number {
    return this.#heldBytes;
  }

  /** The transport is read. */
  get isReading(): boolean {
    return this.#isReading;
  }

  /** The next request is a write. */
  get isWriteNext(): boolean {
    return this.#packets.peek()?.isWrite ?? false;
  }

  /** The packets of a message; an error if it has none. */
  split(message: Uint8Array): readonly JuteReader[] | FrameError {
    try {
      return splitPackets(message, this.#shared.limits.maxPacketBytes);
    } catch (error) {
      if (error instanceof FrameError) return error;
      throw error;
    }
  }

  /** Keeps a request until it is taken, unless it is a ping that may be answered now: then returns true. */
  keep(body: JuteReader, arrivedAt: number, answersPings: boolean): boolean {
    const { xid, op } = readRequestHeader(body);
    if (answersPings && op === OpCode.ping) return true;
    this.#packets.push({ xid, op, isWrite: isWriteOperation(op), body, arrivedAt });
    return false;
  }

  shift(): Packet | null {
    return this.#packets.shift() ?? null;
  }

  /** Bytes of a message whose packets were kept, at least in part. */
  hold(bytes: number): void {
    if (bytes === 0) return;
    this.#heldBytes += bytes;
    this.#shared.receivedBytes.add(bytes);
  }

  /** Takes the pings out, whatever their xids, and returns how many there were. */
  takePings(): number {
    return this.#retain(({ op }) => op !== OpCode.ping);
  }

  /** The client is gone: its writes still count, each with the identities that were proved before it. */
  dropReads(): void {
    this.#retain(({ op, isWrite }) => isWrite || decidesAboutLater(op));
  }

  clear(): void {
    this.#packets.clear();
    this.hold(-this.#heldBytes);
  }

  /** Frees the bytes of what was processed. */
  settle(): void {
    if (this.#packets.length === 0) this.hold(-this.#heldBytes);
  }

  /** Reads the transport as long as little waits; `hasRoom`: the client takes in what it gets. */
  readIf(hasRoom: boolean): void {
    const mayRead = hasRoom && (this.#packets.length === 0 || this.#mayHoldMore());
    if (mayRead === this.#isReading) return;
    this.#isReading = mayRead;
    if (mayRead) this.#connection.resume();
    else this.#connection.pause();
  }

  #mayHoldMore(): boolean {
    const { limits, receivedBytes } = this.#shared;
    const isShort = this.#packets.length < limits.maxOutstandingRequests;
    return isShort && this.#heldBytes < MAX_HELD_BYTES && !receivedBytes.isCrowded;
  }

  #retain(isKept: (packet: Packet) => boolean): number {
    let removed = 0;
    for (let left = this.#packets.length; left > 0; left--) {
      const packet = this.#packets.shift()!;
      if (isKept(packet)) this.#packets.push(packet);
      else removed += 1;
    }
    return removed;
  }
}

/** Requests that change who the client is, or end its connection in their turn. */
function decidesAboutLater(op: number): boolean {
  return op === OpCode.auth || op === OpCode.sasl || !isClientOp(op);
}
