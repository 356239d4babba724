import { ClaimLostError, HoldReleasedError, JobTooLargeError, RecipeStateError } from '../errors.js';
import type { Claim } from './claim.js';
import type { Job } from './job.js';

/** How a consumer settles jobs. */
export interface SettlePolicy {
  readonly queue: string;
  readonly maxAttempts: number;
  backoffMs(attempt: number): number;
  /** Milliseconds since 1970. */
  wall(): number;
  readonly maxResultBytes: number;
  readonly resultTtlMs: number;
}

/**
 * A job while a worker has it.
 *
 * - in hand: until one of the others;
 * - settling, then settled: by `complete` or `fail`, once;
 * - lost: the claim was lost, or the drain deadline passed; nothing can be settled any more.
 */
export class JobInHand<Data> implements Job<Data> {
  readonly data: Data;
  readonly #claim: Claim;
  readonly #policy: SettlePolicy;
  readonly #ended = new AbortController();
  #settlement: Promise<void> | null = null;
  #refusal: { readonly error: unknown } | null = null;

  constructor(claim: Claim, data: Data, policy: SettlePolicy) {
    this.#claim = claim;
    this.data = data;
    this.#policy = policy;
  }

  get id(): string {
    return this.#claim.job;
  }

  get attempt(): number {
    return this.#claim.record.header.attempts;
  }

  get enqueuedAt(): number {
    return this.#claim.record.header.enqueuedAt;
  }

  get fence(): bigint {
    return this.#claim.fence;
  }

  get signal(): AbortSignal {
    return this.#ended.signal;
  }

  /** Whether `complete` or `fail` was called. */
  get isSettling(): boolean {
    return this.#settlement !== null;
  }

  /** Why the servers would not let the job be settled, though its claim is still held. */
  get refusal(): { readonly error: unknown } | null {
    return this.#refusal;
  }

  /** Whether nothing is left to be decided. */
  get isOver(): boolean {
    return this.isSettling || this.signal.aborted;
  }

  complete(result?: unknown): Promise<void> {
    let bytes: Uint8Array | null;
    try {
      bytes = this.#encodeResult(result);
    } catch (error) {
      return Promise.reject(error);
    }
    const kept = bytes === null ? null : { bytes, ttlMs: this.#policy.resultTtlMs };
    return this.#settle('complete', () => this.#claim.complete(kept));
  }

  fail(error: unknown, options: { readonly retry?: boolean | undefined } = {}): Promise<void> {
    const { maxAttempts } = this.#policy;
    const isFinal = options.retry === false || this.attempt >= maxAttempts;
    return this.#settle('fail', () =>
      isFinal
        ? this.#claim.bury(describeFailure(error), this.#policy.wall())
        : this.#claim.retry(this.#policy.wall() + this.#policy.backoffMs(this.attempt)),
    );
  }

  /** Asks the servers whether the claim is still there. */
  isHeld(): Promise<boolean> {
    return this.#claim.isHeld();
  }

  /** The job is taken out of the worker's hands. */
  lose(reason: unknown): void {
    if (!this.signal.aborted) this.#ended.abort(reason);
  }

  #settle(attempted: string, settle: () => Promise<void>): Promise<void> {
    if (this.#settlement !== null)
      return Promise.reject(new RecipeStateError('Job', this.id, 'settled', attempted));
    if (this.signal.aborted) return Promise.reject(this.signal.reason);
    this.#settlement = settle()
      .catch((error: unknown) => {
        if (!(error instanceof ClaimLostError)) this.#refusal = { error };
        throw error;
      })
      .finally(() => this.lose(new HoldReleasedError(this.id)));
    return this.#settlement;
  }

  #encodeResult(result: unknown): Uint8Array | null {
    if (result === undefined) return null;
    const text: string | undefined = JSON.stringify(result);
    if (text === undefined) return null;
    const bytes = new TextEncoder().encode(text);
    const { queue, maxResultBytes } = this.#policy;
    if (bytes.length > maxResultBytes)
      throw new JobTooLargeError(queue, `result of job ${this.id}`, bytes.length, maxResultBytes);
    return bytes;
  }
}

/** A failure as text for people. */
export function describeFailure(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const code = (error as { readonly code?: unknown }).code;
  return typeof code === 'string'
    ? `${error.name} (${code}): ${error.message}`
    : `${error.name}: ${error.message}`;
}
