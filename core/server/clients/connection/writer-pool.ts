import { JuteWriter } from '../../../protocol/index.js';

const MOST_IDLE = 256;

/** Writers are lent to a connection from its first packet of a turn until its flush, so that idle connections hold no buffers. */
export class WriterPool {
  readonly #idle: JuteWriter[] = [];

  take(): JuteWriter {
    return this.#idle.pop() ?? new JuteWriter();
  }

  /** The writer must have been emptied. */
  giveBack(writer: JuteWriter): void {
    if (this.#idle.length < MOST_IDLE) this.#idle.push(writer);
  }
}
