import type { Session } from '../../client/index.js';
import { checkOptions, type OptionNames, type Timer } from '../../runtime/index.js';
import { protectedName } from '../contention/sequence.js';
import { KeptNode } from '../nodes/kept-node.js';
import { nameOf } from '../nodes/znode-name.js';
import { isClosed, isSessionOver, nextSession, pause } from '../waiting/failure.js';
import { Claim, claimJob, type ClaimDesk, type ClaimOutcome } from './claim.js';
import type { ConsumedQueue, ConsumeOptions, JobHandler } from './consume-options.js';
import { FleetLimits, NO_LIMIT } from './fleet-limits.js';
import { JobBoard, type Candidate } from './job-board.js';
import type { Job } from './job.js';
import { ReadAhead, type JobRead, type Pick } from './read-ahead.js';
import { QueueView } from './queue-view.js';
import { Workbench } from './workbench.js';

const DEFAULT_DRAIN_DEADLINE_MS = 10_000;
/** How long a job is left alone that another claimed a moment before; by then the watch has told of it. */
const TAKEN_PAUSE_MS = 250;
/** How soon to look again for the own registration, of whose making nobody tells. */
const REGISTRATION_PAUSE_MS = 10;

const DRAIN_OPTIONS: OptionNames<{ readonly deadlineMs?: number | undefined }> = { deadlineMs: true };

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
 *
 * A slot is free as soon as its handler has returned: the next job, which has been read by then, is claimed in the
 * same transaction in which the last one is settled, together with those of other slots.
 */
export class QueueConsumer<Data = unknown> implements AsyncDisposable {
  readonly id: string;
  /** Resolves when closed, after the drain. Never rejects. */
  readonly closed: Promise<void>;
  readonly #queue: ConsumedQueue<Data>;
  readonly #concurrency: number;
  readonly #drainDeadlineMs: number;
  readonly #desk: ClaimDesk;
  readonly #board = new JobBoard();
  readonly #view: QueueView;
  readonly #registration: KeptNode;
  readonly #bench: Workbench<Data>;
  readonly #limits: FleetLimits;
  readonly #ahead: ReadAhead;
  readonly #intake = new AbortController();
  readonly #deadline = new AbortController();
  /** From the claim's first request until the job is settled. */
  readonly #open = new Map<string, Promise<void>>();
  /** From the claim's first request until the handler returned. */
  #slotsTaken = 0;
  #state: 'consuming' | 'draining' | 'closed' = 'consuming';
  #deadlineTimer: { readonly at: number; readonly timer: Timer } | null = null;
  #viewFailure: { readonly error: unknown } | null = null;
  #wake: () => void = () => undefined;

  /** Made, and started, by `WorkQueue.consume`. */
  constructor(queue: ConsumedQueue<Data>, handler: JobHandler<Data>, options: ConsumeOptions = {}) {
    const { client, layout, transactions } = queue;
    this.id = options.id ?? client.random.uuid();
    this.#queue = queue;
    this.#concurrency = options.concurrency ?? 1;
    if (!Number.isInteger(this.#concurrency) || this.#concurrency < 1)
      throw new RangeError(`concurrency must be a whole number above 0, not ${this.#concurrency}`);
    this.#drainDeadlineMs = options.drainDeadlineMs ?? DEFAULT_DRAIN_DEADLINE_MS;
    this.#bench = new Workbench(queue, handler, {
      ...options,
      deadline: this.#deadline.signal,
    });
    this.#desk = { client, layout, transactions };
    this.#limits = new FleetLimits(this.#desk, this.#board, options, () => this.#wake());
    this.#ahead = new ReadAhead(client, layout, this.#board, this.#concurrency);
    this.#view = new QueueView(client, layout, this.#board, {
      changed: () => this.#wake(),
      jobTouched: (job, change) => this.#bench.touch(job, change),
      readAnew: () => this.#readAnew(),
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

  /** Whether it takes what comes: it is registered, and knows what is in the queue. */
  get isReady(): boolean {
    return this.#state === 'consuming' && this.#registration.isThere && this.#view.isCurrent;
  }

  /** Jobs in hand now. */
  get inHand(): ReadonlyMap<string, Job<Data>> {
    return this.#bench.inHand;
  }

  /**
   * Takes no more jobs; waits for those in hand, at most until the deadline. Resolves as `closed` does. A second call
   * may only bring the deadline nearer.
   */
  async drain(options: { readonly deadlineMs?: number | undefined } = {}): Promise<void> {
    checkOptions('QueueConsumer.drain', options, DRAIN_OPTIONS);
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
    await Promise.all(this.#open.values());
    await this.#limits.close();
    await this.#view.close();
    await this.#registration.close();
    this.#deadlineTimer?.timer.cancel();
    this.#bench.close();
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
    if (path === null) return client.clock.now() + REGISTRATION_PAUSE_MS;
    const { session } = client;
    const own = nameOf(path);
    let retryAt: number | null = null;
    while (this.#slotsTaken < this.#concurrency && this.#open.size < 3 * this.#concurrency) {
      ({ retryAt } = this.#limits);
      if (retryAt !== null) break;
      const next = this.#ahead.next(own, client.clock.now(), session);
      if (next === null || 'notBefore' in next) this.#limits.giveBackIdle(session);
      if (next === null) return null;
      if ('notBefore' in next) return next.notBefore;
      this.#takeSlot(next, own, session);
    }
    if (!this.#limits.areRated) this.#ahead.fill(own, client.clock.now(), session);
    return retryAt;
  }

  #takeSlot({ take: candidate, reading }: Pick, consumer: string, session: Session): void {
    const { job } = candidate;
    const { client, name } = this.#queue;
    this.#board.reserve(job);
    this.#bench.expect(job);
    this.#slotsTaken++;
    let isFree = false;
    const free = (): void => {
      if (isFree) return;
      isFree = true;
      this.#slotsTaken--;
      this.#wake();
    };
    const taken = this.#take(candidate, { consumer, session, free, reading })
      .catch((error: unknown) => {
        if (!this.#intake.signal.aborted && !isClosed(client, error) && !isSessionOver(error, session))
          client.logger.error('a job could not be taken', { queue: name, job, error });
        return TAKEN_PAUSE_MS;
      })
      .then((pauseMs) => {
        this.#board.letGo(job, client.clock.now() + pauseMs);
        this.#bench.leave(job);
        this.#open.delete(job);
        free();
        this.#wake();
        this.#sweepResults();
      });
    this.#open.set(job, taken);
  }

  /** Claims a job and has it done; resolves to how long it should then be left alone, in milliseconds. */
  async #take(
    candidate: Candidate,
    options: {
      readonly consumer: string;
      readonly session: Session;
      readonly free: () => void;
      readonly reading: Promise<JobRead> | undefined;
    },
  ): Promise<number> {
    const { session, free } = options;
    const admission = this.#limits.isUnlimited
      ? NO_LIMIT
      : await this.#limits.admit(candidate.facts.group, session, this.#intake.signal);
    if (admission.type === 'later') return 0;
    let isLeft = false;
    const leave = (): void => {
      if (!isLeft) this.#limits.left(admission);
      isLeft = true;
    };
    try {
      const { signal } = this.#deadline;
      const claim = await claimJob(this.#desk, { ...options, candidate, signal });
      if (!(claim instanceof Claim)) return this.#learn(candidate, claim);
      if (this.#intake.signal.aborted) await this.#bench.giveBack(claim);
      else {
        // The slot is free when the handler has returned: what is settled is no work any more.
        const handled = (): void => {
          leave();
          free();
        };
        await this.#bench.work(claim, handled);
      }
      return 0;
    } finally {
      leave();
    }
  }

  /** What is known of a job that could not be claimed. */
  #learn(candidate: Candidate, outcome: Exclude<ClaimOutcome, Claim>): number {
    if (outcome === 'gone') this.#board.forget(candidate.job);
    if (outcome === 'held') this.#board.learnClaimed(candidate);
    if (outcome === 'blocked') this.#board.learnBlocked(candidate);
    return TAKEN_PAUSE_MS;
  }

  /** What happened for a while is not known. */
  #readAnew(): void {
    this.#bench.verifyAll();
    this.#sweepResults();
  }

  #sweepResults(): void {
    const { client, name: queue, results } = this.#queue;
    if (!results.isSweepDue) return;
    results.sweep().catch((error: unknown) => {
      if (!isClosed(client, error)) client.logger.warn('old results could not be removed', { queue, error });
    });
  }
}
