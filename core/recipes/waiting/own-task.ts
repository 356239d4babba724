import { AsyncLocalStorage } from 'node:async_hooks';

/** A task of a user that runs, and the tasks around it. */
interface Running {
  readonly owner: object;
  readonly outer: Running | undefined;
  isOver: boolean;
}

const running = new AsyncLocalStorage<Running>();

/** Runs a task that a user gave to `owner`, a recipe. Settles as `task` does. */
export async function runOwned<T>(owner: object, task: () => T | Promise<T>): Promise<T> {
  const own: Running = { owner, outer: running.getStore(), isOver: false };
  try {
    return await running.run(own, task);
  } finally {
    own.isOver = true;
  }
}

/** Whether this call comes from a task of `owner` that runs: to wait for the end of that task would be to wait for itself. */
export function isWithinTaskOf(owner: object): boolean {
  for (let one = running.getStore(); one !== undefined; one = one.outer)
    if (one.owner === owner && !one.isOver) return true;
  return false;
}
