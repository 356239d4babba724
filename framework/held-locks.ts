import { AsyncLocalStorage } from 'node:async_hooks';
import type { Hold } from '../core/recipes/index.js';
import { QuorateError } from '../core/runtime/index.js';

/** How a lock is taken by a call: alone, with other readers, or with as many as there are permits. */
export type LockMode = 'exclusive' | 'read' | 'write' | 'permit';

/** What a call holds, and what the calls around it hold. */
interface Held {
  readonly name: string;
  readonly mode: LockMode;
  readonly hold: Hold;
  readonly outer: Held | undefined;
}

const held = new AsyncLocalStorage<Held>();

/**
 * The hold of the innermost `@Locked` method, or task of `Locks.run`, that is running: its signal aborts when the lock is
 * lost, its fence lets whatever is written to refuse an older holder.
 * @throws QuorateError `NOT_LOCKED` outside of both.
 */
export function currentHold(): Hold {
  const current = held.getStore();
  if (current === undefined)
    throw new QuorateError(
      'NOT_LOCKED',
      'currentHold() was called outside of a @Locked method and of Locks.run: call it where the lock is held',
    );
  return current.hold;
}

/** Runs `task` as one that holds. */
export function runHolding<T>(name: string, mode: LockMode, hold: Hold, task: () => T): T {
  return held.run({ name, mode, hold, outer: held.getStore() }, task);
}

/**
 * The hold that the calls around this one have and that is good for `mode` too; undefined if there is none.
 * @throws QuorateError `LOCK_UPGRADE` if they only read what is to be written: it would wait for itself.
 */
export function heldAround(name: string, mode: LockMode): Hold | undefined {
  for (let one = held.getStore(); one !== undefined; one = one.outer) {
    if (one.name !== name || one.hold.signal.aborted) continue;
    if (one.mode === mode || (one.mode === 'write' && mode === 'read')) return one.hold;
    if (one.mode === 'read' && mode === 'write')
      throw new QuorateError(
        'LOCK_UPGRADE',
        `the lock ${name} is held for reading, and two readers that both wanted to write would wait for each other for ever; take it for writing from the start`,
        { fields: { name } },
      );
  }
  return undefined;
}
