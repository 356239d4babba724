import { configNameProblem } from './config-paths.js';
import { isObject } from './overlay.js';

/**
 * A value may take parts from other configurations: an object with the one field `$config` stands for what that names,
 * `"smtp"` for the whole of it or `"smtp/host"` for a part.
 */
const REFERENCE = '$config';

/** How deep references may lead to references. */
const MOST_STEPS = 10;

/** Gives the value of a configuration, of which it is asked by a name that can be; undefined when it is not loaded yet. */
export type Lookup = (name: string) => { readonly value: unknown } | undefined;

export interface Resolution {
  readonly value: unknown;
  readonly violations: readonly string[];
  /** All that it depends on. */
  readonly names: ReadonlySet<string>;
  /** What has to be loaded before it can be said what the value is; all are names that can be. */
  readonly missing: ReadonlySet<string>;
}

/** Puts in what the value refers to. */
export function resolveReferences(value: unknown, lookup: Lookup): Resolution {
  const violations: string[] = [];
  const names = new Set<string>();
  const missing = new Set<string>();

  const resolve = (part: unknown, where: string, trail: readonly string[]): unknown => {
    const reference = referenceOf(part);
    if (reference !== null) return follow(reference, where, trail);
    if (Array.isArray(part)) return part.map((item, index) => resolve(item, `${where}/${index}`, trail));
    if (part === null || typeof part !== 'object') return part;
    return Object.fromEntries(
      Object.entries(part).map(([key, item]) => [key, resolve(item, `${where}/${key}`, trail)]),
    );
  };

  /** Null, and a violation or something missing, if it leads nowhere. */
  const follow = ({ name, steps, text }: Reference, where: string, trail: readonly string[]): unknown => {
    const place = where === '' ? 'the value' : where;
    const problem = configNameProblem(name);
    if (problem !== undefined) {
      violations.push(`${place} refers to ${text}, and '${name}' cannot name a configuration: ${problem}`);
      return null;
    }
    names.add(name);
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
      if (own !== null) part = follow(own, where, further);
      if (violations.length + missing.size > before) return null;
      part = hasParts(part) && Object.hasOwn(part, step) ? part[step] : undefined;
    }
    if (part !== undefined) return resolve(part, where, further);
    violations.push(`${place} refers to ${text}, which is not there`);
    return null;
  };

  return { value: resolve(value, '', []), violations, names, missing };
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
