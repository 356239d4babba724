import type { Client } from '../../core/client/index.js';
import type { Clock, Logger, Random } from '../../core/runtime/index.js';
import type { EventHub } from '../events.js';

/** What every runner works with. */
export interface RunnerContext {
  readonly client: Client;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly events: EventHub;
  /** Names this application among those that run the same jobs. */
  readonly id: string;
  /** Variables of the environment, as configuration sees them. */
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** Maps one declaration to a recipe and keeps it true. Started once, drained once, closed once. */
export interface Runner {
  /** What it runs, for log lines. */
  readonly subject: string;
  /** What keeps it from being ready, for people; null when it is. */
  readonly impediment: string | null;
  start(): Promise<void>;
  /**
   * Takes in nothing more; resolves when nothing is in hand. What is still in hand when `deadline` aborts is
   * aborted.
   */
  drain(deadline: AbortSignal): Promise<void>;
  /** Gives back what it holds. */
  close(): Promise<void>;
}
