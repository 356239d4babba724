import { Session } from 'node:inspector';

/** How much an object holds, by path; see `censusOf`. */
export type Census = ReadonlyMap<string, number>;

const GROUP = 'census';

/** What a value in a private field is handed over through. */
const handed: { value: unknown } = { value: undefined };
const HANDED = '__quorateCensus';

/**
 * Walks everything that `root` reaches, private fields included, and counts per path: the entries of lists, maps and sets, the
 * bytes of byte arrays, numbers as they are, flags that are set, and values that are there. The elements of a list share one
 * path; what they hold is added up. Functions count as values and are not entered.
 *
 * Two censuses of one object, taken after it has done the same once and once more, differ only by what it keeps of the past.
 */
export function censusOf(root: object): Census {
  const session = new Session();
  session.connect();
  (globalThis as Record<string, unknown>)[HANDED] = handed;
  try {
    const census = new Map<string, number>();
    visit(root, root.constructor.name, { census, seen: new Set(), reader: new PrivateReader(session) });
    return census;
  } finally {
    delete (globalThis as Record<string, unknown>)[HANDED];
    session.disconnect();
  }
}

/** The paths at which two censuses differ, with both counts; those that match `ignored` are left out. */
export function differences(before: Census, after: Census, ignored: RegExp): string[] {
  const paths = [...new Set([...before.keys(), ...after.keys()])].sort();
  return paths
    .filter((path) => !ignored.test(path) && (before.get(path) ?? 0) !== (after.get(path) ?? 0))
    .map((path) => `${path}: ${before.get(path) ?? 0}, then ${after.get(path) ?? 0}`);
}

interface Walk {
  readonly census: Map<string, number>;
  readonly seen: Set<object>;
  readonly reader: PrivateReader;
}

function visit(value: unknown, path: string, walk: Walk): void {
  const count = (amount: number): void => void walk.census.set(path, (walk.census.get(path) ?? 0) + amount);
  if (typeof value === 'number') return count(Number.isFinite(value) ? value : 1);
  if (typeof value !== 'object') return count(value === undefined || !value ? 0 : 1);
  if (value === null || walk.seen.has(value)) return count(value === null ? 0 : 1);
  walk.seen.add(value);
  if (ArrayBuffer.isView(value)) return count(value.byteLength);
  if (Array.isArray(value) || value instanceof Set || value instanceof Map) {
    count('size' in value ? value.size : value.length);
    for (const key of value instanceof Map ? value.keys() : [])
      if (typeof key === 'object') visit(key, `${path}.key`, walk);
    for (const element of value.values()) if (typeof element !== 'number') visit(element, `${path}[]`, walk);
    return;
  }
  count(1);
  for (const [name, field] of [...Object.entries(value), ...walk.reader.fieldsOf(value)])
    visit(field, `${path}.${name}`, walk);
}

/** Reads private fields by the debugger's protocol, within this process. */
class PrivateReader {
  readonly #session: Session;
  readonly #handed: string;

  constructor(session: Session) {
    this.#session = session;
    this.#handed = this.#post('Runtime.evaluate', { expression: `globalThis.${HANDED}` }).result.objectId;
  }

  fieldsOf(object: object): [string, unknown][] {
    handed.value = object;
    const { objectId } = this.#call(this.#handed, 'function () { return this.value; }');
    const { privateProperties = [] } = this.#post('Runtime.getProperties', { objectId, ownProperties: true });
    const fields = privateProperties.flatMap(({ name, value }) => {
      // Private methods and accessors have no value.
      if (value === undefined) return [];
      if (value.objectId === undefined) return [[name, this.#primitive(value)] as [string, unknown]];
      this.#call(value.objectId, `function () { globalThis.${HANDED}.value = this; }`);
      return [[name, handed.value] as [string, unknown]];
    });
    this.#post('Runtime.releaseObjectGroup', { objectGroup: GROUP });
    return fields;
  }

  /** A bigint comes in words; all that counts of it is whether it is 0. */
  #primitive({ value, unserializableValue }: RemoteValue): unknown {
    if (unserializableValue === undefined) return value;
    return unserializableValue.endsWith('n') ? BigInt(unserializableValue.slice(0, -1)) : 1;
  }

  #call(objectId: string, functionDeclaration: string): { readonly objectId: string } {
    return this.#post('Runtime.callFunctionOn', { objectId, functionDeclaration, objectGroup: GROUP }).result;
  }

  /** Within one process the answer comes before `post` returns. */
  #post(method: string, options: object): RemoteAnswer {
    let answer: unknown;
    this.#session.post(method, options, (error, result) => (answer = error ?? result));
    if (answer === undefined || answer instanceof Error || 'message' in (answer as object))
      throw new Error(`${method} failed`, { cause: answer });
    return answer as RemoteAnswer;
  }
}

interface RemoteValue {
  readonly objectId?: string;
  readonly value?: unknown;
  readonly unserializableValue?: string;
}

interface RemoteAnswer {
  readonly result: { readonly objectId: string };
  readonly privateProperties?: readonly { readonly name: string; readonly value?: RemoteValue }[];
}
