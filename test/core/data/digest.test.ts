import * as fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type Acl, OpCode } from '../../../core/protocol/index.js';
import { lanes, StateDigest } from '../../../core/data/digest.js';
import { bytes, EnsembleOfOne, SESSION } from './ensemble-of-one.js';

function digestOf(feed: () => void): bigint {
  const digest = new StateDigest();
  lanes.start();
  feed();
  lanes.finish();
  digest.add();
  return digest.value;
}

test('the order in which items come does not matter, and what is taken away leaves no trace', () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.string(), { minLength: 2 }), fc.string(), (items, passing) => {
      const add = (digest: StateDigest, item: string): void => {
        lanes.start();
        lanes.string(item);
        lanes.finish();
        digest.add();
      };
      const [forwards, backwards] = [new StateDigest(), new StateDigest()];
      for (const item of items) add(forwards, item);
      add(backwards, passing);
      for (const item of items.toReversed()) add(backwards, item);
      lanes.start();
      lanes.string(passing);
      lanes.finish();
      backwards.subtract();
      assert.is(forwards.value, backwards.value);
    }),
  );
});

test('data hash the same whether kept as an array or as a string', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), (data) => {
      const text = Buffer.from(data).toString('latin1');
      assert.is(
        digestOf(() => lanes.bytes(data)),
        digestOf(() => lanes.bytes(text)),
      );
    }),
  );
  assert.is.not(
    digestOf(() => lanes.bytes(null)),
    digestOf(() => lanes.bytes(new Uint8Array(0))),
  );
});

test('long data are hashed as the words that they consist of, however they are kept', () => {
  for (const length of [0, 1, 3, 4, 7, 4093, 4095, 4096, 4097, 8192, 10_001]) {
    const data = Buffer.from(Array.from({ length }, (_, index) => (index * 31) & 0xff));
    const expected = digestOf(() => {
      lanes.int(length);
      for (let at = 0; at + 4 <= length; at += 4) lanes.int(data.readInt32LE(at));
      lanes.int([...data.subarray(length & ~3)].reduce((rest, byte, at) => rest | (byte << (8 * at)), 0));
    });
    assert.is(
      digestOf(() => lanes.bytes(data)),
      expected,
      `${length} bytes as an array`,
    );
    if (length > 4096) continue;
    assert.is(
      digestOf(() => lanes.bytes(data.toString('latin1'))),
      expected,
      `${length} bytes as a string`,
    );
  }
});

test('small differences anywhere give digests that differ in both halves', () => {
  const seen = new Set<bigint>();
  const halves: [Set<bigint>, Set<bigint>] = [new Set(), new Set()];
  for (let index = 0; index < 20_000; index++) {
    const digest = digestOf(() => {
      lanes.string('/a');
      lanes.long(BigInt(index));
      lanes.int(0);
    });
    seen.add(digest);
    halves[0].add(digest >> 32n);
    halves[1].add(digest & 0xffff_ffffn);
  }
  assert.is(seen.size, 20_000);
  // By chance alone about 0.05 of 20 000 values of 32 bits coincide.
  assert.ok(halves[0].size > 19_990);
  assert.ok(halves[1].size > 19_990);
});

test('every part of a znode is in the digest', () => {
  const acl: readonly Acl[] = [{ perms: 1, id: { scheme: 'world', id: 'anyone' } }];
  const variants: ((ensemble: EnsembleOfOne) => void)[] = [
    (one) => one.create('/a'),
    (one) => one.create('/b'),
    (one) => one.create('/a', { data: bytes('') }),
    (one) => one.create('/a', { data: bytes('x') }),
    (one) => one.create('/a', { acl }),
    (one) => one.create('/a', { flags: 1 }),
    (one) => one.reply({ op: OpCode.createContainer, body: container(4) }),
    (one) => one.reply({ op: OpCode.createTtl, body: container(5) }),
    (one) => {
      one.wallMs++;
      one.create('/a');
    },
    (one) => {
      one.machine.advanceTo(one.zxid++ + 1n);
      one.create('/a');
    },
    (one) => {
      one.create('/a');
      one.write({ op: OpCode.setData, body: { path: '/a', data: null, version: -1 } });
    },
    (one) => {
      one.create('/a');
      one.create('/a/b');
      one.write({ op: OpCode.delete, body: { path: '/a/b', version: -1 } });
    },
    (one) => one.closeSession(SESSION),
    (one) => one.openSession(0x300n),
    (one) => one.openSession(0x300n, 9_999),
  ];
  const digests = variants.map((vary) => {
    const ensemble = new EnsembleOfOne();
    vary(ensemble);
    return ensemble.machine.digest;
  });
  assert.is(new Set(digests).size, variants.length);
});

function container(flags: number) {
  return {
    path: '/a',
    data: null,
    acl: [{ perms: 31, id: { scheme: 'world', id: 'anyone' } }],
    flags,
    ttlMs: 5,
  };
}

test.run();
