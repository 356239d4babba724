import type { JuteWriter } from '../../../protocol/index.js';
import type { Connection } from '../../../transport/index.js';
import type { WaitingOutput } from './waiting-output.js';
import type { WriterPool } from './writer-pool.js';

/** How often within a session timeout it is looked whether a client takes in what it is owed. */
export const CHECKS_PER_TIMEOUT = 3;

/** A turn's output is handed to the transport in messages of about this size. */
const MESSAGE_BYTES = 256 * 1024;

export interface OutputLimits {
  /** Unsent bytes from which on the client is not served. */
  readonly outputHighWaterBytes: number;
  /** Unsent bytes from which on it is given up. */
  readonly maxOutputBytes: number;
}

export interface OutputParts {
  readonly connection: Connection;
  readonly writers: WriterPool;
  /** What waits on all connections together. */
  readonly waiting: WaitingOutput;
  readonly limits: OutputLimits;
  /** The first packet of a turn has been begun: `flush` wants to be called at its end. */
  readonly begun: () => void;
}

/**
 * What leaves over one connection, in the order in which it is written: packets of one turn go out as one message,
 * or as several if they are large.
 */
export class ConnectionOutput {
  readonly #parts: OutputParts;
  #writer: JuteWriter | null = null;
  /** A packet whose bytes others send too, while it is all that there is to send. */
  #shared: Uint8Array | null = null;
  /** Bytes that the transport still held when it was last asked; 0 again when it has drained. */
  #unsentBytes = 0;
  #isOver = false;
  #sentBytes = 0;
  #takenInAtLastCheck = -1;
  #stuckChecks = 0;

  constructor(parts: OutputParts) {
    this.#parts = parts;
  }

  /** Where the next packet is written; `written` is to be called behind it. */
  get writer(): JuteWriter {
    if (this.#writer === null) {
      this.#writer = this.#parts.writers.take();
      if (this.#shared === null) this.#parts.begun();
      else this.#writer.writeBytes(this.#shared);
      this.#shared = null;
    }
    return this.#writer;
  }

  /** Sends a whole packet whose bytes nobody writes to: they are copied only if the turn has more to send. */
  share(packet: Uint8Array): void {
    if (this.#writer === null && this.#shared === null) {
      this.#shared = packet;
      return this.#parts.begun();
    }
    this.writer.writeBytes(packet);
    this.written();
  }

  /** Sends a large packet as a message of its own, without a copy of it. Nobody writes to its bytes any more. */
  sendWhole(packet: Uint8Array): void {
    this.#sendWritten(this.writer);
    this.#send(packet);
  }

  /** Keeps what gathers within a turn small. */
  written(): void {
    if (this.#writer !== null && this.#writer.length >= MESSAGE_BYTES) this.#sendWritten(this.#writer);
  }

  /** So much waits for the client already that it should not be given more to ask for. */
  get isFull(): boolean {
    return this.#unsentBytes + (this.#writer?.length ?? 0) > this.#parts.limits.outputHighWaterBytes;
  }

  /** More waits than may be kept for anybody. */
  get isOverfull(): boolean {
    return this.#unsentBytes > this.#parts.limits.maxOutputBytes;
  }

  /** Hands this turn's packets to the transport. */
  flush(): void {
    const writer = this.#writer;
    if (writer === null) return this.#flushShared();
    this.#writer = null;
    this.#sendWritten(writer);
    this.#parts.writers.giveBack(writer);
  }

  /** The transport holds nothing any more. */
  drained(): void {
    this.#setUnsent(0);
  }

  /** The connection takes no further part: what it holds goes with it. */
  end(): void {
    this.#setUnsent(0);
    this.#isOver = true;
  }

  /** To be asked regularly: `stuck` when the client has taken in nothing since the last time, `deaf` when so for a whole timeout. */
  progress(): 'moving' | 'stuck' | 'deaf' {
    const unsent = this.#parts.connection.bufferedBytes;
    const takenIn = this.#sentBytes - unsent;
    const isStuck = unsent > 0 && takenIn === this.#takenInAtLastCheck;
    this.#stuckChecks = isStuck ? this.#stuckChecks + 1 : 0;
    this.#takenInAtLastCheck = takenIn;
    this.#setUnsent(unsent);
    if (!isStuck) return 'moving';
    return this.#stuckChecks >= CHECKS_PER_TIMEOUT ? 'deaf' : 'stuck';
  }

  #setUnsent(bytes: number): void {
    if (this.#isOver) return;
    this.#parts.waiting.add(bytes - this.#unsentBytes);
    this.#unsentBytes = bytes;
  }

  #flushShared(): void {
    const packet = this.#shared;
    if (packet === null) return;
    this.#shared = null;
    this.#send(packet);
  }

  #sendWritten(writer: JuteWriter): void {
    if (writer.length > 0) this.#send(writer.take());
  }

  #send(message: Uint8Array): void {
    this.#sentBytes += message.length;
    this.#parts.connection.send(message);
    this.#setUnsent(this.#parts.connection.bufferedBytes);
  }
}
