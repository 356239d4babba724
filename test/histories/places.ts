import { createHash } from 'node:crypto';
import { OPEN_ACL, OpCode, Permission, type Acl, type Request } from '../../core/protocol/index.js';

/** Under which all clients work. */
export const ROOT = '/histories';
/** Values that many clients write and read. */
export const REGISTERS = [0, 1, 2, 3].map((index) => `${ROOT}/registers/${index}`);
/** Values that only who proves an identity may read, as long as nobody changes that. */
export const SECRETS = [0, 1].map((index) => `${ROOT}/secrets/${index}`);
/** Holds much, so that the output of a connection fills up with what its reads return. */
export const LARGE = `${ROOT}/large`;
export const LARGE_BYTES = 250_000;
export const DIRECTORIES = {
  registers: `${ROOT}/registers`,
  secrets: `${ROOT}/secrets`,
  sequence: `${ROOT}/sequence`,
  ephemerals: `${ROOT}/ephemerals`,
  expiring: `${ROOT}/expiring`,
  limited: `${ROOT}/limited`,
  several: `${ROOT}/several`,
  containers: `${ROOT}/containers`,
} as const;

/** Znodes that may be below `limited`, itself included, and bytes. */
const MOST_ZNODES = 10;
const MOST_BYTES = 400;

const USER = 'reader:secret';
const USER_ID = `reader:${createHash('sha1').update(USER).digest('base64')}`;

export const CREDENTIALS = new TextEncoder().encode(USER);
/** Everybody may write; only the identity may read. */
export const SECRET_ACL: readonly Acl[] = [
  { perms: Permission.all & ~Permission.read, id: { scheme: 'world', id: 'anyone' } },
  { perms: Permission.all, id: { scheme: 'digest', id: USER_ID } },
];

/** What the first client makes before the others begin. */
export function setUp(): Request[] {
  const limits = `count=-1,bytes=-1=;byteHardLimit=${MOST_BYTES};countHardLimit=${MOST_ZNODES}`;
  const quota = `/zookeeper/quota${DIRECTORIES.limited}`;
  return [
    create(ROOT),
    ...Object.values(DIRECTORIES).map((path) => create(path)),
    create(LARGE, 'x'.repeat(LARGE_BYTES)),
    ...REGISTERS.map((path) => create(path, '0')),
    ...SECRETS.map((path) => create(path, '0', SECRET_ACL)),
    create(`/zookeeper/quota${ROOT}`),
    create(quota),
    create(`${quota}/zookeeper_limits`, limits),
  ];
}

export function create(path: string, data = '', acl: readonly Acl[] = OPEN_ACL, flags = 0): WriteOf<1> {
  return { op: OpCode.create, body: { path, data: bytesOf(data), acl, flags, ttlMs: 0 } };
}

export function bytesOf(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

type WriteOf<Op> = Extract<Request, { readonly op: Op }>;
