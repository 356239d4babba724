/**
 * What `above` says, and where it says nothing, what `below` says: objects field by field, everything else as a whole. The
 * result shares no list and no object with either.
 */
export function overlay(below: unknown, above: unknown): unknown {
  if (Array.isArray(above)) return above.map((item) => overlay(undefined, item));
  if (!isObject(above)) return above;
  const base = isObject(below) ? below : {};
  const keys = new Set([...Object.keys(base), ...Object.keys(above)]);
  // `fromEntries` defines own fields, so that a key such as `__proto__` is data like any other.
  return Object.fromEntries(
    [...keys].map((key) => [
      key,
      Object.hasOwn(above, key)
        ? overlay(Object.hasOwn(base, key) ? base[key] : undefined, above[key])
        : overlay(undefined, base[key]),
    ]),
  );
}

/** What has fields of its own, as JSON has it: no list, and nothing that a class made. */
export function isObject(value: unknown): value is Record<string, unknown> {
  if (value === null || typeof value !== 'object') return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
