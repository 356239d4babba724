import * as fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { OpCode } from '../../../core/protocol/index.js';
import type { WriteRequest } from '../../../core/data/index.js';
import { createBody, EnsembleOfOne, SESSION } from './ensemble-of-one.js';
import { assertWellFormed } from './examine.js';

const anyPath = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc
    .array(fc.constantFrom('/', 'a', '.', '..', '\0', 'zookeeper', '\ud800', 'é', '~'))
    .map((parts) => parts.join('')),
);
const anyInt = fc.integer({ min: -0x8000_0000, max: 0x7fff_ffff });
const anyData = fc.option(fc.uint8Array({ maxLength: 20 }), { nil: null });
const anyAcl = fc.array(
  fc.record({
    perms: anyInt,
    id: fc.record({
      scheme: fc.constantFrom('world', 'auth', 'digest', 'ip', 'x509', 'super', ''),
      id: fc.oneof(fc.string(), fc.constant('anyone'), fc.constant('10.0.0.0/8')),
    }),
  }),
  { maxLength: 3 },
);
/** Every field that any operation has, each with any value of its type. */
const anyBody = fc.record({
  path: anyPath,
  data: anyData,
  acl: anyAcl,
  flags: fc.oneof(fc.integer({ min: -1, max: 7 }), anyInt),
  ttlMs: fc.oneof(fc.constant(5), fc.double()),
  version: fc.oneof(fc.constant(-1), anyInt),
  timeoutMs: fc.double(),
});
const anyRequest = fc
  .record({ op: fc.oneof(fc.constantFrom(...Object.values(OpCode)), anyInt), body: anyBody })
  .chain(({ op, body }) =>
    fc
      .array(fc.record({ op: fc.constantFrom(1, 2, 5, 13, 15, 19, 21, 4, 99), body: anyBody }), {
        maxLength: 4,
      })
      .map((ops) => ({ op, body: { ...body, ops } }) as unknown as WriteRequest),
  );

test('no request makes the preparer throw, and what it decides can always be applied', () => {
  fc.assert(
    fc.property(fc.array(anyRequest, { maxLength: 20 }), (requests) => {
      const ensemble = new EnsembleOfOne({ enforceQuota: true });
      for (const request of requests) ensemble.propose(request, { sessionId: SESSION });
      while (ensemble.applied < ensemble.log.length) ensemble.commit();
      assertWellFormed(ensemble.machine);
      assert.is(ensemble.preparer.pendingCount, 0);
    }),
    { numRuns: 500 },
  );
});

test('the transaction names who asked for what, and when', () => {
  const ensemble = new EnsembleOfOne();
  ensemble.wallMs = 1_234.9;
  const { txn } = ensemble.write({ op: OpCode.create2, body: createBody('/a') });
  assert.is(txn.sessionId, SESSION);
  assert.is(txn.cxid, 7);
  assert.is(txn.time, 1_234);
  assert.is(txn.op, OpCode.create2);
});

test('what is pending is forgotten as it is applied, however long the pipeline never runs dry', () => {
  const ensemble = new EnsembleOfOne();
  ensemble.create('/q');
  for (let index = 0; index < 5_000; index++) {
    ensemble.propose({ op: OpCode.create, body: createBody('/q/n-', { flags: 3 }) });
    if (index >= 10) ensemble.commit();
    assert.ok(ensemble.preparer.pendingCount <= 12);
  }
});

test('a preparer that starts anew on the applied state decides as the one before would have', () => {
  const ensemble = new EnsembleOfOne();
  ensemble.create('/q');
  ensemble.create('/q/n-', { flags: 2 });
  const next = new EnsembleOfOne({}, ensemble.machine);
  assert.is(next.create('/q/n-', { flags: 2 }), '/q/n-0000000001');
});

test.run();
