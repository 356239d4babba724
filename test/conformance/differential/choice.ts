import { SeededRandom } from '../../../core/runtime/index.js';

/**
 * What a sequence is about, besides creating, changing and deleting. Each leaves out what a difference kept on purpose would show in
 * (see DIFFERENCES.md): znodes that not everybody may read go without watches, and one client has one mode of watch at a path; where
 * quotas are in force, nothing is checked against writes that are still under way.
 */
export const THEMES = ['permissions', 'one-shot watches', 'persistent watches', 'quotas'] as const;
export type Theme = (typeof THEMES)[number];

/** Draws from a seed. */
export class Choice {
  readonly theme: Theme;
  /** Whether only slot 0 has watches: then it also looks for them and takes them back. */
  readonly hasOneWatcher: boolean;
  readonly #random: SeededRandom;

  constructor(seed: number) {
    this.#random = new SeededRandom(seed);
    this.theme = THEMES[seed % THEMES.length]!;
    this.hasOneWatcher = Math.floor(seed / THEMES.length) % 2 === 1;
  }

  /** From 0 up to, but not including, `end`. */
  below(end: number): number {
    return Math.floor(this.#random.next() * end);
  }

  chance(probability: number): boolean {
    return this.#random.next() < probability;
  }

  of<T>(values: readonly T[]): T {
    return values[this.below(values.length)]!;
  }

  /** One of the keys, as often as its weight says. */
  weighted<K extends string>(weights: Readonly<Record<K, number>>): K {
    const entries = Object.entries(weights) as [K, number][];
    let left = this.below(entries.reduce((sum, [, weight]) => sum + weight, 0));
    for (const [key, weight] of entries) {
      if (left < weight) return key;
      left -= weight;
    }
    throw new Error('no weight');
  }

  listOf<T>(maxLength: number, draw: () => T): T[] {
    return Array.from({ length: this.below(maxLength + 1) }, draw);
  }

  bytes(length: number): Uint8Array {
    return this.#random.bytes(length);
  }
}
