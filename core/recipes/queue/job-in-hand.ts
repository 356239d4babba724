import { checkOptions, parseJson, type OptionNames } from '../../runtime/index.js';
import { ClaimLostError, JobSettledError, JobTooLargeError, RecipeStateError } from '../errors.js';
import type { Claim } from './claim.js';
import type { Job } from './job.js';
import { parseJobName } from './job-name.js';
import type { JobResults } from './job-results.js';

/** How a consumer settles jobs. */
export interface SettlePolicy {
  readonly queue: string;
  readonly maxAttempts: number;
  backoffMs(attempt: number): number;
  /** Milliseconds since 1970. */
  wall(): number;
  readonly maxResultBytes: number;
  readonly results: JobResults;
}

type FailOptions = NonNullable<Parameters<Job['fail']>[1]>;

const FAIL_OPTIONS: OptionNames<FailOptions> = { retry: true, delayMs: true };

const encoder = new TextEncoder();

/**
 * A job while a worker has it.
 *
 * - in hand: until one of the others;
 * - settling, then settled: by `complete` or `fail`, once;
 * - lost: the claim was lost, the job cancelled, or the drain deadline passed; nothing can be settled any more.
 */
export class JobInHand<Data> implements Job<Data> {
  readonly data: Data;
  readonly #claim: Claim;
  readonly #policy: SettlePolicy;
  /** Made when somebody asks for the signal: most jobs are short, and need none. */
  #controller: AbortController | null = null;
  #ending: { readonly reason: unknown } | null = null;
  #settlement: Promise<void> | null = null;
  #refusal: { readonly error: unknown } | null = null;
  #progress: { readonly written: Promise<void>; next: Uint8Array | null } | null = null;

  constructor(claim: Claim, data: Data, policy: SettlePolicy) {
    this.#claim = claim;
    this.data = data;
    this.#policy = policy;
  }

  get priority(): number {
    return parseJobName(this.#claim.job)?.priority ?? 0;
  }

  get group(): string | null {
    return parseJobName(this.#claim.job)?.group ?? null;
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

  get key(): string | null {
    return this.#claim.record.header.key ?? null;
  }

  get fence(): bigint {
    return this.#claim.fence;
  }

  get signal(): AbortSignal {
    if (this.#controller === null) {
      this.#controller = new AbortController();
      if (this.#ending !== null) this.#controller.abort(reasonOf(this.#ending.reason));
    }
    return this.#controller.signal;
  }

  /** Whether its signal has aborted, if there is one. */
  get isEnded(): boolean {
    return this.#ending !== null;
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
    return this.isSettling || this.isEnded;
  }

  complete(result?: unknown): Promise<void> {
    let bytes: Uint8Array | null;
    try {
      bytes = this.#encode(result, 'result');
    } catch (error) {
      return Promise.reject(error);
    }
    const settled = (): JobSettledError => new JobSettledError(this.id, 'completed', { isFinal: true });
    return this.#settle('complete', settled, () => this.#complete(bytes));
  }

  async fail(error: unknown, options: FailOptions = {}): Promise<void> {
    checkOptions('Job.fail', options, FAIL_OPTIONS);
    const { retries } = this.#claim.record.header;
    const maxAttempts = retries === undefined ? this.#policy.maxAttempts : retries + 1;
    const isFinal = options.retry === false || this.attempt >= maxAttempts;
    const failure = describeFailure(error);
    const now = this.#policy.wall();
    if (isFinal) {
      const buried = (): JobSettledError =>
        new JobSettledError(this.id, 'failed', { isFinal: true, cause: error });
      return this.#settle('fail', buried, () => this.#claim.bury(failure, now));
    }
    const retryAt = now + (options.delayMs ?? this.#policy.backoffMs(this.attempt));
    const settled = (): JobSettledError =>
      new JobSettledError(this.id, 'failed', { isFinal: false, retryAt, cause: error });
    return this.#settle('fail', settled, () => this.#claim.retry(retryAt, { failure, failedAt: now }));
  }

  async progress(value: unknown): Promise<void> {
    const bytes = this.#encode(value ?? null, 'progress')!;
    if (this.isOver) throw new RecipeStateError('Job', this.id, 'over', 'progress');
    if (this.#progress !== null) {
      this.#progress.next = bytes;
      return await this.#progress.written;
    }
    const written = this.#tell(bytes);
    this.#progress = { written, next: null };
    await written;
  }

  async childResults(): Promise<readonly unknown[]> {
    const found = await this.#claim.childResults();
    return found.map((bytes) => {
      const text = bytes === null ? '' : new TextDecoder().decode(bytes);
      return text === '' || text.startsWith('cancelled') ? undefined : parseJson(text);
    });
  }

  /** Asks the servers whether the claim is still there. */
  isHeld(): Promise<boolean> {
    return this.#claim.isHeld();
  }

  /** The job is taken out of the worker's hands. */
  lose(reason: unknown): void {
    if (this.#ending !== null) return;
    this.#ending = { reason };
    this.#controller?.abort(reasonOf(reason));
  }

  /** Writes what was told, and what was told meanwhile. */
  async #tell(bytes: Uint8Array): Promise<void> {
    await Promise.resolve();
    try {
      for (let next: Uint8Array | null = bytes; next !== null && !this.isEnded;) {
        await this.#claim.progress(next);
        next = this.#progress!.next;
        this.#progress!.next = null;
      }
    } finally {
      this.#progress = null;
    }
  }

  #settle(attempted: string, settled: () => JobSettledError, settle: () => Promise<void>): Promise<void> {
    if (this.#settlement !== null)
      return Promise.reject(new RecipeStateError('Job', this.id, 'settled', attempted));
    if (this.isEnded) return Promise.reject(this.signal.reason);
    this.#settlement = this.#afterProgress(settle).then(
      () => this.lose(settled),
      (error: unknown) => {
        const isLost = error instanceof ClaimLostError;
        if (!isLost) this.#refusal = { error };
        this.lose(isLost ? error : new JobSettledError(this.id, 'failed', { isFinal: false, cause: error }));
        throw error;
      },
    );
    return this.#settlement;
  }

  /** What is told of a job must not outlive it. */
  async #afterProgress(settle: () => Promise<void>): Promise<void> {
    if (this.#progress !== null) await this.#progress.written.catch(() => undefined);
    await settle();
  }

  async #complete(bytes: Uint8Array | null): Promise<void> {
    const { results } = this.#policy;
    if (bytes === null) return await this.#claim.complete(null);
    await this.#claim.complete((refusal) => {
      if (refusal !== null && !results.learnFrom(refusal)) return null;
      return results.keep(this.id, bytes);
    });
  }

  #encode(value: unknown, what: string): Uint8Array | null {
    if (value === undefined) return null;
    const text: string | undefined = JSON.stringify(value);
    if (text === undefined) return null;
    const bytes = encoder.encode(text);
    const { queue, maxResultBytes } = this.#policy;
    if (bytes.length > maxResultBytes)
      throw new JobTooLargeError(queue, `${what} of job ${this.id}`, bytes.length, maxResultBytes);
    return bytes;
  }
}

/** A reason that is an error is made when somebody wants it: errors cost a trace of the stack. */
function reasonOf(reason: unknown): unknown {
  return typeof reason === 'function' ? (reason as () => unknown)() : reason;
}

/** A failure as text for people. */
export function describeFailure(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const code = (error as { readonly code?: unknown }).code;
  return typeof code === 'string'
    ? `${error.name} (${code}): ${error.message}`
    : `${error.name}: ${error.message}`;
}
