import { describeValue } from '../../runtime/index.js';
import { InvalidNameError } from '../errors.js';

/** What ZooKeeper allows in no path: controls, surrogates with the private area, specials (`PathUtils`). */
// oxlint-disable-next-line no-control-regex -- control characters are what it looks for
const FORBIDDEN = /[\u0000-\u001f\u007f-\u009f\ud800-\uf8ff\ufff0-\uffff]/;

/** The path of `name` (one or more segments) below `root`. Throws `InvalidNameError`; `subject` says what is named. */
export function pathBelow(root: string, name: string, subject: string): string {
  checkText(name, subject);
  for (const segment of name.split('/')) checkSegment(segment, name, subject);
  return root === '/' ? `/${name}` : `${root}/${name}`;
}

/** Refuses what cannot be exactly one segment of a path. */
export function checkSingleSegment(name: string, subject: string): void {
  checkText(name, subject);
  if (name.includes('/')) throw new InvalidNameError(subject, name, 'it contains a slash');
  checkSegment(name, name, subject);
}

/** Only a program without types can give anything else. */
function checkText(name: unknown, subject: string): void {
  if (typeof name !== 'string')
    throw new InvalidNameError(subject, name, `it must be a text, not ${describeValue(name)}`);
}

function checkSegment(segment: string, name: string, subject: string): void {
  if (segment === '')
    throw new InvalidNameError(
      subject,
      name,
      name === '' ? 'it is empty' : 'it begins or ends with a slash, or has two in a row',
    );
  if (segment === '.' || segment === '..')
    throw new InvalidNameError(subject, name, `${segment} is not allowed as a segment`);
  if (FORBIDDEN.test(segment))
    throw new InvalidNameError(subject, name, 'it contains a character that no znode path may have');
}

/** Last segment of a path. */
export function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

/** Path without its last segment. */
export function parentOf(path: string): string {
  return path.slice(0, Math.max(1, path.lastIndexOf('/')));
}
