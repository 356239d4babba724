import { isObject } from './overlay.js';

/** Keywords whose check takes time in proportion to the value and to what the keyword says. */
const PLAIN = new Set(
  (
    'type enum const required minimum maximum exclusiveMinimum exclusiveMaximum multipleOf minLength maxLength minItems maxItems ' +
    'minProperties maxProperties format secret title description default examples readOnly writeOnly deprecated $schema $id $comment'
  ).split(' '),
);
/** Keywords with one schema, or a list of them. */
const WITH_SCHEMAS = new Set(
  'additionalProperties additionalItems items contains propertyNames not if then else allOf anyOf oneOf'.split(
    ' ',
  ),
);
/** Keywords with schemas by name. */
const WITH_NAMED_SCHEMAS = new Set(['properties', 'definitions', '$defs']);

/** Characters of the schema times characters of the value, up to which a check is done in a few milliseconds. */
const MOST_STEPS = 4_000_000;

/**
 * Whether to check a value by a schema takes a short time, whoever wrote both: no pattern, no reference (which can multiply), no
 * comparison of all items, and both are small. What it does not know takes long.
 */
export function isQuickCheck(schema: unknown, value: unknown): boolean {
  return isPlain(schema) && JSON.stringify(schema).length * JSON.stringify(value).length <= MOST_STEPS;
}

function isPlain(schema: unknown): boolean {
  if (typeof schema === 'boolean') return true;
  if (!isObject(schema)) return false;
  return Object.entries(schema).every(([keyword, content]) => {
    if (PLAIN.has(keyword)) return true;
    if (WITH_SCHEMAS.has(keyword)) return Array.isArray(content) ? content.every(isPlain) : isPlain(content);
    return WITH_NAMED_SCHEMAS.has(keyword) && isObject(content) && Object.values(content).every(isPlain);
  });
}
