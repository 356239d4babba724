/** Random requests over a handful of paths, sessions and identities, so that they meet each other often. */
import * as fc from 'fast-check';
import {
  type Acl,
  type CreateRequest,
  type Id,
  type MultiRequest,
  OPEN_ACL,
  OpCode,
} from '../../../core/protocol/index.js';
import type { WriteRequest } from '../../../core/data/index.js';
import { bytes } from './ensemble-of-one.js';

export type Step =
  | {
      readonly type: 'propose';
      readonly request: WriteRequest;
      readonly sessionId: bigint;
      readonly identities: readonly Id[];
      readonly passedMs: number;
    }
  /** As many of the proposals as that are applied. */
  | { readonly type: 'commit'; readonly count: number };

const PATHS = [
  '/a',
  '/b',
  '/a/x',
  '/a/y',
  '/a/x/deep',
  '/b/z',
  '/a/n-',
  '/b/n-',
  '/a/',
  '/a/n-0000000000',
  '/a/n-0000000001',
  '/b/n-0000000000',
];
const QUOTA_PATHS = [
  '/zookeeper/quota/a',
  '/zookeeper/quota/a/zookeeper_limits',
  '/zookeeper/quota/a/zookeeper_stats',
  '/zookeeper/quota/a/x',
  '/zookeeper/quota/a/x/zookeeper_limits',
  '/zookeeper/quota/a/x/zookeeper_stats',
];
const ODD_PATHS = [
  '/',
  '/zookeeper',
  '/zookeeper/config',
  '/a//x',
  '/a/..',
  'a',
  '',
  '/a\0',
  '//',
  '/zookeeper/q',
];

export const ALICE: Id = { scheme: 'digest', id: 'alice:hash' };
export const BOB: Id = { scheme: 'digest', id: 'bob:hash' };
const SUPER: Id = { scheme: 'super', id: '' };
const grant = (perms: number, id: Id): Acl => ({ perms, id });
const WORLD: Id = { scheme: 'world', id: 'anyone' };

const path = fc.oneof(
  { weight: 12, arbitrary: fc.constantFrom(...PATHS) },
  { weight: 3, arbitrary: fc.constantFrom(...QUOTA_PATHS) },
  { weight: 1, arbitrary: fc.constantFrom(...ODD_PATHS) },
);
const version = fc.oneof(
  { weight: 3, arbitrary: fc.constant(-1) },
  { weight: 2, arbitrary: fc.integer({ min: 0, max: 3 }) },
);
const data = fc.constantFrom(
  null,
  bytes(''),
  bytes('12345'),
  bytes('123456789012345'),
  bytes('count=3,bytes=20'),
  bytes('count=-1,bytes=-1=;byteHardLimit=22;countHardLimit=3'),
);
const acl = fc.oneof(
  { weight: 8, arbitrary: fc.constant<readonly Acl[]>(OPEN_ACL) },
  {
    weight: 1,
    arbitrary: fc.constantFrom<readonly Acl[]>(
      [grant(31, ALICE)],
      [grant(31, ALICE), grant(1, WORLD)],
      [grant(31, { scheme: 'auth', id: '' })],
      [grant(1 | 4, WORLD), grant(31, BOB), grant(31, BOB)],
      [],
      [grant(31, { scheme: 'nonsense', id: 'x' })],
    ),
  },
);

const created = (flags: fc.Arbitrary<number>): fc.Arbitrary<CreateRequest> =>
  fc.record({ path, data, acl, flags, ttlMs: fc.constantFrom(0, 5, 40) });
const plain = created(fc.constantFrom(0, 0, 0, 1, 1, 2, 3, 3));

const multiMember: fc.Arbitrary<MultiRequest['ops'][number]> = fc.oneof(
  { weight: 3, arbitrary: plain.map((body) => ({ op: OpCode.create, body }) as const) },
  { weight: 3, arbitrary: plain.map((body) => ({ op: OpCode.create2, body }) as const) },
  {
    weight: 1,
    arbitrary: created(fc.constant(4)).map((body) => ({ op: OpCode.createContainer, body }) as const),
  },
  {
    weight: 2,
    arbitrary: fc.record({ path, version }).map((body) => ({ op: OpCode.delete, body }) as const),
  },
  {
    weight: 2,
    arbitrary: fc.record({ path, data, version }).map((body) => ({ op: OpCode.setData, body }) as const),
  },
  { weight: 1, arbitrary: fc.record({ path, version }).map((body) => ({ op: OpCode.check, body }) as const) },
);

const request: fc.Arbitrary<WriteRequest> = fc.oneof(
  { weight: 10, arbitrary: plain.map((body) => ({ op: OpCode.create, body }) as const) },
  { weight: 5, arbitrary: plain.map((body) => ({ op: OpCode.create2, body }) as const) },
  {
    weight: 1,
    arbitrary: created(fc.constantFrom(0, 4, 5, 7, -1)).map((body) => ({ op: OpCode.create, body }) as const),
  },
  {
    weight: 2,
    arbitrary: created(fc.constant(4)).map((body) => ({ op: OpCode.createContainer, body }) as const),
  },
  {
    weight: 2,
    arbitrary: created(fc.constantFrom(5, 6)).map((body) => ({ op: OpCode.createTtl, body }) as const),
  },
  {
    weight: 8,
    arbitrary: fc.record({ path, version }).map((body) => ({ op: OpCode.delete, body }) as const),
  },
  {
    weight: 6,
    arbitrary: fc.record({ path, data, version }).map((body) => ({ op: OpCode.setData, body }) as const),
  },
  {
    weight: 2,
    arbitrary: fc.record({ path, acl, version }).map((body) => ({ op: OpCode.setAcl, body }) as const),
  },
  {
    weight: 6,
    arbitrary: fc
      .array(multiMember, { maxLength: 6 })
      .map((ops) => ({ op: OpCode.multi, body: { ops } }) as const),
  },
  { weight: 3, arbitrary: fc.constant({ op: OpCode.createSession, body: { timeoutMs: 10_000 } } as const) },
  { weight: 2, arbitrary: fc.constant({ op: OpCode.closeSession, body: {} } as const) },
  { weight: 3, arbitrary: path.map((path) => ({ op: OpCode.deleteContainer, body: { path } }) as const) },
  { weight: 1, arbitrary: fc.constant({ op: OpCode.sync, body: { path: '/' } } as const) },
);

const propose: fc.Arbitrary<Step> = fc.record({
  type: fc.constant('propose' as const),
  request,
  sessionId: fc.constantFrom(0x100n, 0x100n, 0x100n, 0x200n, 0x200n, -0x7eff_ffff_ffff_fd00n),
  identities: fc.constantFrom<readonly Id[]>([], [], [ALICE], [BOB], [ALICE, BOB], [SUPER]),
  passedMs: fc.constantFrom(0, 1, 10, -5),
});

const commit: fc.Arbitrary<Step> = fc.record({
  type: fc.constant('commit' as const),
  count: fc.integer({ min: 1, max: 6 }),
});

function scene(...contents: readonly (readonly [path: string, data: string])[]): readonly Step[] {
  return contents.map(([path, data]) => ({
    type: 'propose',
    request: { op: OpCode.create, body: { path, data: bytes(data), acl: OPEN_ACL, flags: 0, ttlMs: 0 } },
    sessionId: 0x100n,
    identities: [],
    passedMs: 0,
  }));
}

/** What is there already when the random steps begin. */
const opening = fc.constantFrom(
  scene(),
  scene(['/a', ''], ['/b', 'b'], ['/a/x', 'x']),
  scene(
    ['/a', ''],
    ['/a/x', 'x'],
    ['/zookeeper/quota/a', ''],
    ['/zookeeper/quota/a/zookeeper_limits', 'count=2,bytes=20=;byteHardLimit=22;countHardLimit=3'],
    ['/zookeeper/quota/a/zookeeper_stats', ''],
  ),
);

export const steps = (maxLength: number): fc.Arbitrary<readonly Step[]> =>
  fc
    .tuple(
      opening,
      fc.array(fc.oneof({ weight: 4, arbitrary: propose }, { weight: 1, arbitrary: commit }), {
        maxLength,
        size: 'max',
      }),
    )
    .map((parts) => parts.flat());
