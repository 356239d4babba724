import type { Schema } from '../schema.js';
import { stepsOf, type Difference } from './difference.js';
import { isObject } from './overlay.js';

/** Stands where a secret is not shown. */
const REDACTED = '[secret]';

/** Steps of the walk through value and schema, beyond which everything counts as a secret: a schema of the tree may be of anybody. */
const MOST_STEPS = 200_000;

/**
 * The value as it may be shown: what the schema marks with `"secret": true` is replaced, at any depth, in lists, and in every
 * branch of the schema that could apply. References stay, since they show nothing.
 */
export function redact(value: unknown, schema: Schema | null | undefined): unknown {
  return new Walk(schema, () => REDACTED).through(value);
}

/** The value without its secrets, and where they were, such as `smtp.password`; an empty text means the whole of it. */
export function withoutSecrets(
  value: unknown,
  schema: Schema | null | undefined,
): { readonly value: unknown; readonly withheld: readonly string[] } {
  const withheld: string[] = [];
  const walk = new Walk(schema, (path) => {
    withheld.push(path.join('.'));
    return undefined;
  });
  return { value: walk.through(value), withheld };
}

/** A difference as it may be shown: both sides without secrets, by what the schema says of its place. */
export function redactDifference(
  { path, before, after }: Difference,
  schema: Schema | null | undefined,
): Difference {
  const shown = (part: unknown): unknown => new Walk(schema, () => REDACTED).throughPart(part, stepsOf(path));
  return { path, before: shown(before), after: shown(after) };
}

/** Of the steps to a place in a value, those down to the first secret: further ones are names within it. Null if there is none. */
export function stepsToSecret(
  schema: Schema | null | undefined,
  steps: readonly string[],
): readonly string[] | null {
  return new Walk(schema, () => undefined).toSecret(steps);
}

/** Goes through a value with all parts of a schema that could apply at each place, and replaces what one of them marks as secret. */
class Walk {
  readonly #root: unknown;
  readonly #replace: (path: readonly string[]) => unknown;
  #steps = 0;

  constructor(root: unknown, replace: (path: readonly string[]) => unknown) {
    this.#root = root;
    this.#replace = replace;
  }

  through(value: unknown): unknown {
    return this.#visit(value, [this.#root], []);
  }

  throughPart(part: unknown, steps: readonly string[]): unknown {
    const { secret, schemas } = this.#descend(steps);
    return secret === null || part === undefined ? this.#visit(part, schemas, steps) : this.#replace(secret);
  }

  toSecret(steps: readonly string[]): readonly string[] | null {
    return this.#descend(steps).secret;
  }

  /** The schemas at the end of the steps, or the steps down to the first secret. */
  #descend(steps: readonly string[]): {
    readonly secret: readonly string[] | null;
    readonly schemas: readonly unknown[];
  } {
    let schemas: readonly unknown[] = [this.#root];
    for (let count = 0; ; count++) {
      const applying = this.#applying(schemas);
      if (applying.some((schema) => schema['secret'] === true))
        return { secret: steps.slice(0, count), schemas };
      const step = steps[count];
      if (step === undefined) return { secret: null, schemas };
      schemas = applying.flatMap((schema) => [
        ...schemasOfField(schema, step),
        ...schemasOfItem(schema, Number(step)),
      ]);
    }
  }

  #visit(value: unknown, schemas: readonly unknown[], path: readonly string[]): unknown {
    if (value === undefined) return undefined;
    const applying = this.#applying(schemas);
    if (applying.some((schema) => schema['secret'] === true) || this.#steps > MOST_STEPS)
      return this.#replace(path);
    if (applying.length === 0) return value;
    if (Array.isArray(value))
      return value.map((item, index) => {
        const found = this.#visit(
          item,
          applying.flatMap((schema) => schemasOfItem(schema, index)),
          [...path, `${index}`],
        );
        return found === undefined ? null : found;
      });
    if (!isObject(value)) return value;
    const entries = Object.entries(value).map(([key, item]): [string, unknown] => [
      key,
      this.#visit(
        item,
        applying.flatMap((schema) => schemasOfField(schema, key)),
        [...path, key],
      ),
    ]);
    return Object.fromEntries(entries.filter(([, item]) => item !== undefined));
  }

  /** The schemas, the branches in them, and what they refer to. */
  #applying(schemas: readonly unknown[]): readonly Record<string, unknown>[] {
    const found = new Set<Record<string, unknown>>();
    const waiting = [...schemas];
    while (waiting.length > 0) {
      const schema = waiting.pop();
      this.#steps++;
      if (!isObject(schema) || found.has(schema)) continue;
      found.add(schema);
      for (const keyword of ['allOf', 'anyOf', 'oneOf'])
        if (Array.isArray(schema[keyword])) waiting.push(...(schema[keyword] as unknown[]));
      for (const keyword of ['if', 'then', 'else', 'not'])
        if (isObject(schema[keyword])) waiting.push(schema[keyword]);
      if (isObject(schema['dependencies']))
        waiting.push(...Object.values(schema['dependencies']).filter(isObject));
      if (typeof schema['$ref'] === 'string') waiting.push(this.#referredTo(schema['$ref']) ?? {});
    }
    return [...found];
  }

  /** A part of the same schema, as in `#/definitions/login`; undefined for everything else. */
  #referredTo(reference: string): unknown {
    if (!reference.startsWith('#')) return undefined;
    let part: unknown = this.#root;
    for (const step of reference.slice(1).split('/').slice(1)) {
      const key = unescaped(step);
      part =
        part !== null && typeof part === 'object' && Object.hasOwn(part, key)
          ? (part as Record<string, unknown>)[key]
          : undefined;
    }
    return part;
  }
}

function schemasOfField(schema: Readonly<Record<string, unknown>>, key: string): unknown[] {
  const { properties, patternProperties, additionalProperties } = schema;
  const own = isObject(properties) && Object.hasOwn(properties, key) ? properties[key] : additionalProperties;
  const patterns = isObject(patternProperties) ? Object.entries(patternProperties) : [];
  return [own, ...patterns.flatMap(([pattern, part]) => (mayMatch(pattern, key) ? [part] : []))];
}

/** Plain texts are compared; any other pattern counts as a match: it may be anybody's, and trying it could take for ever. */
function mayMatch(pattern: string, key: string): boolean {
  const [, start, text = '', end] = /^(\^?)([\w-]*)(\$?)$/.exec(pattern) ?? [];
  if (start === undefined) return true;
  if (start === '') return end === '' ? key.includes(text) : key.endsWith(text);
  return end === '' ? key.startsWith(text) : key === text;
}

function schemasOfItem(
  { items, additionalItems, contains }: Readonly<Record<string, unknown>>,
  index: number,
): unknown[] {
  return Array.isArray(items) ? [items[index] ?? additionalItems, contains] : [items, contains];
}

/** A step of a JSON pointer in a URI. */
function unescaped(step: string): string {
  try {
    return decodeURIComponent(step).replaceAll('~1', '/').replaceAll('~0', '~');
  } catch {
    return step;
  }
}
