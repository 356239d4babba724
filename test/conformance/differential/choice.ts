import { Dice } from '../../histories/dice.js';

/**
 * What a sequence is about, besides creating, changing and deleting. Each leaves out what a difference kept on purpose would show in
 * (see DIFFERENCES.md): znodes that not everybody may read go without watches, and one client has one mode of watch at a path; where
 * quotas are in force, nothing is checked against writes that are still under way.
 */
export const THEMES = ['permissions', 'one-shot watches', 'persistent watches', 'quotas'] as const;
export type Theme = (typeof THEMES)[number];

/** Draws from a seed. */
export class Choice extends Dice {
  readonly theme: Theme;
  /** Whether only slot 0 has watches: then it also looks for them and takes them back. */
  readonly hasOneWatcher: boolean;

  constructor(seed: number) {
    super(seed);
    this.theme = THEMES[seed % THEMES.length]!;
    this.hasOneWatcher = Math.floor(seed / THEMES.length) % 2 === 1;
  }
}
