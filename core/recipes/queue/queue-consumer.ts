import type { Client, Session } from '../../client/index.js';
import type { Timer } from '../../runtime/index.js';
import { protectedName } from '../contention/sequence.js';
import { ClaimLostError, DrainDeadlineError } from '../errors.js';
import { KeptNode } from '../nodes/kept-node.js';
import { nameOf } from '../nodes/znode-name.js';
import { orAborted } from '../waiting/abort.js';
import { hasCode, isClosed, isSessionOver, nextSession, pause } from '../waiting/failure.js';
import { Claim, claimJob } from './claim.js';
import { JobBoard, type Candidate } from './job-board.js';
import type { Job, JobCodec } from './job.js';
import { describeFailure, JobInHand, type SettlePolicy } from './job-in-hand.js';
import type { QueueLayout } from './queue-layout.js';
import { QueueView } from './queue-view.js';

/** The job is completed with what the handler returns and failed with what it throws, unless the handler settled it itself. */
export type JobHandler<Data> = (job: Job<Data>) => unknown;

export interface ConsumeOptions {
  /** Jobs in hand at once; 1 by default. */
  readonly concurrency?: number | undefined;
  /** Aborting it begins the drain. */
  readonly signal?: AbortSignal | undefined;
  /** How long jobs in hand may go on once the drain began; then their signals abort and they go back to the queue. 10 000 by default. */
  readonly drainDeadlineMs?: number | undefined;
  /** Attempts after the first before a job becomes a dead letter; 5 by default. */
  readonly retries?: number | undefined;
  /** Delay before attempt `attempt + 1`. By default doubling from 1 s up to 5 min, with jitter. */
  readonly backoffMs?: ((attempt: number) => number) | undefined;
  /** Written to the consumer's znode; a random UUID by default. */
  readonly id?: string | undefined;
}

/** The queue, as its consumers see it. */
export interface ConsumedQueue<Data> {
  readonly client: Client;
  readonly name: string;
  readonly layout: QueueLayout;
  readonly codec: JobCodec<Data>;
  readonly maxJobBytes: number;
  readonly resultTtlMs: number;
  /** Makes the parents, also if they were removed since; harmless to repeat. */
  prepare(): Promise<void>;
}

const DEFAULT_DRAIN_DEADLINE_MS = 10_000;
const DEFAULT_RETRIES = 5;
const FIRST_BACKOFF_MS = 1_000;
const LONGEST_BACKOFF_MS = 300_000;
/** How long a job is left alone that another claimed a moment before; by then the watch has told of it. */
const TAKEN_PAUSE_MS = 250;

/**
 * Takes jobs from a queue and has them done by a handler, some at once.
 *
 * - consuming: claims jobs as long as fewer than `concurrency` are in hand. Suspended: no new jobs, those in hand go on,
 *   for their claims may live. Lost: the signals of all jobs in hand abort, since the servers give them to others; the
 *   handlers' slots stay taken until they return. The next session goes on claiming;
 * - draining: claims nothing more; waits for the jobs in hand. At the deadline their signals abort and their claims
 *   are given back, whether the handlers have returned or not;
 * - closed: also its own registration is gone; final. The close of the client drains too.
 *
 * Guarantees: a job is done at least once; it is in one worker's hands at a time, among workers that respect the
 * signal; a worker that lost it cannot complete or fail it.
 */
export class QueueConsumer<Data = unknown> implements AsyncDisposable {
  readonly id: string;
  /** Resolves when closed, after the drain. Never rejects. */
  readonly closed: Promise<void>;
  readonly #queue: ConsumedQueue<Data>;
  readonly #handler: JobHandler<Data>;
  readonly #concurrency: number;
  readonly #drainDeadlineMs: number;
  readonly #policy: SettlePolicy;
  readonly #board = new JobBoard();
  readonly #view: QueueView;
  readonly #registration: KeptNode;
  readonly #intake = new AbortController();
  readonly #deadline = new AbortController();
  readonly #inHand = new Map<string, JobInHand<Data>>();
  /** Slots taken, by job: from the claim's first request until the handler returned. */
  readonly #slots = new Map<string, Promise<void>>();
  #state: 'consuming' | 'draining' | 'closed' = 'consuming';
  #deadlineTimer: { readonly at: number; readonly timer: Timer } | null = null;
  #viewFailure: { readonly error: unknown } | null = null;
  #wake: () => void = () => undefined;

  /** Made, and started, by `WorkQueue.consume`. */
  constructor(queue: ConsumedQueue<Data>, handler: JobHandler<Data>, options: ConsumeOptions = {}) {
    const { client, layout } = queue;
    this.id = options.id ?? client.random.uuid();
    this.#queue = queue;
    this.#handler = handler;
    this.#concurrency = options.concurrency ?? 1;
    if (!Number.isInteger(this.#concurrency) || this.#concurrency < 1)
      throw new RangeError(`concurrency must be a whole number above 0, not ${this.#concurrency}`);
    this.#drainDeadlineMs = options.drainDeadlineMs ?? DEFAULT_DRAIN_DEADLINE_MS;
    this.#policy = settlePolicy(queue, options);
    this.#view = new QueueView(client, layout, this.#board, {
      changed: () => this.#wake(),
      claimVanished: (job) => void this.#verify(job),
      failed: (error) => {
        this.#viewFailure = { error };
        this.#wake();
      },
    });
    this.#registration = new KeptNode(client, {
      path: `${layout.consumers}/${protectedName(client.random.uuid(), 'consumer-')}`,
      data: this.id,
      isSequential: true,
    });
    const onAbort = (): void => void this.drain();
    if (options.signal?.aborted === true) onAbort();
    else options.signal?.addEventListener('abort', onAbort, { once: true });
    this.closed = this.#run().finally(() => options.signal?.removeEventListener('abort', onAbort));
  }

  get state(): 'consuming' | 'draining' | 'closed' {
    return this.#state;
  }

  /** Jobs in hand now. */
  get inHand(): ReadonlyMap<string, Job<Data>> {
    return this.#inHand;
  }

  /**
   * Takes no more jobs; waits for those in hand, at most until the deadline. Resolves as `closed` does. A second call
   * may only bring the deadline nearer.
   */
  async drain(options: { readonly deadlineMs?: number | undefined } = {}): Promise<void> {
    if (this.#state !== 'closed') {
      this.#state = 'draining';
      this.#intake.abort();
      this.#wake();
      this.#setDeadline(options.deadlineMs ?? this.#drainDeadlineMs);
    }
    await this.closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.drain();
  }

  #setDeadline(deadlineMs: number): void {
    const { clock } = this.#queue.client;
    const at = clock.now() + deadlineMs;
    if (this.#deadlineTimer !== null && this.#deadlineTimer.at <= at) return;
    this.#deadlineTimer?.timer.cancel();
    const timer = clock.setTimer(deadlineMs, () => this.#deadline.abort(deadlineMs), { hold: true });
    this.#deadlineTimer = { at, timer };
  }

  async #run(): Promise<void> {
    // The caller gets the consumer before anything happens in it.
    await Promise.resolve();
    let session: Session | null = null;
    for (let failures = 0; !this.#intake.signal.aborted;) {
      try {
        session = await nextSession(this.#queue.client, null, this.#intake.signal);
        await this.#queue.prepare();
        if (this.#registration.state === 'latent') this.#registration.start();
        await this.#consume();
      } catch (error) {
        if (this.#intake.signal.aborted || isClosed(this.#queue.client, error)) break;
        if (session === null || !isSessionOver(error, session))
          this.#queue.client.logger.error('a queue cannot be consumed', { queue: this.#queue.name, error });
        await pause(this.#queue.client, ++failures, this.#intake.signal).catch(() => undefined);
      }
    }
    await this.#finish();
  }

  async #finish(): Promise<void> {
    if (this.#state === 'consuming') void this.drain();
    await Promise.all(this.#slots.values());
    await this.#view.close();
    await this.#registration.close();
    this.#deadlineTimer?.timer.cancel();
    this.#state = 'closed';
  }

  /** Fills the free slots again and again, until the intake stops or the queue cannot be followed. */
  async #consume(): Promise<void> {
    const { clock } = this.#queue.client;
    this.#viewFailure = null;
    this.#view.open();
    while (!this.#intake.signal.aborted) {
      const changed = new Promise<void>((resolve) => (this.#wake = resolve));
      const notBefore = this.#fillSlots();
      const timer = notBefore === null ? null : clock.setTimer(notBefore - clock.now(), this.#wake);
      await changed.finally(() => timer?.cancel());
      this.#throwViewFailure();
    }
  }

  #throwViewFailure(): void {
    if (this.#viewFailure !== null) throw this.#viewFailure.error;
  }

  /** Takes what there is for the free slots; when to look again though nothing changed, if there is such a moment. */
  #fillSlots(): number | null {
    const { client } = this.#queue;
    if (client.state !== 'connected' || !this.#view.isCurrent) return null;
    const { path } = this.#registration;
    while (this.#slots.size < this.#concurrency) {
      const next = this.#board.next(path === null ? null : nameOf(path), client.clock.now());
      if (next === null) return null;
      if ('notBefore' in next) return next.notBefore;
      this.#takeSlot(next.take, client.session);
    }
    return null;
  }

  #takeSlot(candidate: Candidate, session: Session): void {
    const { job } = candidate;
    this.#board.reserve(job);
    const taken = this.#take(candidate, session)
      .catch((error: unknown) => {
        if (!isClosed(this.#queue.client, error) && !isSessionOver(error, session))
          this.#queue.client.logger.error('a job could not be taken', {
            queue: this.#queue.name,
            job,
            error,
          });
        return TAKEN_PAUSE_MS;
      })
      .then((pauseMs) => {
        this.#board.letGo(job, this.#queue.client.clock.now() + pauseMs);
        this.#slots.delete(job);
        this.#wake();
      });
    this.#slots.set(job, taken);
  }

  /** Claims a job and has it done; resolves to how long it should then be left alone, in milliseconds. */
  async #take(candidate: Candidate, session: Session): Promise<number> {
    const { client, layout } = this.#queue;
    const claim = await claimJob(client, layout, {
      candidate,
      consumer: this.id,
      session,
      signal: this.#deadline.signal,
    });
    if (claim === 'gone') this.#board.forget(candidate.job);
    if (!(claim instanceof Claim)) return TAKEN_PAUSE_MS;
    if (this.#intake.signal.aborted) await this.#giveBack(claim);
    else await this.#work(claim);
    return 0;
  }

  async #work(claim: Claim): Promise<void> {
    const job = await this.#open(claim);
    if (job === null) return;
    const { signal } = claim.session;
    const onSessionEnd = (): void =>
      job.lose(new ClaimLostError(job.id, 'the session is over', signal.reason));
    signal.addEventListener('abort', onSessionEnd, { once: true });
    if (signal.aborted) onSessionEnd();
    this.#inHand.set(job.id, job);
    try {
      const handled = this.#handle(job, claim);
      await orAborted(handled, this.#deadline.signal).catch(() => undefined);
      if (this.#deadline.signal.aborted && !job.isOver) {
        job.lose(new DrainDeadlineError(job.id, Number(this.#deadline.signal.reason)));
        await this.#giveBack(claim);
      }
    } finally {
      signal.removeEventListener('abort', onSessionEnd);
      this.#inHand.delete(job.id);
    }
  }

  /** Null if the job is a dead letter instead: it had all its attempts, or its data cannot be decoded. */
  async #open(claim: Claim): Promise<JobInHand<Data> | null> {
    const { attempts } = claim.record.header;
    try {
      if (attempts <= this.#policy.maxAttempts)
        return new JobInHand(claim, this.#queue.codec.decode(claim.record.payload), this.#policy);
      await this.#bury(
        claim,
        `${attempts - 1} attempts ended without an answer, as by a crash of the worker`,
      );
    } catch (error) {
      await this.#bury(claim, `its data cannot be decoded: ${describeFailure(error)}`);
    }
    return null;
  }

  async #handle(job: JobInHand<Data>, claim: Claim): Promise<void> {
    try {
      const result = await this.#handler(job);
      if (!job.isOver) await job.complete(result);
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

  async #bury(claim: Claim, failure: string): Promise<void> {
    this.#queue.client.logger.warn('a job became a dead letter', {
      queue: this.#queue.name,
      job: claim.job,
      failure,
    });
    const burying = claim.bury(failure, this.#queue.client.clock.wall());
    await burying.catch(async (error: unknown) => {
      this.#logLoss(claim.job, error);
      if (!hasCode(error, 'CLAIM_LOST')) await this.#putOff(claim);
    });
  }

  async #giveBack(claim: Claim): Promise<void> {
    await claim.giveBack().catch((error: unknown) => this.#logLoss(claim.job, error));
  }

  /** The watch told that the claim of `job` vanished: if it was ours and is not being settled, it is lost. */
  async #verify(id: string): Promise<void> {
    const job = this.#inHand.get(id);
    if (job === undefined || job.isOver) return;
    const isHeld = await job.isHeld().catch(() => true);
    if (!isHeld && !job.isSettling) job.lose(new ClaimLostError(id, 'its claim was deleted'));
  }
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
    resultTtlMs: queue.resultTtlMs,
  };
}
