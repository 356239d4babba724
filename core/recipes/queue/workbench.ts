import type { Session } from '../../client/index.js';
import { AbortFan } from '../waiting/abort-fan.js';
import { hasCode } from '../waiting/failure.js';
import { ClaimLostError, DrainDeadlineError, JobCancelledError } from '../errors.js';
import type { Claim } from './claim.js';
import type { ConsumedQueue, ConsumeOptions, JobHandler } from './consume-options.js';
import { describeFailure, JobInHand, type SettlePolicy } from './job-in-hand.js';

const DEFAULT_RETRIES = 5;
const FIRST_BACKOFF_MS = 1_000;
const LONGEST_BACKOFF_MS = 300_000;

/** What happened to a job while this consumer is at it. */
interface Touched {
  /** The first change is the own claim. */
  changes: number;
  isGone: boolean;
}

/**
 * Where a consumer has its claimed jobs done: each is decoded, handed to the handler, and settled by what the handler
 * returns or throws, unless that settled it. A job whose claim is lost has its signal aborted; at the deadline the jobs in
 * hand go back.
 */
export class Workbench<Data> {
  readonly #queue: ConsumedQueue<Data>;
  readonly #handler: JobHandler<Data>;
  readonly #policy: SettlePolicy;
  readonly #deadline: AbortSignal;
  readonly #atDeadline: AbortFan;
  #atSessionEnd: AbortFan | null = null;
  readonly #inHand = new Map<string, JobInHand<Data>>();
  readonly #touched = new Map<string, Touched>();

  /** The reason of `deadline` is how long the drain was to take, in milliseconds. */
  constructor(
    queue: ConsumedQueue<Data>,
    handler: JobHandler<Data>,
    options: ConsumeOptions & { readonly deadline: AbortSignal },
  ) {
    this.#queue = queue;
    this.#handler = handler;
    this.#policy = settlePolicy(queue, options);
    this.#deadline = options.deadline;
    this.#atDeadline = new AbortFan(options.deadline);
  }

  get inHand(): ReadonlyMap<string, JobInHand<Data>> {
    return this.#inHand;
  }

  /** The consumer is about to claim the job: from now until `leave` what is told of it counts. */
  expect(job: string): void {
    this.#touched.set(job, { changes: 0, isGone: false });
  }

  leave(job: string): void {
    this.#touched.delete(job);
  }

  /** The watch told of a job: if it is in hand and not being settled, it is cancelled, or perhaps lost. */
  touch(id: string, change: 'dataChanged' | 'deleted'): void {
    const touched = this.#touched.get(id);
    if (touched === undefined) return;
    if (change === 'deleted') touched.isGone = true;
    else touched.changes++;
    const job = this.#inHand.get(id);
    if (job === undefined || job.isOver) return;
    if (touched.isGone) job.lose(new JobCancelledError(id));
    else if (touched.changes > 1) void this.#verify(job);
  }

  /** What happened for a while is not known: whether the jobs in hand are still ours has to be asked. */
  verifyAll(): void {
    for (const [id, job] of this.#inHand) {
      const touched = this.#touched.get(id);
      if (touched !== undefined) touched.changes = 1;
      void this.#verify(job);
    }
  }

  close(): void {
    this.#atSessionEnd?.close();
    this.#atDeadline.close();
  }

  /** Has the job done; `free` is called as soon as its slot is. Never rejects. */
  async work(claim: Claim, free: () => void): Promise<void> {
    const job = await this.#openJob(claim);
    if (job === null) return;
    const { signal } = claim.session;
    const stopListening = this.#endOf(claim.session).on(() =>
      job.lose(new ClaimLostError(job.id, 'the session is over', signal.reason)),
    );
    if (this.#touched.get(job.id)?.isGone === true) job.lose(new JobCancelledError(job.id));
    this.#inHand.set(job.id, job);
    try {
      await this.#untilDeadline(this.#handle(job, claim, free));
      if (this.#deadline.aborted && !job.isOver) {
        job.lose(new DrainDeadlineError(job.id, Number(this.#deadline.reason)));
        await this.giveBack(claim);
      }
    } finally {
      stopListening();
      this.#inHand.delete(job.id);
    }
  }

  #endOf(session: Session): AbortFan {
    if (this.#atSessionEnd?.signal !== session.signal) {
      this.#atSessionEnd?.close();
      this.#atSessionEnd = new AbortFan(session.signal);
    }
    return this.#atSessionEnd;
  }

  /** Resolves when `handled` has settled, or the drain deadline has passed. */
  #untilDeadline(handled: Promise<void>): Promise<void> {
    return new Promise((resolve) => {
      const stopListening = this.#atDeadline.on(resolve);
      const over = (): void => {
        stopListening();
        resolve();
      };
      handled.then(over, over);
    });
  }

  /** Null if the job is a dead letter instead: it had all its attempts, or its data cannot be decoded. */
  async #openJob(claim: Claim): Promise<JobInHand<Data> | null> {
    const { attempts, retries, failure } = claim.record.header;
    const maxAttempts = retries === undefined ? this.#policy.maxAttempts : retries + 1;
    try {
      if (attempts <= maxAttempts)
        return new JobInHand(claim, this.#queue.codec.decode(claim.record.payload), this.#policy);
      await this.#bury(claim, withoutAnswer(attempts - 1, failure));
    } catch (error) {
      await this.#bury(claim, `its data cannot be decoded: ${describeFailure(error)}`);
    }
    return null;
  }

  async #handle(job: JobInHand<Data>, claim: Claim, free: () => void): Promise<void> {
    try {
      // A job that was cancelled meanwhile is not begun.
      const result = job.isEnded ? undefined : await this.#handler(job);
      const settled = job.isOver ? Promise.resolve() : job.complete(result);
      free();
      await settled;
    } catch (error) {
      if (job.isOver) this.#logLoss(job.id, error);
      else await job.fail(error).catch((refusal: unknown) => this.#logLoss(job.id, refusal));
    }
    if (job.refusal !== null) await this.#putOff(claim);
  }

  /** The servers would not let the job be settled (permissions, quota); it must not stay claimed by somebody who is done with it. */
  async #putOff(claim: Claim): Promise<void> {
    const dueAt = this.#policy.wall() + this.#policy.backoffMs(claim.record.header.attempts);
    await claim.retry(dueAt).catch((error: unknown) => this.#logLoss(claim.job, error));
  }

  #logLoss(job: string, error: unknown): void {
    this.#queue.client.logger.warn('a job was not settled by its worker', {
      queue: this.#queue.name,
      job,
      error,
    });
  }

  /** No handler was called for this claim. */
  async #bury(claim: Claim, failure: string): Promise<void> {
    this.#queue.client.logger.warn('a job became a dead letter', {
      queue: this.#queue.name,
      job: claim.job,
      failure,
    });
    const burying = claim.bury(failure, this.#queue.client.clock.wall(), { isBegun: false });
    await burying.catch(async (error: unknown) => {
      this.#logLoss(claim.job, error);
      if (!hasCode(error, 'CLAIM_LOST')) await this.#putOff(claim);
    });
  }

  /** The job goes back as if it had not been taken. */
  async giveBack(claim: Claim): Promise<void> {
    await claim.giveBack().catch((error: unknown) => this.#logLoss(claim.job, error));
  }

  async #verify(job: JobInHand<Data>): Promise<void> {
    if (job.isOver) return;
    const isHeld = await job.isHeld().catch(() => true);
    if (!isHeld && !job.isSettling) job.lose(new ClaimLostError(job.id, 'it was changed, or is gone'));
  }
}

/** `lastFailure` is of the last attempt that ended with an answer. */
function withoutAnswer(attempts: number, lastFailure: string | undefined): string {
  if (lastFailure === undefined)
    return `${attempts} attempts ended without an answer, as by a crash of the worker`;
  return `attempt ${attempts} ended without an answer, as by a crash of the worker; the last known error is: ${lastFailure}`;
}

function settlePolicy<Data>(queue: ConsumedQueue<Data>, options: ConsumeOptions): SettlePolicy {
  const { client } = queue;
  const byDefault = (attempt: number): number =>
    Math.min(LONGEST_BACKOFF_MS, FIRST_BACKOFF_MS * 2 ** (attempt - 1)) * (0.75 + client.random.next() / 2);
  return {
    queue: queue.name,
    maxAttempts: (options.retries ?? DEFAULT_RETRIES) + 1,
    backoffMs: options.backoffMs ?? byDefault,
    wall: () => client.clock.wall(),
    maxResultBytes: queue.maxJobBytes,
    results: queue.results,
  };
}
