import type { MultiError, Session } from '../../client/index.js';
import { hasCode, isTransient } from '../waiting/failure.js';
import type { ClaimDesk } from './claim.js';
import type { ConsumeOptions, RateLimit } from './consume-options.js';
import type { JobBoard } from './job-board.js';
import { RateGate } from './rate-gate.js';

/** Whether a job may be begun; what has been taken for it is to be handed to `left`. */
export type Admission =
  { readonly type: 'now'; readonly slot: Slot | null } | { readonly type: 'later'; readonly waitMs: number };

interface Slot {
  readonly name: string;
  readonly session: Session;
}

/** How soon to look again when all slots of the fleet are taken, though nobody tells of one that is free. */
const SLOT_PAUSE_MS = 500;
/** What `admit` comes to where there is no limit. */
export const NO_LIMIT: Admission = { type: 'now', slot: null };

/**
 * What the fleet does together: so many jobs at once, so many in a span of time.
 *
 * A slot of the fleet is an ephemeral znode, which a consumer keeps for its next job as long as there is one: it costs an
 * operation when work begins and one when there is no more, none in between. It goes with its session.
 */
export class FleetLimits {
  readonly #desk: ClaimDesk;
  readonly #board: JobBoard;
  readonly #concurrency: number | undefined;
  readonly #groupRate: RateLimit | undefined;
  readonly #allGate: RateGate | null;
  readonly #groupGates = new Map<string, RateGate>();
  #idle: Slot[] = [];
  /** Numbers that are being asked for, or had. */
  readonly #own = new Set<string>();

  /** Throws `RangeError`. */
  constructor(desk: ClaimDesk, board: JobBoard, options: ConsumeOptions) {
    const { fleetConcurrency, rateLimit, groupRateLimit } = options;
    this.#desk = desk;
    this.#board = board;
    if (fleetConcurrency !== undefined && !(Number.isInteger(fleetConcurrency) && fleetConcurrency >= 1))
      throw new RangeError(`fleetConcurrency must be a whole number above 0, not ${fleetConcurrency}`);
    for (const limit of [rateLimit, groupRateLimit]) checkRate(limit);
    this.#concurrency = fleetConcurrency;
    this.#groupRate = groupRateLimit;
    this.#allGate = rateLimit === undefined ? null : new RateGate(desk, null, rateLimit);
  }

  /** Whether there is no limit at all. */
  get isUnlimited(): boolean {
    return this.#concurrency === undefined && this.#allGate === null && this.#groupRate === undefined;
  }

  async admit(group: string | null, session: Session): Promise<Admission> {
    if (this.isUnlimited) return NO_LIMIT;
    const slot = this.#concurrency === undefined ? null : await this.#takeSlot(this.#concurrency, session);
    if (slot === 'none') {
      this.#board.pauseGroup(null, this.#desk.client.clock.now() + SLOT_PAUSE_MS);
      return { type: 'later', waitMs: 0 };
    }
    const admission: Admission = { type: 'now', slot };
    for (const [name, gate] of this.#gatesOf(group)) {
      const waitMs = await gate.enter(session).catch((error: unknown) => {
        this.left(admission);
        throw error;
      });
      if (waitMs === 0) continue;
      this.left(admission);
      this.#board.pauseGroup(name, this.#desk.client.clock.now() + waitMs);
      return { type: 'later', waitMs: 0 };
    }
    return admission;
  }

  /** The job is over, or was not begun: its slot can be had by the next. */
  left(admission: Admission): void {
    if (admission.type === 'now' && admission.slot !== null) this.#idle.push(admission.slot);
  }

  /** There is nothing to do: others may have the slots. */
  giveBackIdle(session: Session): void {
    this.#forgetOlder(session);
    for (const slot of this.#idle.splice(0)) void this.#giveBack(slot);
  }

  /** What a session had went with it. */
  #forgetOlder(session: Session): void {
    for (const slot of this.#idle) if (slot.session !== session) this.#own.delete(slot.name);
    this.#idle = this.#idle.filter((slot) => slot.session === session);
  }

  async close(): Promise<void> {
    await Promise.all(this.#idle.splice(0).map((slot) => this.#giveBack(slot)));
  }

  /** The group's own limit first, so that what it refuses is not counted against all. */
  #gatesOf(group: string | null): readonly (readonly [string | null, RateGate])[] {
    const gates: (readonly [string | null, RateGate])[] = [];
    if (group !== null && this.#groupRate !== undefined) {
      const gate = this.#groupGates.get(group) ?? new RateGate(this.#desk, group, this.#groupRate);
      this.#groupGates.delete(group);
      this.#groupGates.set(group, gate);
      if (this.#groupGates.size > 1_000) this.#groupGates.delete(this.#groupGates.keys().next().value!);
      gates.push([group, gate]);
    }
    if (this.#allGate !== null) gates.push([null, this.#allGate]);
    return gates;
  }

  async #takeSlot(concurrency: number, session: Session): Promise<Slot | 'none'> {
    this.#forgetOlder(session);
    const idle = this.#idle.pop();
    if (idle !== undefined) return idle;
    const { transactions, client, layout } = this.#desk;
    const tried = new Set(this.#board.slots);
    for (;;) {
      const free = Array.from({ length: concurrency }, (_, number) => String(number)).filter(
        (name) => !tried.has(name) && !this.#own.has(name),
      );
      if (free.length === 0) return 'none';
      const name = free[Math.floor(client.random.next() * free.length)]!;
      tried.add(name);
      this.#own.add(name);
      try {
        const path = `${layout.slots}/${name}`;
        await transactions.submit([{ type: 'create', path, data: null, mode: 'ephemeral' }], session.epoch);
        return { name, session };
      } catch (error) {
        if (isTransient(error)) {
          // Perhaps it was created: then it is this session's, and nobody else's.
          const stat = await client.exists(`${layout.slots}/${name}`, { session: session.epoch });
          if (stat?.ephemeralOwner === session.id) return { name, session };
        }
        this.#own.delete(name);
        if (!isTransient(error) && !isTaken(error)) throw error;
      }
    }
  }

  async #giveBack({ name, session }: Slot): Promise<void> {
    const { transactions, client, layout } = this.#desk;
    const path = `${layout.slots}/${name}`;
    this.#own.delete(name);
    await transactions.submit([{ type: 'delete', path }], session.epoch).catch((error: unknown) => {
      // Of one whose outcome is not known: it stays until this session ends, or is found to be taken by it.
      if (!session.signal.aborted && client.state !== 'closed')
        client.logger.warn('a slot could not be given back', { path, error });
    });
  }
}

function isTaken(error: unknown): boolean {
  return hasCode(error, 'MULTI_FAILED') && hasCode((error as MultiError).cause, 'NODE_EXISTS');
}

function checkRate(limit: RateLimit | undefined): void {
  if (limit === undefined) return;
  const { max, perMs } = limit;
  if (!(Number.isInteger(max) && max >= 1 && max <= 10_000))
    throw new RangeError(`a rate limit must let through 1 to 10000 jobs, not ${max}`);
  if (!(perMs > 0)) throw new RangeError(`a rate limit must be for more than ${perMs} milliseconds`);
}
