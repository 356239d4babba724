import { BadArgumentsError } from './errors.js';

/**
 * Code units that ZooKeeper allows in no path: control characters, surrogates and private use, and the end of the
 * basic plane. So everything outside that plane, emoji for one, is excluded too.
 */
const FORBIDDEN: readonly (readonly [first: number, last: number])[] = [
  [0x0000, 0x001f],
  [0x007f, 0x009f],
  [0xd800, 0xf8ff],
  [0xfff0, 0xffff],
];

/** Most paths there are: nothing but printable ASCII, and no segment that is empty or begins with a dot. */
const ORDINARY = /^(?:\/[!-\-0-~ ][ -.0-~]*)+$/;

/**
 * Throws `BadArgumentsError` unless `path` is one that a server accepts. A sequential create may end in a slash, as the
 * server appends the number before it looks.
 */
export function validatePath(
  path: string,
  operation: string,
  options: { readonly sequential?: boolean } = {},
): void {
  const complete = options.sequential === true ? `${path}0` : path;
  if (typeof path === 'string' && ORDINARY.test(complete)) return;
  const what = faultOf(complete);
  if (what !== null) throw new BadArgumentsError({ operation, path, what });
}

function faultOf(path: unknown): string | null {
  if (typeof path !== 'string') return 'the path must be a string';
  if (!path.startsWith('/')) return 'the path must start with a slash';
  if (path === '/') return null;
  if (path.endsWith('/')) return 'the path must not end with a slash';
  const segment = path
    .slice(1)
    .split('/')
    .find((name) => name === '' || name === '.' || name === '..');
  if (segment === '') return 'the path has an empty segment';
  if (segment !== undefined) return `the path must not contain the segment "${segment}"`;
  for (let index = 0; index < path.length; index++) {
    const unit = path.charCodeAt(index);
    if (isForbidden(unit)) return `the path contains the character U+${unit.toString(16).padStart(4, '0')}`;
  }
  return null;
}

function isForbidden(unit: number): boolean {
  const isPlain = unit >= 0x20 && unit < 0x7f;
  return !isPlain && FORBIDDEN.some(([first, last]) => unit >= first && unit <= last);
}

/** The path of the parent; `/` for `/` itself. */
export function parentOf(path: string): string {
  const slash = path.lastIndexOf('/');
  return slash <= 0 ? '/' : path.slice(0, slash);
}

/** The last segment. */
export function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}
