import { recordDeclaration } from '../declarations.js';
import type { Schema } from '../schema.js';

export interface ConfigOptions {
  /** The value lives at the znode `/config/<name>`, as JSON. */
  readonly name: string;
  /** JSON Schema of the value; anything that does not fit it never reaches the application. */
  readonly schema?: Schema | undefined;
}

/**
 * Declares a class whose instance holds configuration. Its fields are the defaults; the znode's value is
 * merged over them, validated, and swapped in whenever it changes. The injected object stays the same.
 */
export function Config(options: ConfigOptions): (target: new () => object) => void {
  return (target) => recordDeclaration(target, { kind: 'config', options });
}
