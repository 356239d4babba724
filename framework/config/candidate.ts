import type { Validator } from '../schema.js';
import { parseConfigJson } from './config-json.js';
import { isObject, overlay } from './overlay.js';

/** A value ready to be swapped in, or what is wrong with it. */
export type Candidate =
  | { readonly isValid: true; readonly value: Readonly<Record<string, unknown>> }
  | { readonly isValid: false; readonly violations: readonly string[] };

/**
 * Puts `value` over the defaults — objects field by field, everything else as a whole — and validates the result.
 * What comes out is frozen to the ground and shares nothing with what went in.
 */
export function candidateOf(
  defaults: Readonly<Record<string, unknown>>,
  value: unknown,
  validate: Validator,
): Candidate {
  const merged = merge(defaults, value);
  if ('violations' in merged) return { isValid: false, violations: merged.violations };
  const violations = validate(merged.value);
  return violations.length > 0
    ? { isValid: false, violations }
    : { isValid: true, value: freeze(merged.value) };
}

/** The value over the defaults, to be validated; violations if it is no object. */
export function merge(
  defaults: Readonly<Record<string, unknown>>,
  value: unknown,
): { readonly value: Record<string, unknown> } | { readonly violations: readonly string[] } {
  if (!isObject(value)) return { violations: [`the value must be an object, not ${kindOf(value)}`] };
  return { value: overlay(defaults, value) as Record<string, unknown> };
}

/** Reads the bytes of a znode; undefined when they say nothing, which means the defaults. */
export function parseValue(
  data: Uint8Array | null,
): { readonly value: unknown } | { readonly violations: readonly string[] } | undefined {
  if (data === null || data.length === 0) return undefined;
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(data);
  } catch {
    return { violations: ['the value is not JSON: it is not UTF-8'] };
  }
  const parsed = parseConfigJson(text);
  return 'value' in parsed ? parsed : { violations: [`the value is not JSON: ${parsed.problem}`] };
}

/** The fields of a freshly made configuration object; those without a default are no fields yet. */
export function fieldsOf(instance: object): Readonly<Record<string, unknown>> {
  const entries: [string, unknown][] = Object.entries(instance);
  const fields = Object.fromEntries(entries.filter(([, field]) => field !== undefined));
  return overlay({}, fields) as Record<string, unknown>;
}

function kindOf(value: unknown): string {
  if (value === null) return 'null';
  if (value === undefined) return 'undefined';
  return Array.isArray(value) ? 'an array' : `a ${typeof value}`;
}

function freeze<T>(value: T): T {
  if (Array.isArray(value) || isObject(value)) {
    for (const item of Object.values(value)) freeze(item);
    Object.freeze(value);
  }
  return value;
}
