import type { Client, Session, Stat } from '../../client/index.js';
import { Fifo } from '../../runtime/index.js';
import type { Candidate, JobBoard } from './job-board.js';
import type { QueueLayout } from './queue-layout.js';

/** A job's znode as it was read. */
export interface JobRead {
  readonly data: Uint8Array | null;
  readonly stat: Stat;
}

/** What to take next; `reading` if it was read before there was a slot for it. */
export interface Pick {
  readonly take: Candidate;
  readonly reading?: Promise<JobRead> | undefined;
}

interface Ahead {
  readonly candidate: Candidate;
  readonly reading: Promise<JobRead>;
  readonly session: Session;
  /** What the board said when it was reserved. */
  readonly stamp: number;
}

/** Of the payloads that are read before there is a slot for their jobs. */
const MOST_BYTES = 1024 * 1024;

/**
 * Reads the jobs that come next while all slots are taken, so that a slot that becomes free costs one round trip and not
 * two. To others such a job is free as before. Nothing relies on what was read: a claim needs the job to be at the version
 * that it was read at. What the board hears of a job meanwhile throws out what was read of it.
 */
export class ReadAhead {
  readonly #client: Client;
  readonly #layout: QueueLayout;
  readonly #board: JobBoard;
  readonly #most: number;
  readonly #jobs = new Fifo<Ahead>();
  #bytes = 0;

  /** `most` jobs at once. */
  constructor(client: Client, layout: QueueLayout, board: JobBoard, most: number) {
    this.#client = client;
    this.#layout = layout;
    this.#board = board;
    this.#most = most;
  }

  /** As `JobBoard.next`; a job that was read goes first, unless there is one of higher priority now. */
  next(own: string, now: number, session: Session): Pick | { readonly notBefore: number } | null {
    let first = this.#jobs.peek();
    for (; first !== undefined && !this.#isGood(first, session); first = this.#jobs.peek()) {
      this.#shift();
      this.#board.letGo(first.candidate.job);
    }
    const next = this.#board.next(own, now);
    if (first === undefined) return next;
    const { facts } = first.candidate;
    if (next !== null && 'take' in next && next.take.facts.priority > facts.priority) return next;
    this.#shift();
    return { take: first.candidate, reading: first.reading };
  }

  /** Reads as many as there is room for. */
  fill(own: string, now: number, session: Session): void {
    while (this.#jobs.length < this.#most && this.#bytes < MOST_BYTES) {
      const next = this.#board.next(own, now);
      // Of a job whose name does not tell its size it is not known what it would take.
      if (next === null || 'notBefore' in next || next.take.facts.bytes === 0) return;
      const { job, facts } = next.take;
      const reading = this.#client.getData(`${this.#layout.jobs}/${job}`, { session: session.epoch });
      // Whoever takes it sees why it failed; perhaps nobody does.
      reading.catch(() => undefined);
      this.#jobs.push({ candidate: next.take, reading, session, stamp: this.#board.reserve(job) });
      this.#bytes += facts.bytes;
    }
  }

  #isGood({ candidate, session, stamp }: Ahead, current: Session): boolean {
    return session === current && !this.#board.isPaused && this.#board.isReservedSince(candidate.job, stamp);
  }

  #shift(): void {
    this.#bytes -= this.#jobs.shift()?.candidate.facts.bytes ?? 0;
  }
}
