import type { Session } from '../../client/index.js';
import type { ClaimDesk } from './claim.js';
import type { ConsumeOptions, RateLimit } from './consume-options.js';
import { FleetSlots, type Slot } from './fleet-slots.js';
import type { JobBoard } from './job-board.js';
import { RateGate } from './rate-gate.js';

/** Whether a job may be begun; what has been taken for it is to be handed to `left`. */
export type Admission = { readonly type: 'now'; readonly slot: Slot | null } | { readonly type: 'later' };

/** What `admit` comes to where there is no limit. */
export const NO_LIMIT: Admission = { type: 'now', slot: null };

/** What the fleet does together: so many jobs at once, so many in a span of time. */
export class FleetLimits {
  readonly #desk: ClaimDesk;
  readonly #board: JobBoard;
  readonly #slots: FleetSlots | null;
  readonly #groupRate: RateLimit | undefined;
  readonly #allGate: RateGate | null;
  readonly #groupGates = new Map<string, RateGate>();

  /** `changed` is called when a job may be begun though the board has not changed. Throws `RangeError`. */
  constructor(desk: ClaimDesk, board: JobBoard, options: ConsumeOptions, changed: () => void) {
    const { fleetConcurrency, rateLimit, groupRateLimit } = options;
    this.#desk = desk;
    this.#board = board;
    if (fleetConcurrency !== undefined && !(Number.isInteger(fleetConcurrency) && fleetConcurrency >= 1))
      throw new RangeError(`fleetConcurrency must be a whole number above 0, not ${fleetConcurrency}`);
    for (const limit of [rateLimit, groupRateLimit]) checkRate(limit);
    this.#slots =
      fleetConcurrency === undefined ? null : new FleetSlots(desk, board, fleetConcurrency, changed);
    this.#groupRate = groupRateLimit;
    this.#allGate = rateLimit === undefined ? null : new RateGate(desk, null, rateLimit);
  }

  /** Whether there is no limit at all. */
  get isUnlimited(): boolean {
    return this.#slots === null && !this.areRated;
  }

  /** When a job may be begun again, on the monotonic clock; null if one may be begun now. */
  get retryAt(): number | null {
    return this.#slots?.retryAt ?? null;
  }

  /** Whether there is a limit in time, so that a job may have to wait for long. */
  get areRated(): boolean {
    return this.#allGate !== null || this.#groupRate !== undefined;
  }

  async admit(group: string | null, session: Session, signal: AbortSignal): Promise<Admission> {
    if (this.isUnlimited) return NO_LIMIT;
    const slot = this.#slots === null ? null : await this.#slots.take(session, signal);
    if (slot === null && this.#slots !== null) return { type: 'later' };
    const admission: Admission = { type: 'now', slot };
    for (const [name, gate] of this.#gatesOf(group)) {
      const waitMs = await gate.enter(session).catch((error: unknown) => {
        this.left(admission);
        throw error;
      });
      if (waitMs === 0) continue;
      this.left(admission);
      this.#board.pauseGroup(name, this.#desk.client.clock.now() + waitMs);
      return { type: 'later' };
    }
    return admission;
  }

  /** The job is over, or was not begun: its slot can be had by the next. */
  left(admission: Admission): void {
    if (admission.type === 'now' && admission.slot !== null) this.#slots?.left(admission.slot);
  }

  /** There is nothing to do: others may have the slots. */
  giveBackIdle(session: Session): void {
    this.#slots?.giveBackIdle(session);
  }

  async close(): Promise<void> {
    await this.#slots?.close();
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
}

function checkRate(limit: RateLimit | undefined): void {
  if (limit === undefined) return;
  const { max, perMs } = limit;
  if (!(Number.isInteger(max) && max >= 1 && max <= 10_000))
    throw new RangeError(`a rate limit must let through 1 to 10000 jobs, not ${max}`);
  if (!(perMs > 0)) throw new RangeError(`a rate limit must be for more than ${perMs} milliseconds`);
}
