import { compareSequences } from '../contention/sequence.js';
import { Heap } from './heap.js';
import { parseJobName, type JobName } from './job-name.js';
import type { QueueSubject } from './queue-layout.js';

/** A look at the whole queue: names of children. */
export interface QueueListing {
  readonly jobs: readonly string[];
  readonly delays: readonly { readonly name: string; readonly job: string; readonly dueAt: number }[];
  readonly consumers: readonly string[];
  readonly slots: readonly string[];
  readonly isPaused: boolean;
}

/** A job that may be claimed. */
export interface Candidate {
  readonly job: string;
  readonly facts: JobName;
  /** To be handed to `learnClaimed` and `learnBlocked`: what was seen counts only as long as nothing has happened since. */
  readonly departures: number;
  readonly childrenOver: number;
}

/**
 * - free: never touched, as far as is known;
 * - claimed: somebody took it, and has not put it back;
 * - doubtful: somebody may have it, or may have had it and be gone; who tries to claim it finds out;
 * - blocked: it waits for its children.
 */
type EntryState = 'free' | 'claimed' | 'doubtful' | 'blocked';

interface Entry {
  readonly job: string;
  readonly facts: JobName;
  /** Decides whom it is dealt to. */
  readonly hash: number;
  /** Of the first attempt; monotonic. */
  readonly dueAt: number;
  state: EntryState;
  /** This consumer is at it. */
  isReserved: boolean;
  delay: { readonly name: string; readonly at: number } | null;
  /** When it became free, or known. */
  since: number;
  /** Not to be tried before: another was faster a moment ago. */
  pausedUntil: number;
  /** Grows with every change, which makes what the heaps hold of it out of date. */
  stamp: number;
  /** Of its children, seen to be over. */
  childrenOver: number;
}

/** What decides the order stands in the offer itself: it is compared often. */
interface Offer {
  readonly entry: Entry;
  readonly stamp: number;
  readonly at: number;
  readonly priority: number;
  /** Whether it is dealt to another. */
  readonly isOthers: boolean;
  /** Lower goes first; both are negated in what is dealt to others. */
  readonly age: number;
  readonly number: number;
}

/** How much longer each next consumer waits before it takes a job that is meant for another; and the longest. */
const STEP_MS = 40;
const LONGEST_GRACE_MS = 200;

/**
 * What one consumer knows of the queue, and which job it takes next. Fed by one recursive watch on the queue, so
 * nobody reads anything on account of what another consumer does.
 *
 * No herd: the jobs are dealt to the consumers by a hash of their names. The one that a job is dealt to takes it at once;
 * every other one waits a little longer the further it stands behind, and by then sees that the job is claimed. Only
 * jobs of consumers that are busy or gone are thus taken by others.
 *
 * Order: by priority, then what is dealt to this consumer, then by age; of what is dealt to others the youngest
 * first, since those it is dealt to begin with the oldest, and two who try the same job are in each other's way. All times are monotonic milliseconds. What comes
 * next is found in the logarithm of the number of jobs: a heap by time of what is not to be had yet, and one by order of
 * what is. Their items are never searched for; those that are out of date are passed over.
 */
export class JobBoard {
  readonly #entries = new Map<string, Entry>();
  readonly #later = new Heap<Offer>((a, b) => a.at - b.at);
  readonly #now = new Heap<Offer>(compareOffers);
  /** Sorted by sequence number. */
  #consumers: readonly string[] = [];
  #own: string | null = null;
  /** Where this consumer stands among them; -1 if it does not yet. */
  #place = -1;
  /** The latest moment that was told. */
  #seenAt = 0;
  #slots = new Set<string>();
  #slotDepartures = 0;
  #groupPauses = new Map<string | null, number>();
  #departures = 0;
  isPaused = false;

  get size(): number {
    return this.#entries.size;
  }

  get consumerCount(): number {
    return this.#consumers.length;
  }

  /** Slots of the fleet that somebody has. */
  get slots(): ReadonlySet<string> {
    return this.#slots;
  }

  /** Grows whenever a slot of the fleet may have been given back. */
  get slotDepartures(): number {
    return this.#slotDepartures;
  }

  /** Replaces everything by what was read; `toMonotonic` turns a wall time into a monotonic one. */
  reconcile(listing: QueueListing, now: number, toMonotonic: (wallMs: number) => number): void {
    const known = new Map(this.#entries);
    this.#entries.clear();
    this.#departures++;
    for (const job of listing.jobs) {
      const facts = parseJobName(job);
      if (facts === null) continue;
      const entry = known.get(job) ?? newEntry(job, facts, now, toMonotonic);
      // Nobody can tell from the names alone whether it is claimed.
      this.#entries.set(job, Object.assign(entry, { state: 'doubtful', delay: null }));
    }
    for (const { name, job, dueAt } of listing.delays) {
      const entry = this.#entries.get(job);
      if (entry !== undefined) entry.delay = { name, at: toMonotonic(dueAt) };
    }
    this.#slots = new Set(listing.slots);
    this.#slotDepartures++;
    this.isPaused = listing.isPaused;
    this.#seenAt = now;
    this.#deal(this.#own, sortConsumers(listing.consumers));
  }

  /** Takes note of a znode that appeared, changed or vanished. */
  note(
    subject: QueueSubject,
    change: 'created' | 'dataChanged' | 'deleted',
    now: number,
    toMonotonic: (wallMs: number) => number,
  ): void {
    const isThere = change !== 'deleted';
    switch (subject.type) {
      case 'job':
        this.noteJob(subject.name, change, now, toMonotonic);
        break;
      case 'delay': {
        const entry = this.#entries.get(subject.job);
        if (entry === undefined || change === 'dataChanged') break;
        if (isThere) entry.delay = { name: subject.name, at: toMonotonic(subject.dueAt) };
        else if (entry.delay?.name === subject.name) entry.delay = null;
        entry.since = now;
        this.#offer(entry);
        break;
      }
      case 'child': {
        const entry = isThere ? undefined : this.#entries.get(subject.parent);
        if (entry === undefined) break;
        entry.childrenOver++;
        if (entry.state === 'blocked') this.#change(entry, 'doubtful');
        break;
      }
      case 'consumer':
        if (change !== 'dataChanged') this.#noteConsumer(subject.name, isThere, now);
        break;
      case 'slot':
        if (isThere) this.#slots.add(subject.name);
        else if (this.#slots.delete(subject.name)) this.#slotDepartures++;
        break;
      case 'paused':
        this.isPaused = isThere;
        break;
      case 'dead':
      case 'result':
      case 'progress':
        break;
    }
  }

  /** As `note`, of a znode among the jobs; most of what happens is of these. Their names are read once. */
  noteJob(
    job: string,
    change: 'created' | 'dataChanged' | 'deleted',
    now: number,
    toMonotonic: (wallMs: number) => number,
  ): void {
    if (change === 'deleted') return this.forget(job);
    const known = this.#entries.get(job);
    if (known !== undefined) return change === 'dataChanged' ? this.#change(known, 'claimed') : undefined;
    const facts = parseJobName(job);
    if (facts === null) return;
    const made = newEntry(job, facts, now, toMonotonic);
    if (change === 'dataChanged') made.state = 'claimed';
    else if (facts.isParent) made.state = 'blocked';
    this.#entries.set(job, made);
    this.#offer(made);
  }

  /**
   * What the consumer `own` (null: not registered yet) should try now; or the moment at which there may be something;
   * or null if nothing is to be had until something changes.
   */
  next(
    own: string | null,
    now: number,
  ): { readonly take: Candidate } | { readonly notBefore: number } | null {
    if (this.isPaused) return null;
    this.#seenAt = now;
    if (own !== this.#own) this.#deal(own, this.#consumers);
    else if (this.#later.size + this.#now.size > 2 * this.#entries.size + 1_000) this.#offerAll();
    let offer = this.#later.peek();
    for (; offer !== undefined && (offer.at <= now || !isCurrent(offer)); offer = this.#later.peek())
      if (isCurrent(this.#later.pop()!)) this.#now.push(offer);
    const best = this.#best(now);
    if (best !== null) {
      const { job, facts, childrenOver } = best;
      return { take: { job, facts, departures: this.#departures, childrenOver } };
    }
    const later = this.#later.peek();
    return later === undefined ? null : { notBefore: later.at };
  }

  /** The consumer is at it: `next` does not give it again until it is let go. Gives what `isReservedSince` asks for. */
  reserve(job: string): number {
    const entry = this.#entries.get(job);
    if (entry === undefined) return -1;
    entry.isReserved = true;
    return ++entry.stamp;
  }

  /** Whether nothing was heard of it since it was reserved. */
  isReservedSince(job: string, stamp: number): boolean {
    return this.#entries.get(job)?.stamp === stamp;
  }

  letGo(job: string, pausedUntil = 0): void {
    const entry = this.#entries.get(job);
    if (entry === undefined) return;
    entry.isReserved = false;
    entry.pausedUntil = pausedUntil;
    this.#offer(entry);
  }

  /** It turned out not to exist any more. */
  forget(job: string): void {
    const entry = this.#entries.get(job);
    if (entry === undefined) return;
    entry.stamp++;
    this.#entries.delete(job);
  }

  /** It turned out to be another's. */
  learnClaimed({ job, departures }: Candidate): void {
    const entry = this.#entries.get(job);
    if (entry !== undefined && departures === this.#departures) this.#change(entry, 'claimed');
  }

  /** It turned out to wait for its children. */
  learnBlocked({ job, childrenOver }: Candidate): void {
    const entry = this.#entries.get(job);
    if (entry?.childrenOver === childrenOver) this.#change(entry, 'blocked');
  }

  /** No job of the group (null: no job at all) is to be tried before. */
  pauseGroup(group: string | null, until: number): void {
    this.#groupPauses.set(group, until);
    for (const [paused, at] of this.#groupPauses) if (at < until - 60_000) this.#groupPauses.delete(paused);
  }

  #noteConsumer(name: string, isThere: boolean, now: number): void {
    const others = this.#consumers.filter((other) => other !== name);
    if (!isThere) {
      this.#departures++;
      for (const entry of this.#entries.values()) {
        if (entry.state !== 'claimed') continue;
        entry.state = 'doubtful';
        entry.since = now;
      }
    }
    this.#deal(this.#own, isThere ? sortConsumers([...others, name]) : others);
  }

  #change(entry: Entry, state: EntryState): void {
    entry.state = state;
    this.#offer(entry);
  }

  /** The first that is to be had, and stays so until it is reserved or changes. */
  #best(now: number): Entry | null {
    for (let offer = this.#now.peek(); offer !== undefined; offer = this.#now.peek()) {
      const { entry } = offer;
      if (isCurrent(offer)) {
        const until = Math.max(this.#pausedUntil(null), this.#pausedUntil(entry.facts.group));
        if (until <= now) return entry;
        this.#later.push({ ...offer, at: until });
      }
      this.#now.pop();
    }
    return null;
  }

  #pausedUntil(group: string | null): number {
    return this.#groupPauses.get(group) ?? 0;
  }

  #offerAll(): void {
    this.#later.clear();
    this.#now.clear();
    for (const entry of this.#entries.values()) this.#offer(entry);
  }

  #offer(entry: Entry): void {
    const stamp = ++entry.stamp;
    const { facts, state, delay } = entry;
    if (entry.isReserved || (delay === null && (state === 'claimed' || state === 'blocked'))) return;
    const distance = this.#distance(entry.hash);
    const grace = Math.min(distance * STEP_MS, LONGEST_GRACE_MS);
    const at = Math.max(Math.max(entry.since, delay?.at ?? entry.dueAt) + grace, entry.pausedUntil);
    const sign = distance === 0 ? 1 : -1;
    const offer: Offer = {
      entry,
      stamp,
      at,
      priority: facts.priority,
      isOthers: distance !== 0,
      age: sign * facts.enqueuedAt,
      number: sign * facts.number,
    };
    if (at <= this.#seenAt) this.#now.push(offer);
    else this.#later.push(offer);
  }

  /** How far behind the consumer that the job is dealt to this one stands: 0 is the one itself. */
  #distance(hash: number): number {
    const count = this.#consumers.length;
    if (this.#place < 0) return Math.max(1, count);
    return (this.#place - (hash % count) + count) % count;
  }

  #deal(own: string | null, consumers: readonly string[]): void {
    this.#own = own;
    this.#consumers = consumers;
    this.#place = own === null ? -1 : consumers.indexOf(own);
    this.#offerAll();
  }
}

function isCurrent({ entry, stamp }: Offer): boolean {
  return entry.stamp === stamp;
}

function compareOffers(a: Offer, b: Offer): number {
  if (a.priority !== b.priority) return b.priority - a.priority;
  if (a.isOthers !== b.isOthers) return a.isOthers ? 1 : -1;
  return a.age - b.age || a.number - b.number;
}

function newEntry(job: string, facts: JobName, now: number, toMonotonic: (wallMs: number) => number): Entry {
  return {
    job,
    facts,
    hash: hashOf(job),
    dueAt: facts.dueAt === 0 ? 0 : toMonotonic(facts.dueAt),
    state: 'free',
    isReserved: false,
    delay: null,
    since: now,
    pausedUntil: 0,
    stamp: 0,
    childrenOver: 0,
  };
}

/** FNV-1a, 32 bits. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  return hash >>> 0;
}

/** Consumers' names end in a number that pads to the same length, all with the same marker before it. */
function sortConsumers(names: readonly string[]): readonly string[] {
  return names.toSorted((a, b) => compareSequences(lastNumber(a), lastNumber(b)));
}

function lastNumber(name: string): number {
  return Number(name.slice(name.lastIndexOf('consumer-') + 'consumer-'.length)) | 0;
}
