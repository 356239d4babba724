import type { LongRead, LongReadResult } from '../../../data/index.js';
import type { WaitingOutput } from './waiting-output.js';

/** A read that takes several turns. What it has gathered counts as output that waits for the client. */
export class SlicedRead {
  readonly #read: LongRead;
  readonly #waiting: WaitingOutput;
  readonly #onRefusal: () => void;
  #countedBytes = 0;
  #isOpen = true;

  /** `onRefusal` is called if there is no reply in the end. */
  constructor(read: LongRead, waiting: WaitingOutput, onRefusal: () => void) {
    this.#read = read;
    this.#waiting = waiting;
    this.#onRefusal = onRefusal;
  }

  /** Does the work of one turn. The result, or null if there is more to do. */
  proceed(): LongReadResult | null {
    const result = this.#read.proceed();
    this.#count(result === null ? this.#read.heldBytes : 0);
    if (result !== null) {
      this.#isOpen = false;
      if (result.packet === null) this.#onRefusal();
    }
    return result;
  }

  /** Ends it without a result. Idempotent. */
  close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#read.close();
    this.#count(0);
    this.#onRefusal();
  }

  #count(bytes: number): void {
    this.#waiting.add(bytes - this.#countedBytes);
    this.#countedBytes = bytes;
  }
}
