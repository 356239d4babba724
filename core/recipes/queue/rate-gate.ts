import type { Session } from '../../client/index.js';
import { hasCode, isTransient } from '../waiting/failure.js';
import type { ClaimDesk } from './claim.js';
import type { RateLimit } from './consume-options.js';

interface Entrant {
  readonly session: Session;
  readonly resolve: (waitMs: number) => void;
  readonly reject: (error: unknown) => void;
}

/** Jobs that were begun at one moment: `[milliseconds since 1970, how many]`. */
type Begun = readonly (readonly [at: number, count: number])[];

/** Moments that are kept apart; beyond, the oldest are counted as if they were later than they were. */
const MOST_MOMENTS = 100;

/**
 * Lets so many jobs be begun in any span of time, over the fleet. When jobs were begun lately stands in one znode, which is
 * written by compare-and-set; those who want to begin one at the same moment go together, so that a write is for many.
 */
export class RateGate {
  readonly #desk: ClaimDesk;
  readonly #path: string;
  readonly #limit: RateLimit;
  #entrants: Entrant[] = [];
  #isWorking = false;
  #known: { readonly begun: Begun; readonly version: number } | null = null;

  constructor(desk: ClaimDesk, group: string | null, limit: RateLimit) {
    this.#desk = desk;
    this.#path = desk.layout.ratePath(group);
    this.#limit = limit;
  }

  /** 0: the job may be begun, and counts; else how long to wait before asking again, in milliseconds. */
  enter(session: Session): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#entrants.push({ session, resolve, reject });
      if (!this.#isWorking) void this.#work();
    });
  }

  /** Never rejects. */
  async #work(): Promise<void> {
    this.#isWorking = true;
    await Promise.resolve();
    while (this.#entrants.length > 0) {
      const entrants = this.#entrants;
      this.#entrants = [];
      try {
        await this.#letIn(entrants);
      } catch (error) {
        this.#known = null;
        for (const { reject } of entrants) reject(error);
      }
    }
    this.#isWorking = false;
  }

  async #letIn(entrants: readonly Entrant[]): Promise<void> {
    const { client } = this.#desk;
    const { epoch } = entrants[0]!.session;
    for (;;) {
      const known = (this.#known ??= await this.#read(epoch));
      const now = client.clock.wall();
      const begun = known.begun.filter(
        ([at]) => at > now - this.#limit.perMs && at <= now + this.#limit.perMs,
      );
      const room = this.#limit.max - begun.reduce((sum, [, count]) => sum + count, 0);
      const admitted = entrants.slice(0, Math.max(0, room));
      if (
        admitted.length > 0 &&
        !(await this.#write(crowded([...begun, [now, admitted.length]]), known.version, epoch))
      )
        continue;
      for (const { resolve } of admitted) resolve(0);
      const oldest = begun[0]?.[0] ?? now;
      const waitMs = Math.max(1, oldest + this.#limit.perMs - now);
      for (const { resolve } of entrants.slice(admitted.length)) resolve(waitMs);
      return;
    }
  }

  async #read(epoch: number): Promise<{ readonly begun: Begun; readonly version: number }> {
    const { client } = this.#desk;
    try {
      const { data, stat } = await client.getData(this.#path, { session: epoch });
      return { begun: parse(data), version: stat.version };
    } catch (error) {
      if (!hasCode(error, 'NO_NODE')) throw error;
    }
    await client.create(this.#path, '[]', { session: epoch }).catch((error: unknown) => {
      if (!hasCode(error, 'NODE_EXISTS')) throw error;
    });
    return await this.#read(epoch);
  }

  /** False if another was faster, or it is not known whether it was written: then it counts, though nobody was let in. */
  async #write(begun: Begun, version: number, epoch: number): Promise<boolean> {
    try {
      const stat = await this.#desk.client.setData(this.#path, JSON.stringify(begun), {
        version,
        session: epoch,
      });
      this.#known = { begun, version: stat.version };
      return true;
    } catch (error) {
      this.#known = null;
      if (hasCode(error, 'BAD_VERSION') || hasCode(error, 'NO_NODE') || isTransient(error)) return false;
      throw error;
    }
  }
}

/** Not more moments than may be kept: the oldest two become one, at the later of the two. */
function crowded(begun: Begun): Begun {
  const kept = [...begun];
  while (kept.length > MOST_MOMENTS) {
    const [first, second] = kept as [Begun[0], Begun[0]];
    kept.splice(0, 2, [second[0], first[1] + second[1]]);
  }
  return kept;
}

function parse(data: Uint8Array | null): Begun {
  try {
    const value: unknown = JSON.parse(new TextDecoder().decode(data ?? new Uint8Array()));
    return Array.isArray(value)
      ? value.filter((item): item is [number, number] => Array.isArray(item) && item.every(Number.isFinite))
      : [];
  } catch {
    return [];
  }
}
