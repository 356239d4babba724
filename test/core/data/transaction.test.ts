import * as fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type Acl, MarshallingError, type MultiOp, OpCode } from '../../../core/protocol/index.js';
import { decodeTxn, encodeTxn, type Txn } from '../../../core/data/index.js';
import type { Outcome, SingleOutcome } from '../../../core/data/transaction.js';

const int = fc.integer({ min: -0x8000_0000, max: 0x7fff_ffff });
const long = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
const path = fc.string({ unit: 'grapheme' });
const data = fc.option(fc.uint8Array({ maxLength: 300 }), { nil: null });
const acl: fc.Arbitrary<Acl[]> = fc.array(
  fc.record({ perms: int, id: fc.record({ scheme: fc.string(), id: fc.string() }) }),
  { maxLength: 3 },
);

const single: fc.Arbitrary<SingleOutcome> = fc.oneof(
  fc.record({
    type: fc.constant('create' as const),
    path,
    data,
    acl,
    storedOwner: long,
    parentCreates: int,
  }),
  fc.record({ type: fc.constant('delete' as const), path }),
  fc.record({ type: fc.constant('setData' as const), path, data, version: int }),
  fc.record({ type: fc.constant('setAcl' as const), path, acl, aversion: int }),
  fc.record({ type: fc.constant('check' as const), path }),
  fc.record({ type: fc.constant('error' as const), error: fc.constantFrom(0, -101, -2, -110) }),
) as fc.Arbitrary<SingleOutcome>;

const ensembleId = fc
  .uint8Array({ minLength: 16, maxLength: 16 })
  .map((bytes) => Buffer.from(bytes).toString('hex'));
const multiOp = fc.constantFrom<MultiOp>(1, 15, 19, 21, 2, 5, 13);
const outcome: fc.Arbitrary<Outcome> = fc.oneof(
  { weight: 4, arbitrary: single },
  fc.record({ type: fc.constant('createSession' as const), timeoutMs: int }),
  fc.record({ type: fc.constant('closeSession' as const), paths: fc.array(path, { maxLength: 5 }) }),
  fc.record({
    type: fc.constant('multi' as const),
    parts: fc.array(fc.record({ op: multiOp, outcome: single }), { maxLength: 4 }),
  }),
  fc.record({ type: fc.constant('identify' as const), ensembleId }),
);
const txn: fc.Arbitrary<Txn> = fc.record({
  sessionId: long,
  cxid: int,
  time: fc.nat({ max: 0x7fff_ffff }).map((high) => high * 4_000_000),
  op: fc.constantFrom(...Object.values(OpCode)),
  outcome,
});

test('decoding undoes encoding', () => {
  fc.assert(
    fc.property(txn, (one) => {
      assert.equal(plain(decodeTxn(encodeTxn(one))), plain(one));
    }),
    { numRuns: 1_000 },
  );
});

/** Node's Buffer and a plain array with the same bytes count as equal. */
function plain(value: unknown): unknown {
  return JSON.parse(
    JSON.stringify(value, (_, inner: unknown) => {
      if (typeof inner === 'bigint') return `${inner}n`;
      return inner instanceof Uint8Array ? { bytes: Array.from(inner) } : inner;
    }),
  );
}

test('encoded transactions keep their bytes whatever is encoded after them', () => {
  fc.assert(
    fc.property(fc.array(txn, { maxLength: 20 }), (txns) => {
      const encoded = txns.map(encodeTxn);
      assert.equal(
        encoded.map((payload) => plain(decodeTxn(payload))),
        txns.map(plain),
      );
    }),
    { numRuns: 100 },
  );
});

test('an encoding that failed half-way spoils none that follows', () => {
  const good: Txn = { sessionId: 1n, cxid: 2, time: 3, op: 2, outcome: { type: 'delete', path: '/a' } };
  const bad = { ...good, outcome: { type: 'delete', path: 5 } } as unknown as Txn;
  assert.throws(() => encodeTxn(bad));
  assert.equal(plain(decodeTxn(encodeTxn(good))), plain(good));
});

test('any bytes at all are a transaction or a MarshallingError', () => {
  const decode = (payload: Uint8Array): void => {
    try {
      decodeTxn(payload);
    } catch (error) {
      assert.instance(error, MarshallingError);
    }
  };
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), decode), { numRuns: 1_000 });
  const damaged = fc.tuple(txn, fc.nat(), fc.nat({ max: 255 })).map(([one, position, byte]) => {
    const payload = Uint8Array.from(encodeTxn(one));
    payload[position % payload.length] = byte;
    return payload;
  });
  fc.assert(fc.property(damaged, decode), { numRuns: 2_000 });
});

test('a transaction that breaks off, or has bytes behind it, is refused', () => {
  const encoded = encodeTxn({
    sessionId: 1n,
    cxid: 2,
    time: 3,
    op: OpCode.multi,
    outcome: {
      type: 'multi',
      parts: [
        { op: OpCode.setData, outcome: { type: 'setData', path: '/a', data: new Uint8Array(5), version: 4 } },
      ],
    },
  });
  for (let length = 0; length < encoded.length; length++) {
    assert.throws(() => decodeTxn(encoded.subarray(0, length)), isMarshallingError);
  }
  assert.throws(() => decodeTxn(Uint8Array.from([...encoded, 0])), isMarshallingError);
});

function isMarshallingError(error: Error): boolean {
  return error instanceof MarshallingError;
}

test.run();
