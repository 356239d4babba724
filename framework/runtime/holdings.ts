import type { Clock } from '../../core/runtime/index.js';
import type { EventHub } from '../events.js';

/** A leadership, shard, lock or job of this process; moments by the clock, milliseconds. */
export interface Holding {
  /** Such as `lock customers/42`. */
  readonly name: string;
  readonly since: number;
  /** Infinity while it is held. */
  readonly until: number;
  /** It ended, and not because this process was done with it. */
  readonly isLost: boolean;
}

/** What this process holds, and what it has held since the last `forget`, as its events tell. */
export class Holdings {
  readonly #clock: Clock;
  readonly #held = new Map<string, Holding>();
  #ended: Holding[] = [];
  readonly #stopListening: readonly (() => void)[];

  constructor(clock: Clock, events: EventHub) {
    this.#clock = clock;
    this.#stopListening = [
      events.on('leader-acquired', ({ name }) => this.#begin(`leadership ${name}`)),
      events.on('leader-lost', ({ name }) => this.#end(`leadership ${name}`, true)),
      events.on('shard-acquired', ({ name, shard }) => this.#begin(`shard ${name}/${shard}`)),
      events.on('shard-lost', ({ name, shard }) => this.#end(`shard ${name}/${shard}`, true)),
      events.on('lock-acquired', ({ name, fence }) => this.#begin(`lock ${name}`, fence)),
      events.on('lock-released', ({ name, fence, isLost }) => this.#end(`lock ${name}`, isLost, fence)),
      events.on('job-started', ({ queue, id }) => this.#begin(`job ${queue}/${id}`)),
      events.on('job-done', ({ queue, id }) => this.#end(`job ${queue}/${id}`, false)),
      events.on('job-failed', ({ queue, id }) => this.#end(`job ${queue}/${id}`, false)),
      events.on('job-cancelled', ({ queue, id }) => this.#end(`job ${queue}/${id}`, false)),
      events.on('job-lost', ({ queue, id }) => this.#end(`job ${queue}/${id}`, true)),
    ];
  }

  /** What was held at a moment since the last `forget`, in the order in which it was acquired. */
  heldAt(moment: number): readonly Holding[] {
    return [...this.#ended, ...this.#held.values()]
      .filter(({ since, until }) => since <= moment && until > moment)
      .sort((one, other) => one.since - other.since);
  }

  /** Forgets what is not held any more. */
  forget(): void {
    if (this.#ended.length > 0) this.#ended = [];
  }

  stop(): void {
    for (const stop of this.#stopListening) stop();
  }

  /** `fence` tells holds of the same name apart, such as permits. */
  #begin(name: string, fence?: bigint): void {
    this.#held.set(keyOf(name, fence), { name, since: this.#clock.now(), until: Infinity, isLost: false });
  }

  #end(name: string, isLost: boolean, fence?: bigint): void {
    const key = keyOf(name, fence);
    const holding = this.#held.get(key);
    if (holding === undefined) return;
    this.#held.delete(key);
    this.#ended.push({ ...holding, until: this.#clock.now(), isLost });
  }
}

function keyOf(name: string, fence: bigint | undefined): string {
  return fence === undefined ? name : `${name} ${fence}`;
}
