const SLASH = 0x2f;
const DOT = 0x2e;

/**
 * The parent that was computed last. Most paths have the parent of the path before; the same string again is no copy, and its
 * hash, by which maps look it up, is computed already.
 */
let lastParent = '/';

/** Path of the znode that holds this one among its children; `'/'` for the root too. The path has to be a valid one. */
export function parentOf(path: string): string {
  const slash = lastSlash(path);
  if (slash <= 0) return '/';
  if (slash !== lastParent.length || !path.startsWith(lastParent)) lastParent = path.slice(0, slash);
  return lastParent;
}

/** As `lastIndexOf`, which V8 does not compile: several times faster for names of usual length. */
function lastSlash(path: string): number {
  let index = path.length - 1;
  while (index >= 0 && path.charCodeAt(index) !== SLASH) index -= 1;
  return index;
}

/** Last segment of a valid path; `''` for the root. */
export function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

/**
 * Null if a znode can have this path, else what is wrong with it, in words. The rule looks at UTF-16 code units, as
 * ZooKeeper's does, so everything beyond the Basic Multilingual Plane is refused with the surrogates.
 */
export function invalidPathReason(path: string): string | null {
  if (isOrdinary(path)) return null;
  if (path === '') return 'the path is empty';
  if (path[0] !== '/') return 'the path does not start with /';
  if (path === '/') return null;
  if (path.endsWith('/')) return 'the path ends with /';
  return invalidCharacterReason(path) ?? invalidSegmentReason(path);
}

/** A closer look is not needed: plain characters throughout, and no segment that is empty or begins with a dot. */
function isOrdinary(path: string): boolean {
  if (path.charCodeAt(0) !== SLASH) return false;
  let before = 0;
  for (let index = 0; index < path.length; index++) {
    const unit = path.charCodeAt(index);
    if (unit < 0x20 || unit > 0x7e || (before === SLASH && (unit === SLASH || unit === DOT))) return false;
    before = unit;
  }
  return before !== SLASH;
}

function invalidCharacterReason(path: string): string | null {
  for (let index = 0; index < path.length; index++) {
    const unit = path.charCodeAt(index);
    if (isForbidden(unit)) {
      const hex = unit.toString(16).toUpperCase().padStart(4, '0');
      return `the character U+${hex} at position ${index} is not allowed in a path`;
    }
  }
  return null;
}

function isForbidden(unit: number): boolean {
  return (
    unit <= 0x1f ||
    (unit >= 0x7f && unit <= 0x9f) ||
    (unit >= 0xd800 && unit <= 0xf8ff) ||
    (unit >= 0xfff0 && unit <= 0xffff)
  );
}

function invalidSegmentReason(path: string): string | null {
  let start = 1;
  while (start <= path.length) {
    const slash = path.indexOf('/', start);
    const end = slash === -1 ? path.length : slash;
    const length = end - start;
    if (length === 0) return `there is an empty segment at position ${start}`;
    if (length <= 2 && path[start] === '.' && path[end - 1] === '.') {
      return `the segment ${path.slice(start, end)} at position ${start} is relative`;
    }
    start = end + 1;
  }
  return null;
}
