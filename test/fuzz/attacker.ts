import type { Arena } from './arena.js';
import type { Draw } from './draw.js';

/** Inputs tried, by kind. */
export type Tally = Map<string, number>;

/** Sends a few hostile inputs of one kind; resolves when its connections are closed. Counts each input with `tried`. */
export type Attacker = (
  arena: Arena,
  draw: Draw,
  tried: (input: string, count?: number) => void,
) => Promise<void>;

/** Gives the members time to process what was sent. */
export function turn(ms = 0): Promise<void> {
  return new Promise((resolve) => (ms === 0 ? setImmediate(resolve) : setTimeout(resolve, ms)));
}
