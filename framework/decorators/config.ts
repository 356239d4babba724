import type { LayerOptions } from '../config/layers.js';
import { recordDeclaration } from '../declarations.js';
import type { Schema } from '../schema.js';

export interface ConfigOptions<T = unknown> extends LayerOptions {
  /** The value lives at the znode `/config/<name>`, as JSON. */
  readonly name: string;
  /**
   * JSON Schema of the value; anything that does not fit it never reaches the application. `"secret": true` beside a
   * `type` keeps a field out of everything that is shown to people.
   */
  readonly schema?: Schema<T> | undefined;
}

/**
 * Declares a class whose instance holds configuration. From below to above: the class's fields are the defaults, then
 * `file`, the znode, and the variables of `env`; the result is validated, and swapped in whenever it changes. The
 * injected object stays the same. With a typed schema, the class must be able to hold what the schema allows.
 */
export function Config<T = unknown>(
  options: ConfigOptions<T>,
): (target: new () => unknown extends T ? object : T & object) => void {
  return (target) => recordDeclaration(target, { kind: 'config', options });
}
