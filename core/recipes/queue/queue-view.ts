import { allChildren, type Client, type WatchStreamEvent } from '../../client/index.js';
import { RecipeStateError } from '../errors.js';
import { repeatIdempotentAcrossSessions } from '../waiting/failure.js';
import type { JobBoard, QueueListing } from './job-board.js';
import { parseDelay, type QueueLayout } from './queue-layout.js';

/** Events kept while the queue is being read; with more than these it is read once more instead. */
const MOST_KEPT_EVENTS = 4_096;

export interface QueueViewListener {
  /** The board may have something new. */
  changed(): void;
  /** A job changed, or is gone. */
  jobTouched(job: string, change: 'dataChanged' | 'deleted'): void;
  /** What happened for a while is not known. */
  readAnew(): void;
  /** The queue cannot be followed any more; the view has stopped and can be opened again. */
  failed(error: unknown): void;
}

/**
 * Keeps a job board true: by one recursive watch on the queue, and by reading the queue's lists whenever the watch is
 * armed anew, because events may have been missed before. Events that come during a reading are applied after it.
 */
export class QueueView {
  readonly #client: Client;
  readonly #layout: QueueLayout;
  readonly #board: JobBoard;
  readonly #listener: QueueViewListener;
  #closing = new AbortController();
  #following: Promise<void> | null = null;
  #kept: WatchStreamEvent[] = [];
  #isReading = false;
  #mustRead = true;

  constructor(client: Client, layout: QueueLayout, board: JobBoard, listener: QueueViewListener) {
    this.#client = client;
    this.#layout = layout;
    this.#board = board;
    this.#listener = listener;
  }

  /** Whether the board has been read since the watch was armed. */
  get isCurrent(): boolean {
    return !this.#isReading && !this.#mustRead;
  }

  /** Begins to follow the queue, if it is not being followed. */
  open(): void {
    if (this.#following !== null) return;
    this.#closing = new AbortController();
    this.#mustRead = true;
    this.#isReading = false;
    this.#following = this.#follow(this.#closing.signal);
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.#following;
  }

  async #follow(signal: AbortSignal): Promise<void> {
    try {
      const stream = this.#client.watch(this.#layout.path, { recursive: true, signal });
      for await (const event of stream) {
        this.#follows(event, signal);
        for (const next of stream.take()) this.#follows(next, signal);
        if (this.isCurrent) this.#listener.changed();
      }
      // By itself the stream ends only when the client closes.
      this.#fail(new RecipeStateError('WorkQueue', this.#layout.path, 'closed', 'consuming'));
    } catch (error) {
      this.#fail(error);
    }
  }

  #follows(event: WatchStreamEvent, signal: AbortSignal): void {
    if (event.type === 'armed') this.#read(signal);
    else if (this.isCurrent) this.#note(event);
    else this.#keep(event);
  }

  #keep(event: WatchStreamEvent): void {
    this.#kept.push(event);
    if (this.#kept.length <= MOST_KEPT_EVENTS) return;
    this.#kept = [];
    this.#mustRead = true;
  }

  #read(signal: AbortSignal): void {
    this.#mustRead = true;
    if (this.#isReading) return;
    this.#isReading = true;
    this.#readUntilCurrent(signal).catch((error: unknown) => this.#fail(error));
  }

  async #readUntilCurrent(signal: AbortSignal): Promise<void> {
    while (this.#mustRead) {
      this.#mustRead = false;
      this.#kept = [];
      const listing = await this.#list(signal);
      if (signal.aborted) return;
      this.#board.reconcile(listing, this.#client.clock.now(), this.#toMonotonic);
    }
    this.#isReading = false;
    this.#listener.readAnew();
    for (const event of this.#kept.splice(0)) this.#note(event);
    this.#listener.changed();
  }

  /** The delays first: one that is made while this goes on is then told of by an event. */
  async #list(signal: AbortSignal): Promise<QueueListing> {
    const { jobs, delays, consumers, slots, paused } = this.#layout;
    const [lists, pausedStat] = await Promise.all([
      Promise.all([delays, consumers, slots, jobs].map((path) => this.#children(path, signal))),
      repeatIdempotentAcrossSessions(this.#client, () => this.#client.exists(paused), signal),
    ]);
    const [delayNames, consumerNames, slotNames, jobNames] = lists;
    return {
      jobs: jobNames!,
      consumers: consumerNames!,
      slots: slotNames!,
      isPaused: pausedStat !== null,
      delays: delayNames!.flatMap((name) => {
        const delay = parseDelay(name);
        return delay === null ? [] : [{ name, ...delay }];
      }),
    };
  }

  #children(path: string, signal: AbortSignal): Promise<readonly string[]> {
    return repeatIdempotentAcrossSessions(this.#client, () => allChildren(this.#client, path), signal);
  }

  #note(event: WatchStreamEvent): void {
    const { type } = event;
    if (type === 'armed' || type === 'childrenChanged') return;
    const now = this.#client.clock.now();
    const job = this.#layout.jobAt(event.path);
    if (job !== null) {
      this.#board.noteJob(job, type, now, this.#toMonotonic);
      if (type !== 'created') this.#listener.jobTouched(job, type);
      return;
    }
    const subject = this.#layout.subjectOf(event.path);
    if (subject !== null) this.#board.note(subject, type, now, this.#toMonotonic);
  }

  readonly #toMonotonic = (wallMs: number): number =>
    this.#client.clock.now() + wallMs - this.#client.clock.wall();

  #fail(error: unknown): void {
    if (this.#closing.signal.aborted) return;
    this.#closing.abort();
    this.#following = null;
    this.#listener.failed(error);
  }
}
