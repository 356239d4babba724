import type { Dice } from './dice.js';
import { CLIENTS, type Stage } from './stage.js';

export const FAULTS = ['kill', 'pause', 'cut', 'one-way', 'restart'] as const;
export type Fault = (typeof FAULTS)[number];

/** What comes between two faults, and how long one lasts at least. */
const LONGEST_CALM_MS = 1200;
const SHORTEST_FAULT_MS = 200;

/** Lets faults strike, one after the other, until the signal aborts; then everything is as it should be again. */
export class Faults {
  /** How often each has struck. */
  readonly counts = new Map<Fault, number>();
  readonly #stage: Stage;
  readonly #dice: Dice;
  readonly #kinds: readonly Fault[];
  /** How long a fault lasts at most. */
  readonly #longestMs: number;

  constructor(
    stage: Stage,
    parts: { readonly dice: Dice; readonly kinds: readonly Fault[]; readonly longestMs: number },
  ) {
    this.#stage = stage;
    this.#longestMs = parts.longestMs;
    this.#dice = parts.dice;
    this.#kinds = parts.kinds;
    for (const kind of parts.kinds) this.counts.set(kind, 0);
  }

  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted && this.#kinds.length > 0) {
      // Each kind once, in an order of its own every time.
      const left = [...this.#kinds];
      while (left.length > 0) {
        await elapsed(this.#dice.below(LONGEST_CALM_MS), signal);
        if (signal.aborted) return;
        const [kind] = left.splice(this.#dice.below(left.length), 1);
        await this.#strike(kind!, signal);
      }
    }
  }

  async #strike(kind: Fault, signal: AbortSignal): Promise<void> {
    const { ensemble } = this.#stage;
    // Those whose process ended by itself: the judge is told.
    this.#launch(ensemble.ids.filter((id) => !ensemble.running.includes(id)));
    this.counts.set(kind, this.counts.get(kind)! + 1);
    const victims = await this.#victims(kind);
    switch (kind) {
      case 'kill':
        await Promise.all(victims.map((id) => this.#stage.kill(id)));
        await this.#last(signal);
        return this.#launch(victims);
      case 'restart':
        await Promise.all(victims.map((id) => this.#stage.stop(id)));
        await elapsed(this.#dice.below(500), signal);
        return this.#launch(victims);
      case 'pause':
        for (const id of victims) ensemble.member(id).pause();
        await this.#last(signal);
        for (const id of victims) ensemble.member(id).resume();
        return;
      case 'cut':
      case 'one-way':
        for (const id of victims) this.#cut(id, kind === 'one-way');
        await this.#last(signal);
        this.#stage.network.heal();
    }
  }

  /** The leader as often as any other; now and then several, and all of them. Orderly restarts come one at a time. */
  async #victims(kind: Fault): Promise<readonly number[]> {
    const { ensemble } = this.#stage;
    const leader = await ensemble.leaderAmong();
    const first = leader !== undefined && this.#dice.chance(0.5) ? leader : this.#dice.of(ensemble.ids);
    if (kind === 'restart') return [first];
    if (this.#dice.chance(0.1)) return ensemble.ids;
    if (!this.#dice.chance(0.2)) return [first];
    return [first, this.#dice.of(ensemble.ids.filter((id) => id !== first))];
  }

  /** Links of a member: one to another member, all to others, that to clients, or all. */
  #cut(id: number, isOneWay: boolean): void {
    const { network, ensemble } = this.#stage;
    const others = ensemble.ids.filter((other) => other !== id);
    const ends = this.#dice.of([[this.#dice.of(others)], others, [CLIENTS], [CLIENTS, ...others]]);
    const isDeaf = this.#dice.chance(0.5);
    for (const end of ends) {
      if (!isOneWay) network.cut(id, end);
      else if (isDeaf) network.cutOneWay(end, id);
      else network.cutOneWay(id, end);
    }
  }

  #launch(members: readonly number[]): void {
    for (const id of members) this.#stage.launch(id);
  }

  #last(signal: AbortSignal): Promise<void> {
    return elapsed(SHORTEST_FAULT_MS + this.#dice.below(this.#longestMs - SHORTEST_FAULT_MS), signal);
  }
}

/** So many milliseconds, or less if the signal aborts. */
function elapsed(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener('abort', done);
    if (signal.aborted) done();
  });
}
