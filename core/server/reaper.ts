import { OpCode } from '../protocol/index.js';
import type { ServerOptions } from './server-options.js';
import type { WritePipeline } from './write-pipeline.js';

/** Removes containers that have become empty and znodes whose time to live is over; only on a member that leads. */
export class Reaper {
  readonly #options: ServerOptions;
  readonly #pipeline: WritePipeline;
  #nextAt: number | null = null;

  constructor(options: ServerOptions, pipeline: WritePipeline) {
    this.#options = options;
    this.#pipeline = pipeline;
  }

  /** What may go is proposed; preparing it looks once more whether it still may. */
  tick(now: number): void {
    if (!this.#pipeline.isOpen) {
      this.#nextAt = null;
      return;
    }
    this.#nextAt ??= now + this.#options.containerCheckMs;
    if (now < this.#nextAt || this.#pipeline.isFull) return;
    this.#nextAt = now + this.#options.containerCheckMs;
    for (const path of this.#pipeline.reapable(this.#options.maxReapedPerCheck)) {
      if (this.#pipeline.isFull) return;
      this.#pipeline.propose(
        { op: OpCode.deleteContainer, body: { path } },
        { sessionId: 0n, cxid: 0, identities: [], connection: null, slot: null },
      );
    }
  }
}
