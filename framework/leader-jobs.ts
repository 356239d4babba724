import { checkOptions, QuorateError, SIGNAL_OPTION, whatThereIs } from '../core/runtime/index.js';
import { childrenOf } from './children-of.js';
import type { Client } from '../core/client/index.js';
import { LeaderLatch, RunLedger, type KeptRun, type LatchParticipant } from '../core/recipes/index.js';

/** Where elections and runs of leader jobs are. */
const ROOTS = ['/leaders', '/schedules'] as const;

/** No process has ever declared a leader job of this name. Nothing was asked for. Code `LEADER_JOB_MISSING`. */
export class LeaderJobUnknownError extends QuorateError {
  constructor(name: string, known: readonly string[]) {
    super(
      'LEADER_JOB_MISSING',
      `There is no leader job ${JSON.stringify(name)}: no process has declared one of this name${whatThereIs(name, known)}.`,
      { fields: { name } },
    );
  }
}

/** The jobs under `@LeaderOnly` of the whole fleet, by name, seen from anywhere; to be injected. */
export class LeaderJobs {
  readonly #client: Client;
  readonly #declared: ReadonlySet<string>;

  /** `declared`: names of the jobs of this application, which may not have begun to stand for election yet. */
  constructor(client: Client, declared: Iterable<string> = []) {
    this.#client = client;
    this.#declared = new Set(declared);
  }

  /**
   * Asks for a run now, beside the schedule. Resolves when the servers have it; whoever leads, or will, runs it once, after
   * what is in hand.
   * @throws LeaderJobUnknownError if no process has ever declared a job of this name: nobody would run it.
   */
  async trigger(name: string): Promise<void> {
    const ledger = new RunLedger(this.#client, name);
    if (!this.#declared.has(name)) await this.#require(name);
    await ledger.trigger();
  }

  /** Names of the jobs that a process has declared once, on this ensemble; sorted. */
  async names(options: { readonly signal?: AbortSignal | undefined } = {}): Promise<readonly string[]> {
    checkOptions('LeaderJobs.names', options, SIGNAL_OPTION);
    const found = await Promise.all(ROOTS.map((root) => childrenOf(this.#client, root, options)));
    return [...new Set([...this.#declared, ...found.flat()])].sort();
  }

  async #require(name: string): Promise<void> {
    const exist = () => Promise.all(ROOTS.map((root) => this.#client.exists(`${root}/${name}`)));
    if ((await exist()).some((stat) => stat !== null)) return;
    // The member that answers may be behind.
    await this.#client.sync('/');
    if ((await exist()).some((stat) => stat !== null)) return;
    throw new LeaderJobUnknownError(name, await this.names());
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
