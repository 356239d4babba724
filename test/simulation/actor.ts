import {
  BadVersionError,
  ClosedError,
  ConnectionLossError,
  MultiError,
  NoAuthError,
  NoChildrenForEphemeralsError,
  NodeExistsError,
  NoNodeError,
  NotEmptyError,
  OutcomeUnknownError,
  RequestTooLargeError,
  SessionExpiredError,
  type Client,
} from '../../core/client/index.js';
import {
  AcquireTimeoutError,
  ClaimLostError,
  DrainDeadlineError,
  HoldLostError,
  HoldReleasedError,
  JobCancelledError,
  JobDeadError,
  RecipeStateError,
  type ShardAssignment,
  type TreeCache,
} from '../../core/recipes/index.js';
import type { Random } from '../../core/runtime/index.js';
import type { ClusterClient, SimulatedProcess } from '../../core/testing/index.js';
import type { ModelZnode } from './checkers/subtree-model.js';
import { isGentle, keepsHistory, pick } from './plan.js';
import type { World } from './world.js';

/** What proves a session to be somebody's. */
export interface Credentials {
  readonly sessionId: bigint;
  readonly password: Uint8Array;
}

/** What an attempt came to. */
export type Attempt<T> =
  | { readonly type: 'done'; readonly value: T }
  /** The servers said no. */
  | { readonly type: 'refused'; readonly error: Error }
  /** It was not carried out, and never will be. */
  | { readonly type: 'never' }
  /** Nobody knows. */
  | { readonly type: 'unknown' };

const REFUSALS = [
  NoNodeError,
  NodeExistsError,
  BadVersionError,
  NotEmptyError,
  NoChildrenForEphemeralsError,
  MultiError,
  NoAuthError,
];

const LOSSES = [
  OutcomeUnknownError,
  ClosedError,
  AcquireTimeoutError,
  HoldLostError,
  HoldReleasedError,
  RecipeStateError,
  ClaimLostError,
  JobCancelledError,
  JobDeadError,
  DrainDeadlineError,
];

/** Somebody who uses the ensemble through a client of its own. */
export class Actor {
  readonly name: string;
  readonly client: Client;
  readonly process: SimulatedProcess;
  readonly random: Random;
  readonly world: World;
  /** What it waits for, by a number of its own. */
  readonly pending = new Map<number, string>();
  readonly caches: TreeCache[] = [];
  /** Never aborts; given to whatever takes a signal, which has to let go of it. */
  readonly signal: AbortSignal = new AbortController().signal;
  /** Znodes that nobody else writes. */
  readonly subtree: ModelZnode[] = [];
  /** In which it takes part now. */
  shards: ShardAssignment | null = null;
  /** Of the session that it was granted last. */
  credentials: Credentials | null = null;
  #attempts = 0;
  #values = 0;

  constructor(world: World, { name, client, process }: ClusterClient, random: Random) {
    this.world = world;
    this.name = name;
    this.client = client;
    this.process = process;
    this.random = random;
  }

  get isAlive(): boolean {
    return this.process.state !== 'dead' && this.client.state !== 'closed';
  }

  /** Begins nothing new. */
  get isOver(): boolean {
    return this.world.isOver || this.client.state === 'closed';
  }

  /** A value that nobody else ever writes. */
  value(): string {
    this.#values += 1;
    return `${this.name}-${this.#values}`;
  }

  pick<T>(choices: readonly T[]): T {
    return pick(this.random, choices);
  }

  chance(probability: number): boolean {
    return this.random.next() < probability;
  }

  /** By its own clock. */
  sleep(ms: number): Promise<void> {
    return new Promise((resolve) => this.process.setTimer(ms, resolve));
  }

  think(): Promise<void> {
    return this.sleep(this.world.plan.thinkMs * 2 * this.random.next());
  }

  /** Tries something, and says what it came to; anything but the errors that a client may give is a finding. */
  async attempt<T>(what: string, act: () => Promise<T>): Promise<Attempt<T>> {
    const number = (this.#attempts += 1);
    this.pending.set(number, what);
    try {
      const value = await act();
      this.world.note(this.name, `${what}: done`);
      return { type: 'done', value };
    } catch (error) {
      this.world.note(this.name, `${what}: ${error instanceof Error ? error.message : String(error)}`);
      return this.#judge(what, error);
    } finally {
      this.pending.delete(number);
    }
  }

  #judge(what: string, error: unknown): Attempt<never> {
    if (REFUSALS.some((kind) => error instanceof kind)) return { type: 'refused', error: error as Error };
    if (error instanceof SessionExpiredError || error instanceof RequestTooLargeError)
      return { type: 'never' };
    const { plan } = this.world;
    // A sparse run ends with links that stay cut.
    if (isGentle(plan) && !plan.isSparse && keepsHistory(plan)) this.#checkKnown(what, error);
    if (!LOSSES.some((kind) => error instanceof kind))
      this.world.referee.report(
        new Error(`${this.name}: ${what} ended with an error that it must not end with: ${String(error)}`, {
          cause: error,
        }),
      );
    return { type: 'unknown' };
  }

  /** A server that is stopped in order answers what it has taken, and says so of what it has not. */
  #checkKnown(what: string, error: unknown): void {
    if (!(error instanceof OutcomeUnknownError) || !(error.cause instanceof ConnectionLossError)) return;
    const { closeCode } = error.cause.fields;
    if (typeof closeCode !== 'number') return;
    const problem = `the outcome of ${what} is unknown (${closeCode}), though members were only restarted in order`;
    this.world.referee.report(new Error(`${this.name}: ${problem}`, { cause: error }));
  }
}
