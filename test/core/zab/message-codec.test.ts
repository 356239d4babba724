import { test } from 'uvu';
import * as assert from 'uvu/assert';
import * as fc from 'fast-check';
import {
  decodePeerMessage,
  encodePeerMessage,
  PeerMessageError,
  type PeerMessage,
} from '../../../core/zab/index.js';

const epoch = fc.integer({ min: 0, max: 0x7fffffff });
const zxid = fc.bigInt({ min: 0n, max: 0xffffffffffffffffn });
const count = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER });
const bytes = fc.uint8Array({ maxLength: 300 });
const id = fc.integer({ min: 0, max: 254 });
const entries = fc.array(record({ zxid, payload: bytes }), { maxLength: 20 });
const epochs = fc
  .uniqueArray(fc.bigInt({ min: 1n, max: 0x7fffffffn }), { maxLength: 10 })
  .map((numbers) => [...numbers].sort((a, b) => Number(a - b)))
  .map((numbers) => numbers.map((number) => ({ epoch: Number(number), lastZxid: (number << 32n) | 7n })));
const state = fc.constantFrom(
  'looking' as const,
  'following' as const,
  'leading' as const,
  'observing' as const,
);

const standing = fc.constantFrom(...(['full', 'founding', 'new', 'empty', 'damaged', 'rejoining'] as const));

function record<T>(fields: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<T> {
  return fc.record<T>(fields, { noNullPrototype: true });
}

/** One arbitrary for each type, so that a new type without one does not compile. */
const arbitraries: {
  [T in PeerMessage['type']]: fc.Arbitrary<Omit<Extract<PeerMessage, { type: T }>, 'type'>>;
} = {
  notification: record({
    state,
    round: count,
    vote: record({ leader: id, epoch, zxid }),
    standing,
    claim: zxid,
    canLead: fc.boolean(),
    isBehind: fc.boolean(),
  }),
  learnerInfo: record({ attempt: count, acceptedEpoch: epoch, standing }),
  newEpoch: record({ attempt: count, epoch }),
  ackEpoch: record({ epoch, isPromise: fc.boolean(), needsSnapshot: fc.boolean(), lastZxid: zxid, epochs }),
  diff: record({ epoch, after: zxid }),
  trunc: record({ epoch, after: zxid }),
  lend: record({ epoch, lastZxid: zxid, epochs }),
  snap: record({ epoch, zxid, epochs }),
  snapshotChunk: record({ epoch, bytes, isLast: fc.boolean() }),
  readmit: record({ epoch }),
  readmitted: record({ epoch }),
  snapshotAck: record({ epoch, chunks: count }),
  proposal: record({ epoch, entries, commit: zxid }),
  inform: record({ epoch, entries }),
  ack: record({ epoch, zxid }),
  commit: record({ epoch, zxid }),
  upToDate: record({ epoch, commit: zxid }),
  ping: record({ epoch, nonce: count, heard: count, payload: bytes }),
  pong: record({ epoch, nonce: count, payload: bytes }),
  handOver: record({ epoch, leader: id, round: count }),
  application: record({ epoch, bytes }),
};

const message: fc.Arbitrary<PeerMessage> = fc.oneof(
  ...Object.entries(arbitraries).map(([type, fields]) =>
    (fields as fc.Arbitrary<object>).map((values) => ({ type, ...values }) as PeerMessage),
  ),
);

function decodesOrRefuses(input: Uint8Array): void {
  try {
    decodePeerMessage(input);
  } catch (error) {
    if (!(error instanceof PeerMessageError)) throw error;
  }
}

test('every message comes out as it went in', () => {
  fc.assert(
    fc.property(message, (original) => {
      assert.equal(decodePeerMessage(encodePeerMessage(original)), original);
    }),
    { numRuns: 2000 },
  );
});

test('any bytes at all are a message or are refused by name', () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), decodesOrRefuses), { numRuns: 5000 });
});

test('a message with one byte changed is a message or is refused by name', () => {
  const damaged = fc.tuple(message, fc.nat(), fc.integer({ min: 1, max: 255 })).map(([original, at, by]) => {
    const encoded = encodePeerMessage(original).slice();
    encoded[at % encoded.length]! ^= by;
    return encoded;
  });
  fc.assert(fc.property(damaged, decodesOrRefuses), { numRuns: 3000 });
});

test('a message cut short or with something behind it is refused', () => {
  fc.assert(
    fc.property(message, fc.nat(), (original, at) => {
      const encoded = encodePeerMessage(original);
      assert.throws(() => decodePeerMessage(encoded.subarray(0, at % encoded.length)), isRefusal);
      assert.throws(() => decodePeerMessage(Uint8Array.from([...encoded, 0])), isRefusal);
    }),
    { numRuns: 500 },
  );
});

test('an announced length that the input cannot hold costs no memory', () => {
  const huge = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x0f];
  assert.throws(() => decodePeerMessage(Uint8Array.from([11, 1, ...huge, 0])), isRefusal);
  assert.throws(() => decodePeerMessage(Uint8Array.from([18, 1, ...huge, 0])), isRefusal);
  assert.throws(
    () => decodePeerMessage(Uint8Array.from([9, ...new Array<number>(300).fill(0x80), 1])),
    isRefusal,
  );
});

test('a table of epochs that is out of order is refused', () => {
  const table = [
    { epoch: 3, lastZxid: 3n << 32n },
    { epoch: 2, lastZxid: 2n << 32n },
  ];
  const encoded = encodePeerMessage({ type: 'snap', epoch: 3, zxid: 3n << 32n, epochs: table });
  assert.throws(() => decodePeerMessage(encoded), isRefusal);
});

test('payloads are not copied when a message is read', () => {
  const encoded = encodePeerMessage({ type: 'application', epoch: 1, bytes: new Uint8Array(50) });
  const decoded = decodePeerMessage(encoded);
  assert.is(decoded.type === 'application' && decoded.bytes.buffer, encoded.buffer);
});

function isRefusal(error: unknown): boolean {
  return error instanceof PeerMessageError;
}

test.run();
