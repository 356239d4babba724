/** A state that the rules of this room exclude: the member that sees it has to stop, for it no longer knows what it holds. */
export class InvariantError extends Error {
  override readonly name = 'InvariantError';
}

export function invariant(condition: boolean, message: string): asserts condition {
  if (!condition) throw new InvariantError(message);
}

/** The same of something that has to be there; for what every transaction passes, where a message must cost nothing. */
export function present<T>(value: T | undefined | null, path: string, why: string): T {
  if (value === undefined || value === null) throw new InvariantError(`${path}: ${why}`);
  return value;
}
