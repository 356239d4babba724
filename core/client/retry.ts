import { SystemClock, SystemRandom, type Clock, type Random } from '../runtime/index.js';
import { BadArgumentsError, ClientError } from './errors.js';
import { BACKOFF_OPTIONS, checkCallOptions, RETRY_OPTIONS } from './option-names.js';
import { sleep } from './sleep.js';

/** Decides whether and when to try again. A value: it keeps no state, so one may serve many callers. */
export interface RetryPolicy {
  /**
   * Milliseconds to wait before the next attempt, after `failures` failed ones (1 or more), the first of which
   * began `elapsedMs` ago. Null: give up.
   */
  delayMs(failures: number, elapsedMs: number, random: Random): number | null;
}

export interface ExponentialBackoffOptions {
  /** Bound of the first delay. Default 50. */
  readonly minMs?: number;
  /** No delay is longer. Default 2000. */
  readonly maxMs?: number;
  /** Growth from one delay to the next. Default 2. */
  readonly factor?: number;
  /** Share of each delay that chance decides, 0 to 1; without it, clients that lost a server together come back together. Default 0.5. */
  readonly jitter?: number;
  /** Attempts in all, the first one included. Default: no bound. */
  readonly attempts?: number;
  /** No attempt begins later than this after the first began. Default: no bound. */
  readonly deadlineMs?: number;
}

/** Delays that grow from `minMs` to `maxMs`. Throws `BadArgumentsError` for numbers that make no policy. */
export function exponentialBackoff(options: ExponentialBackoffOptions = {}): RetryPolicy {
  checkCallOptions({ operation: 'exponentialBackoff' }, options, BACKOFF_OPTIONS);
  const { minMs = 50, maxMs = 2000, factor = 2, jitter = 0.5 } = options;
  const { attempts = Infinity, deadlineMs = Infinity } = options;
  const isSound =
    minMs >= 0 &&
    maxMs >= minMs &&
    factor >= 1 &&
    jitter >= 0 &&
    jitter <= 1 &&
    attempts >= 1 &&
    deadlineMs >= 0;
  if (!isSound) {
    throw new BadArgumentsError({
      operation: 'exponentialBackoff',
      what: 'it needs 0 <= minMs <= maxMs, factor >= 1, 0 <= jitter <= 1, attempts >= 1, deadlineMs >= 0',
      fields: { ...options },
    });
  }
  return {
    delayMs(failures, elapsedMs, random) {
      if (failures >= attempts) return null;
      const full = Math.min(maxMs, minMs * factor ** (failures - 1));
      const delay = full * (1 - jitter * random.next());
      return elapsedMs + delay > deadlineMs ? null : delay;
    },
  };
}

/** One attempt, no more. */
export const neverAgain: RetryPolicy = { delayMs: () => null };

export interface RetryOptions {
  /** Ends the waiting; the result then rejects with its reason. */
  readonly signal?: AbortSignal | undefined;
  readonly clock?: Clock | undefined;
  readonly random?: Random | undefined;
}

/**
 * Runs `task` until it succeeds, fails with something that is not a `retryable` error of the client, or the
 * policy gives up; then rejects with the last failure. `task` gets the number of the attempt, from 1.
 */
export async function retry<T>(
  task: (attempt: number) => Promise<T>,
  policy: RetryPolicy = exponentialBackoff({ attempts: 10 }),
  options: RetryOptions = {},
): Promise<T> {
  checkCallOptions({ operation: 'retry' }, options, RETRY_OPTIONS);
  const { signal, clock = new SystemClock(), random = new SystemRandom() } = options;
  const startedAt = clock.now();
  for (let attempt = 1; ; attempt++) {
    signal?.throwIfAborted();
    try {
      return await task(attempt);
    } catch (error) {
      const isRetryable = error instanceof ClientError && error.retryable;
      const delayMs = isRetryable ? policy.delayMs(attempt, clock.now() - startedAt, random) : null;
      if (delayMs === null) throw error;
      await sleep(delayMs, { clock, signal });
    }
  }
}
