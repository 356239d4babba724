/** A state that the rules of this room exclude: the member that sees it has to stop, for it no longer knows what it holds. */
export class InvariantError extends Error {
  override readonly name = 'InvariantError';
}

export function invariant(condition: boolean, message: string): asserts condition {
  if (!condition) throw new InvariantError(message);
}
