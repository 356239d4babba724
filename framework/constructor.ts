/** A class that can be built. Its parameters are the business of the container, so any will do. */
export type Constructor<T = object> = new (...parameters: never[]) => T;

/** The name by which messages call a class. */
export function classNameOf(target: unknown): string {
  if (typeof target === 'function') return target.name === '' ? '(anonymous class)' : target.name;
  return target === null || typeof target !== 'object'
    ? String(target)
    : `an object of ${target.constructor.name}`;
}
