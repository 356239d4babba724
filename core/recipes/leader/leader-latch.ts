import type { Client } from '../../client/index.js';
import type { Hold } from '../contention/hold.js';

export type RecipeState = 'latent' | 'started' | 'closed';

export interface LeaderLatchOptions {
  /** Parent of all elections; `/leaders` by default. */
  readonly root?: string | undefined;
  /** Says who this participant is; a random UUID by default. */
  readonly id?: string | undefined;
}

/** One that stands for the leadership. */
export interface LatchParticipant {
  readonly id: string;
  readonly isLeader: boolean;
  readonly path: string;
}

export declare class LeaderLatch implements AsyncDisposable {
  readonly path: string;
  readonly id: string;
  /** Throws `InvalidNameError`. */
  constructor(client: Client, name: string, options?: LeaderLatchOptions);
  get state(): RecipeState;
  /** The leadership, if this participant has it now. */
  get leadership(): Hold | null;
  /** Stands for election. Throws `RecipeStateError` if called twice or after `close`. */
  start(): this;
  /** Every leadership of this participant from now on, the present one first. Ends when `signal` aborts or the latch closes. */
  leaderships(options?: { readonly signal?: AbortSignal | undefined }): AsyncIterable<Hold>;
  /** In order: the leader first. Works in every state. */
  participants(options?: { readonly signal?: AbortSignal | undefined }): Promise<readonly LatchParticipant[]>;
  leader(options?: { readonly signal?: AbortSignal | undefined }): Promise<LatchParticipant | null>;
  /** Gives up leadership and candidacy. Idempotent. */
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}
