/** Why a connection could not be made, as text: a host with several addresses fails with one error for each of them. */
export function failureText(cause: unknown): string {
  if (cause instanceof AggregateError && cause.errors.length > 0)
    return [...new Set(cause.errors.map(failureText))].join(', ');
  if (!(cause instanceof Error)) return typeof cause === 'string' ? cause : 'an unknown failure';
  const { code } = cause as { readonly code?: unknown };
  return cause.message || (typeof code === 'string' ? code : cause.name);
}
