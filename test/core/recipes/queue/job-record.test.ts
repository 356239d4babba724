import { test } from 'uvu';
import * as assert from 'uvu/assert';
import * as fc from 'fast-check';
import { decodeRecord, encodeRecord } from '../../../../core/recipes/queue/job-record.js';

test('what is written is read back, whatever the payload', () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 200 }),
      fc.nat(),
      fc.nat(),
      fc.option(fc.string({ maxLength: 100 }), { nil: undefined }),
      (payload, attempts, enqueuedAt, failure) => {
        const header = { attempts, enqueuedAt, failure, failedAt: undefined };
        const read = decodeRecord(encodeRecord({ header, payload }), 0);
        assert.equal(JSON.parse(JSON.stringify(read.header)), JSON.parse(JSON.stringify(header)));
        assert.equal([...read.payload], [...payload]);
      },
    ),
  );
});

test('any other bytes are a payload that was put there by hand', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      const { header, payload } = decodeRecord(bytes, 77);
      assert.equal(header, { attempts: 0, enqueuedAt: 77 });
      assert.equal([...payload], [...bytes]);
    }),
  );
  for (const text of ['{"job":2}\nx', '{"a":1}\n', '{\n', '{', '']) {
    const bytes = new TextEncoder().encode(text);
    assert.equal(decodeRecord(bytes, 5).payload, bytes, text);
  }
  assert.is(decodeRecord(null, 5).payload.length, 0);
});

test('a failure is cut so that the header stays small', () => {
  const header = { attempts: 1, enqueuedAt: 0, failure: 'x'.repeat(1_000_000), failedAt: 1 };
  assert.ok(encodeRecord({ header, payload: new Uint8Array() }).length < 5000);
});

test.run();
