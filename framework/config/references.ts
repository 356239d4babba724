import { MOST_LEVELS } from './config-json.js';
import { configNameProblem } from './config-paths.js';
import { isObject } from './overlay.js';

/**
 * A value may take parts from other configurations: an object with the one field `$config` stands for what that names,
 * `"smtp"` for the whole of it or `"smtp/host"` for a part.
 */
const REFERENCE = '$config';

/** How deep references may lead to references. */
const MOST_STEPS = 10;

/** How many values, and characters of texts and names, all references of a value may put in. A few kilobytes can ask for billions. */
const MOST_PARTS = 50_000;
const MOST_CHARACTERS = 4 * 1024 * 1024;

/** How many configurations a value may depend on: each is followed with a watch. */
const MOST_NAMES = 200;

/** Gives the value of a configuration, of which it is asked by a name that can be; undefined when it is not loaded yet. */
export type Lookup = (name: string) => { readonly value: unknown } | undefined;

export interface Resolution {
  readonly value: unknown;
  readonly violations: readonly string[];
  /** All that it depends on. */
  readonly names: ReadonlySet<string>;
  /** What has to be loaded before it can be said what the value is; all are names that can be. Empty if it is refused anyway. */
  readonly missing: ReadonlySet<string>;
}

/** Puts in what the value refers to, within bounds: a value that would become too large is refused when it reaches one. */
export function resolveReferences(value: unknown, lookup: Lookup): Resolution {
  const violations: string[] = [];
  const names = new Set<string>();
  const missing = new Set<string>();
  const size = new ExpandedSize();

  const resolve = (part: unknown, where: string, trail: readonly string[], level: number): unknown => {
    if (size.excess !== null) return null;
    if (level > MOST_LEVELS) return size.exceed(`are nested more than ${MOST_LEVELS} levels deep`);
    const reference = referenceOf(part);
    if (reference !== null) return follow(reference, where, trail, level);
    if (trail.length > 0) size.add(part);
    if (Array.isArray(part))
      return part.map((item, index) => resolve(item, `${where}/${index}`, trail, level + 1));
    if (part === null || typeof part !== 'object') return part;
    return Object.fromEntries(
      Object.entries(part).map(([key, item]) => [key, resolve(item, `${where}/${key}`, trail, level + 1)]),
    );
  };

  /** Null, and a violation or something missing, if it leads nowhere. */
  const follow = (
    { name, steps, text }: Reference,
    where: string,
    trail: readonly string[],
    level: number,
  ): unknown => {
    size.add(text);
    const place = where === '' ? 'the value' : where;
    const problem = configNameProblem(name);
    if (problem !== undefined) {
      violations.push(`${place} refers to ${text}, and '${name}' cannot name a configuration: ${problem}`);
      return null;
    }
    names.add(name);
    if (names.size > MOST_NAMES) return size.exceed(`lead to more than ${MOST_NAMES} configurations`);
    if (trail.includes(text) || trail.length >= MOST_STEPS) {
      violations.push(`${place} refers in a circle: ${[...trail, text].join(' → ')}`);
      return null;
    }
    const found = lookup(name);
    if (found === undefined) {
      missing.add(name);
      return null;
    }
    let part = found.value;
    const further = [...trail, text];
    for (const step of steps) {
      const before = violations.length + missing.size;
      const own = referenceOf(part);
      if (own !== null) part = follow(own, where, further, level);
      if (violations.length + missing.size > before || size.excess !== null) return null;
      part = hasParts(part) && Object.hasOwn(part, step) ? part[step] : undefined;
    }
    if (part !== undefined) return resolve(part, where, further, level);
    violations.push(`${place} refers to ${text}, which is not there`);
    return null;
  };

  const resolved = resolve(value, '', [], 1);
  if (size.excess === null) return { value: resolved, violations, names, missing };
  return {
    value: null,
    violations: [`the value and its references ${size.excess}`],
    names,
    missing: new Set(),
  };
}

/** What references have put in so far. */
class ExpandedSize {
  /** Which bound was passed; null if none was. */
  excess: string | null = null;
  #parts = 0;
  #characters = 0;

  add(part: unknown): void {
    this.#parts += 1;
    if (typeof part === 'string') this.#characters += part.length;
    else if (isObject(part)) for (const key of Object.keys(part)) this.#characters += key.length;
    if (this.#parts > MOST_PARTS) this.exceed(`put in more than ${MOST_PARTS} values`);
    if (this.#characters > MOST_CHARACTERS) this.exceed(`put in more than ${MOST_CHARACTERS} characters`);
  }

  exceed(excess: string): null {
    this.excess ??= excess;
    return null;
  }
}

interface Reference {
  readonly name: string;
  readonly steps: readonly string[];
  readonly text: string;
}

function referenceOf(part: unknown): Reference | null {
  if (!isObject(part)) return null;
  const entries = Object.entries(part);
  const [key, text] = entries[0] ?? [];
  if (entries.length !== 1 || key !== REFERENCE || typeof text !== 'string') return null;
  const [name = '', ...steps] = text.split('/');
  return { name, steps, text };
}

/** Of a list, the parts are its items. */
function hasParts(part: unknown): part is Readonly<Record<string, unknown>> {
  return part !== null && typeof part === 'object';
}
