import type { Schema } from '../schema.js';
import { isObject } from './overlay.js';

/** Stands where a secret is not shown. */
const REDACTED = '[secret]';

/**
 * The value as it may be shown: what the schema marks with `"secret": true` is replaced, at any depth, in lists, and in every
 * branch of the schema that could apply. References stay, since they show nothing.
 */
export function redact(value: unknown, schema: Schema | null | undefined): unknown {
  if (!isObject(schema) || value === undefined) return value;
  if (schema['secret'] === true) return REDACTED;
  let shown: unknown = value;
  for (const branch of branchesOf(schema)) shown = redact(shown, branch);
  if (Array.isArray(shown)) {
    const { items } = schema;
    return shown.map((item) => redact(item, isObject(items) ? items : undefined));
  }
  if (!isObject(shown)) return shown;
  const properties = isObject(schema['properties']) ? schema['properties'] : {};
  const others = isObject(schema['additionalProperties']) ? schema['additionalProperties'] : undefined;
  return Object.fromEntries(
    Object.entries(shown).map(([key, item]) => {
      const own = Object.hasOwn(properties, key) ? properties[key] : others;
      return [key, redact(item, isObject(own) ? own : undefined)];
    }),
  );
}

function branchesOf(schema: Readonly<Record<string, unknown>>): Record<string, unknown>[] {
  const lists = ['allOf', 'anyOf', 'oneOf'].flatMap((key) => (Array.isArray(schema[key]) ? schema[key] : []));
  const parts: unknown[] = [...lists, schema['if'], schema['then'], schema['else']];
  return parts.filter(isObject);
}
