/** What ZooKeeper allows in no path: controls, surrogates with the private area, specials. */
// oxlint-disable-next-line no-control-regex -- control characters are what it looks for
const FORBIDDEN = /[/\u0000-\u001f\u007f-\u009f\ud800-\uf8ff\ufff0-\uffff]/;

/** Whether a name can be exactly one segment of a path, as all names of declarations are. */
export function isSegment(name: string): boolean {
  return name !== '' && name !== '.' && name !== '..' && !FORBIDDEN.test(name);
}
