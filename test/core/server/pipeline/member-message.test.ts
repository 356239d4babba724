import * as fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { OpCode } from '../../../../core/protocol/index.js';
import {
  MemberMessageError,
  MemberMessageWriter,
  readLeaderMessage,
  readLearnerMessage,
  type LeaderItem,
  type LearnerItem,
} from '../../../../core/server/pipeline/member-message.js';

const int = fc.nat(0x7fffffff);
const long = fc.bigInt(-(1n << 63n), (1n << 63n) - 1n);
const identities = fc.array(fc.record({ scheme: fc.string(), id: fc.string() }), { maxLength: 4 });
const write = fc.oneof(
  fc.record({
    sessionId: fc.constant(0n),
    cxid: fc.constant(0),
    identities,
    request: fc.record({ op: fc.constant(OpCode.createSession), body: fc.record({ timeoutMs: int }) }),
  }),
  fc.record({
    sessionId: long,
    cxid: int,
    identities,
    request: fc.record({
      op: fc.constant(OpCode.setData),
      body: fc.record({
        path: fc.string(),
        data: fc.oneof(fc.constant(null), fc.uint8Array()),
        version: int,
      }),
    }),
  }),
);
const learnerItem: fc.Arbitrary<LearnerItem> = fc.oneof(
  fc.record({ type: fc.constant('request' as const), write }),
  fc.record({ type: fc.constant('revalidate' as const), token: int, sessionId: long }),
  fc.record({ type: fc.constant('sync' as const), token: int }),
  fc.record({ type: fc.constant('room' as const), maxDataBytes: fc.maxSafeNat() }),
  fc.record({ type: fc.constant('touched' as const), stamp: fc.nat(), sessionIds: fc.array(long) }),
);
const leaderItem: fc.Arbitrary<LeaderItem> = fc.oneof(
  fc.record({ type: fc.constant('accepted' as const), count: int, zxid: long }),
  fc.record({ type: fc.constant('refused' as const), why: fc.constantFrom(1 as const, 2 as const) }),
  fc.record({ type: fc.constant('revalidated' as const), token: int, timeoutMs: int }),
  fc.record({ type: fc.constant('synced' as const), token: int, zxid: long }),
  fc.record({ type: fc.constant('moved' as const), sessionId: long }),
);

/** With bytes as plain arrays, which compare alike whatever class they have. */
function plain(value: unknown): unknown {
  return JSON.parse(
    JSON.stringify(value, (_key, part: unknown) => {
      if (typeof part === 'bigint') return `${part}n`;
      return part instanceof Uint8Array ? [...part] : part;
    }),
  );
}

test('what a learner asks arrives as it was asked, in its order', () => {
  fc.assert(
    fc.property(int, fc.array(learnerItem, { minLength: 1 }), (stint, items) => {
      const writer = new MemberMessageWriter(stint);
      for (const item of items) {
        if (item.type === 'request') writer.request(item.write);
        else writer.learner(item);
      }
      assert.equal(plain(readLearnerMessage(writer.take()!)), plain({ stint, items }));
    }),
    { numRuns: 300 },
  );
});

test('writes of few speakers arrive as the writes of who made each, also where one speaks several times on end', () => {
  const asIp = [{ scheme: 'ip', id: '127.0.0.1' }];
  const speakers = [
    { sessionId: 1n, identities: asIp },
    { sessionId: 2n, identities: asIp },
    { sessionId: 2n, identities: [...asIp, { scheme: 'digest', id: 'ada:secret' }] },
  ];
  const writes = fc.array(fc.constantFrom(...speakers), { minLength: 2, maxLength: 12 });
  fc.assert(
    fc.property(writes, fc.nat(12), (who, cut) => {
      const writer = new MemberMessageWriter(1);
      const told: unknown[] = [];
      const asked: unknown[] = [];
      for (const [cxid, speaker] of who.entries()) {
        const body = { path: `/${cxid}`, data: null, version: -1 };
        const forwarded = { ...speaker, cxid, request: { op: OpCode.setData, body } };
        asked.push({ type: 'request', write: forwarded });
        writer.request(forwarded);
        // Another message begins here, and must not rely on the one before it.
        if (cxid === cut) told.push(...readLearnerMessage(writer.take()!).items);
      }
      const rest = writer.take();
      if (rest !== null) told.push(...readLearnerMessage(rest).items);
      assert.equal(plain(told), plain(asked));
    }),
    { numRuns: 200 },
  );
});

test('what a leader answers arrives as it was answered, in its order', () => {
  fc.assert(
    fc.property(int, fc.array(leaderItem, { minLength: 1 }), (stint, items) => {
      const writer = new MemberMessageWriter(stint);
      for (const item of items) writer.leader(item);
      assert.equal(plain(readLeaderMessage(writer.take()!)), plain({ stint, items }));
    }),
    { numRuns: 300 },
  );
});

test('a turn in which nothing was said makes no message, and each message begins anew', () => {
  const writer = new MemberMessageWriter(5);
  assert.is(writer.take(), null);
  writer.learner({ type: 'sync', token: 1 });
  assert.equal(readLearnerMessage(writer.take()!).items, [{ type: 'sync', token: 1 }]);
  assert.is(writer.take(), null);
  writer.learner({ type: 'sync', token: 2 });
  assert.equal(readLearnerMessage(writer.take()!), { stint: 5, items: [{ type: 'sync', token: 2 }] });
});

test("any other bytes are refused with an error of their own, and a leader takes no leader's message", () => {
  for (const read of [readLearnerMessage, readLeaderMessage]) {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
        try {
          read(bytes);
        } catch (error) {
          assert.instance(error, MemberMessageError);
        }
      }),
      { numRuns: 500 },
    );
  }
  const writer = new MemberMessageWriter(1);
  writer.leader({ type: 'moved', sessionId: 1n });
  const message = writer.take()!;
  assert.throws(
    () => readLearnerMessage(message),
    (error: Error) => error instanceof MemberMessageError,
  );
});

test.run();
