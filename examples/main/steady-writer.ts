/** Writes one znode without a pause, one write at a time, and notes what was acknowledged and when. */
import { setTimeout as pause } from 'node:timers/promises';
import type { Client } from 'quorate';
import { machineNowMs } from './told.js';

const PATIENCE_MS = 30_000;

export class SteadyWriter {
  readonly #client: Client;
  readonly #path: string;
  readonly #acknowledgedAtMs: number[] = [];
  readonly #end: Promise<void>;
  #isStopped = false;

  constructor(client: Client, path: string) {
    this.#client = client;
    this.#path = path;
    this.#end = this.#write();
  }

  get acknowledged(): number {
    return this.#acknowledgedAtMs.length;
  }

  /** When the first write was acknowledged behind a moment. */
  firstAfter(atMs: number): number {
    return this.#acknowledgedAtMs.find((acknowledgedAtMs) => acknowledgedAtMs > atMs) ?? Number.NaN;
  }

  /** Waits until so many more writes are acknowledged. */
  async hasWritten(count: number): Promise<void> {
    const wanted = this.acknowledged + count;
    const deadline = machineNowMs() + PATIENCE_MS;
    while (this.acknowledged < wanted) {
      if (machineNowMs() > deadline)
        throw new Error(`no ${count} writes were acknowledged in ${PATIENCE_MS} ms`);
      await pause(1);
    }
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#end;
  }

  async #write(): Promise<void> {
    for (let number = 1; !this.#isStopped; number++) {
      try {
        await this.#client.setData(this.#path, String(number));
        this.#acknowledgedAtMs.push(machineNowMs());
      } catch (error) {
        // Only what is in flight when its member dies: it may have been written, or not.
        if ((error as { code?: string }).code !== 'OUTCOME_UNKNOWN') throw error;
      }
    }
  }
}
