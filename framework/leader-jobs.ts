import { checkOptions, SIGNAL_OPTION } from '../core/runtime/index.js';
import type { Client } from '../core/client/index.js';
import { LeaderLatch, RunLedger, type KeptRun, type LatchParticipant } from '../core/recipes/index.js';

/** The jobs under `@LeaderOnly` of the whole fleet, by name, seen from anywhere; to be injected. */
export class LeaderJobs {
  readonly #client: Client;

  constructor(client: Client) {
    this.#client = client;
  }

  /**
   * Asks for a run now, beside the schedule. Resolves when the servers have it; whoever leads, or will, runs it once, after
   * what is in hand.
   */
  trigger(name: string): Promise<void> {
    return new RunLedger(this.#client, name).trigger();
  }

  /** The last runs, newest first, with outcome and duration. */
  async history(
    name: string,
    options: { readonly signal?: AbortSignal | undefined } = {},
  ): Promise<readonly KeptRun[]> {
    checkOptions('LeaderJobs.history', options, SIGNAL_OPTION);
    return new RunLedger(this.#client, name).history(options);
  }

  /** Who leads and who would be next, in order. */
  async candidates(
    name: string,
    options: { readonly signal?: AbortSignal | undefined } = {},
  ): Promise<readonly LatchParticipant[]> {
    checkOptions('LeaderJobs.candidates', options, SIGNAL_OPTION);
    return new LeaderLatch(this.#client, name).participants(options);
  }
}
