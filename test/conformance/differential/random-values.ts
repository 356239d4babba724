import { OPEN_ACL, type Acl } from '../../../core/protocol/index.js';
import type { Choice } from './choice.js';
import { ROOT } from './step.js';

const NAMES = ['a', 'b', 'c'];
/** What sequential creates below a fresh parent are called. */
const SEQUENTIAL_NAMES = ['s-0000000000', 's-0000000001', 's-0000000002', 's-0000000004'];
const BAD_PATHS = ['r', `${ROOT}/`, `${ROOT}//a`, `${ROOT}/.`, `${ROOT}/../r`, `${ROOT}/a/./b`];
const BAD_CHARACTERS = [
  '\0',
  '\u0001',
  '\u001f',
  '\u007f',
  '\u009f',
  '\u{1f600}',
  '\ue000',
  '\uf8ff',
  '\ufff0',
];
const FINE_CHARACTERS = [' ', 'ä', '日本', '...', '.a', 'b..', '\u00a0', '%2f', '\uf900', '\uffef'];
export const QUOTA = `/zookeeper/quota${ROOT}`;
const SYSTEM_PATHS = ['/', '/zookeeper', '/zookeeper/quota', '/zookeeper/config', '/nothing'];
const QUOTA_PATHS = [QUOTA, `${QUOTA}/zookeeper_limits`, `${QUOTA}/zookeeper_stats`];

export const IDENTITIES = ['ann:one', 'bob:two'];
const ANN = 'ann:/rTvMZSU2ALAhkmnmL6pI2yOd9I=';

function entry(scheme: string, id: string, perms: number): Acl {
  return { perms, id: { scheme, id } };
}

const READABLE_ACLS: readonly (readonly Acl[])[] = [
  [entry('world', 'anyone', 1)],
  [entry('world', 'anyone', 15)],
  [entry('world', 'anyone', 1), entry('auth', '', 31)],
  [entry('ip', '127.0.0.1', 31)],
  [entry('ip', '127.0.0.0/8', 31)],
];
const ACLS: readonly (readonly Acl[])[] = [
  ...READABLE_ACLS,
  [entry('auth', '', 31)],
  [entry('auth', 'whoever', 31)],
  [entry('digest', ANN, 31)],
  [entry('digest', ANN, 31), entry('digest', ANN, 31)],
  [entry('digest', ANN, 3), entry('world', 'anyone', 28)],
  [entry('ip', '10.0.0.0/8', 31)],
];
const BAD_ACLS: readonly (readonly Acl[])[] = [
  [],
  [entry('world', 'nobody', 31)],
  [entry('nosuch', 'x', 31)],
  [entry('digest', 'ann', 31)],
  [entry('digest', 'a:b:c', 31)],
  [entry('ip', '300.1.2.3', 31)],
  [entry('ip', '127.0.0.1/40', 31)],
  [entry('ip', 'localhost', 31)],
  [entry('super', '', 31)],
  [entry('', '', 31)],
  [entry('world', 'anyone', 31), entry('nosuch', 'x', 31)],
];

/** A path that is likely to be of use to somebody else, too. */
export function anyPath(choice: Choice): string {
  const kind = choice.weighted({ plain: 80, sequential: 6, system: 4, quota: 3, bad: 4, fine: 3 });
  switch (kind) {
    case 'plain':
      return plainPath(choice);
    case 'sequential':
      return `${plainPath(choice)}/${choice.of(SEQUENTIAL_NAMES)}`;
    case 'system':
      return choice.of(SYSTEM_PATHS);
    case 'quota':
      return choice.of(QUOTA_PATHS);
    case 'bad':
      return choice.chance(0.5) ? choice.of(BAD_PATHS) : `${ROOT}/x${choice.of(BAD_CHARACTERS)}y`;
    default:
      return `${ROOT}/${choice.of(FINE_CHARACTERS)}`;
  }
}

/** The root or something not far below it. */
export function plainPath(choice: Choice): string {
  const depth = choice.below(4);
  return [ROOT, ...Array.from({ length: depth }, () => choice.of(NAMES))].join('/');
}

/** For what is created, changed or deleted: nothing that other sequences on the same server would notice, and no quota. */
export function ownPath(choice: Choice): string {
  for (;;) {
    const path = anyPath(choice);
    if (!SYSTEM_PATHS.includes(path) && !QUOTA_PATHS.includes(path)) return path;
  }
}

/** For what is deleted or compared: what is always there is no exception. */
export function ownOrSystemPath(choice: Choice): string {
  return choice.chance(0.04) ? choice.of(SYSTEM_PATHS) : ownPath(choice);
}

export function anyAcl(choice: Choice): readonly Acl[] {
  if (choice.chance(0.75)) return OPEN_ACL;
  if (choice.chance(0.25)) return choice.of(BAD_ACLS);
  return choice.of(choice.theme === 'permissions' ? ACLS : READABLE_ACLS);
}

export function anyData(choice: Choice): Uint8Array | null {
  const kind = choice.weighted({ none: 1, empty: 1, short: 6, long: 1 });
  if (kind === 'none') return null;
  return choice.bytes(kind === 'empty' ? 0 : 1 + choice.below(kind === 'short' ? 8 : 2_000));
}

export function anyVersion(choice: Choice): number {
  return choice.chance(0.6) ? -1 : choice.of([0, 0, 0, 1, 1, 2, 3, -2, 2_147_483_647]);
}

/** Hard limits, which a sequence keeps from its beginning: nobody is over one that he was never under. */
export function anyHardLimits(choice: Choice): string {
  return `=;byteHardLimit=${choice.of([-1, 10, 100, 3_000])};countHardLimit=${choice.of([-1, 3, 6, 12])}`;
}

export function anyLimits(choice: Choice, hardLimits: string): Uint8Array {
  const limit = (): number => choice.of([-1, 1, 3, 6, 40]);
  return Buffer.from(`count=${limit()},bytes=${limit()}${hardLimits}`);
}
