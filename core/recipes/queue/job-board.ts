import { compareSequences } from '../contention/sequence.js';
import { jobSequence, type QueueSubject } from './queue-layout.js';

/** A look at the whole queue: names of children. */
export interface QueueListing {
  readonly jobs: readonly string[];
  readonly claims: readonly string[];
  readonly delays: readonly { readonly name: string; readonly job: string; readonly dueAt: number }[];
  readonly consumers: readonly string[];
}

/** A job that may be claimed, with the delay that is to be removed along with it. */
export interface Candidate {
  readonly job: string;
  readonly delay: string | null;
}

interface Entry {
  readonly sequence: number;
  isClaimed: boolean;
  /** This consumer is at it. */
  isReserved: boolean;
  delay: { readonly name: string; readonly at: number } | null;
  /** When it became free, or known. */
  since: number;
  /** Not to be tried before: another was faster a moment ago. */
  pausedUntil: number;
}

/** How much longer each next consumer waits before it takes a job that is meant for another; and the longest. */
const STEP_MS = 40;
const LONGEST_GRACE_MS = 200;

/**
 * What one consumer knows of the queue, and which job it takes next. Fed by one recursive watch on the queue, so
 * nobody reads anything on account of what another consumer does.
 *
 * No herd: the consumers, in order of their sequence numbers, are dealt the jobs by theirs. The one that a job is dealt
 * to takes it at once; every other one waits a little longer the further it stands behind, and by then sees that
 * the job is claimed. Only jobs of consumers that are busy or gone are thus taken by others.
 *
 * All times are monotonic milliseconds.
 */
export class JobBoard {
  readonly #entries = new Map<string, Entry>();
  /** Sorted by sequence number. */
  #consumers: readonly string[] = [];

  get size(): number {
    return this.#entries.size;
  }

  /** Replaces everything by what was read; `toMonotonic` turns a wall time into a monotonic one. */
  reconcile(listing: QueueListing, now: number, toMonotonic: (wallMs: number) => number): void {
    const claimed = new Set(listing.claims);
    const fresh = new Map<string, Entry>();
    const sequences = listing.jobs.flatMap((job) => {
      const sequence = jobSequence(job);
      return sequence === null ? [] : [{ job, sequence }];
    });
    for (const { job, sequence } of sequences.sort((a, b) => compareSequences(a.sequence, b.sequence))) {
      const known = this.#entries.get(job) ?? newEntry(sequence, now);
      fresh.set(job, { ...known, isClaimed: claimed.has(job), delay: null });
    }
    for (const { name, job, dueAt } of listing.delays) {
      const entry = fresh.get(job);
      if (entry !== undefined) entry.delay = { name, at: toMonotonic(dueAt) };
    }
    this.#entries.clear();
    for (const [job, entry] of fresh) this.#entries.set(job, entry);
    this.#consumers = sortConsumers(listing.consumers);
  }

  /** Takes note of a znode that appeared or vanished. */
  note(
    subject: QueueSubject,
    change: 'created' | 'deleted',
    now: number,
    toMonotonic: (wallMs: number) => number,
  ): void {
    const isThere = change === 'created';
    switch (subject.type) {
      case 'job':
        if (!isThere) this.#entries.delete(subject.name);
        else if (!this.#entries.has(subject.name))
          this.#entries.set(subject.name, newEntry(jobSequence(subject.name) ?? 0, now));
        break;
      case 'claim': {
        const entry = this.#entries.get(subject.name);
        if (entry === undefined) break;
        entry.isClaimed = isThere;
        entry.since = now;
        break;
      }
      case 'delay': {
        const entry = this.#entries.get(subject.job);
        if (entry === undefined) break;
        if (isThere) entry.delay = { name: subject.name, at: toMonotonic(subject.dueAt) };
        else if (entry.delay?.name === subject.name) entry.delay = null;
        break;
      }
      case 'consumer':
        this.#consumers = sortConsumers(
          isThere
            ? [...new Set([...this.#consumers, subject.name])]
            : this.#consumers.filter((name) => name !== subject.name),
        );
        break;
    }
  }

  /**
   * What the consumer `own` (null: not registered yet) should try now; or the moment at which there may be something;
   * or null if nothing is to be had until something changes.
   */
  next(
    own: string | null,
    now: number,
  ): { readonly take: Candidate } | { readonly notBefore: number } | null {
    const place = own === null ? -1 : this.#consumers.indexOf(own);
    let best: { readonly job: string; readonly entry: Entry; readonly distance: number } | null = null;
    let notBefore = Infinity;
    for (const [job, entry] of this.#entries) {
      if (entry.isClaimed || entry.isReserved) continue;
      const distance = this.#distance(entry.sequence, place);
      const at = readyAt(entry, distance);
      if (at > now) notBefore = Math.min(notBefore, at);
      else if (best === null || distance < best.distance) best = { job, entry, distance };
      if (best?.distance === 0) break;
    }
    if (best !== null) return { take: { job: best.job, delay: best.entry.delay?.name ?? null } };
    return notBefore === Infinity ? null : { notBefore };
  }

  /** The consumer is at it: `next` does not give it again until it is let go. */
  reserve(job: string): void {
    const entry = this.#entries.get(job);
    if (entry !== undefined) entry.isReserved = true;
  }

  letGo(job: string, pausedUntil = 0): void {
    const entry = this.#entries.get(job);
    if (entry === undefined) return;
    entry.isReserved = false;
    entry.pausedUntil = pausedUntil;
  }

  /** It turned out not to exist any more. */
  forget(job: string): void {
    this.#entries.delete(job);
  }

  /** How far behind the consumer that the job is dealt to this one stands: 0 is the one itself. */
  #distance(sequence: number, place: number): number {
    const count = this.#consumers.length;
    if (place < 0) return Math.max(1, count);
    const dealtTo = ((sequence % count) + count) % count;
    return (place - dealtTo + count) % count;
  }
}

function newEntry(sequence: number, now: number): Entry {
  return { sequence, isClaimed: false, isReserved: false, delay: null, since: now, pausedUntil: 0 };
}

function readyAt(entry: Entry, distance: number): number {
  const grace = Math.min(distance * STEP_MS, LONGEST_GRACE_MS);
  return Math.max(Math.max(entry.since, entry.delay?.at ?? 0) + grace, entry.pausedUntil);
}

/** Consumers' names end in a number that pads to the same length, all with the same marker before it. */
function sortConsumers(names: readonly string[]): readonly string[] {
  return names.toSorted((a, b) => compareSequences(lastNumber(a), lastNumber(b)));
}

function lastNumber(name: string): number {
  return Number(name.slice(name.lastIndexOf('consumer-') + 'consumer-'.length)) | 0;
}
