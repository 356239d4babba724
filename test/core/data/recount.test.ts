/** What a bit that flips in memory leaves is found: by a recount of the tree, and in a snapshot by its verifier. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  type RecountResult,
  SnapshotReader,
  SnapshotVerifier,
  type StateMachine,
} from '../../../core/data/index.js';
import { type Random, SeededRandom } from '../../../core/runtime/index.js';
import { OpCode, Permission } from '../../../core/protocol/index.js';
import { bytes, EnsembleOfOne } from './ensemble-of-one.js';

function recounted(
  machine: StateMachine,
  sliceBytes = 100,
  between: () => void = () => undefined,
): RecountResult {
  const recount = machine.recount();
  for (;;) {
    const result = recount.next(sliceBytes);
    if (result !== null) return result;
    between();
  }
}

function snapshotOf(machine: StateMachine): {
  content: Buffer;
  zxid: bigint;
  digest: bigint;
  nodeCount: number;
} {
  const snapshot = machine.snapshot();
  const slices: Uint8Array[] = [];
  for (let slice = snapshot.next(64); slice !== null; slice = snapshot.next(64)) slices.push(slice);
  const { zxid, digest, nodeCount } = snapshot;
  return { content: Buffer.concat(slices), zxid, digest, nodeCount };
}

/** A tree with data short and long, ACLs, sessions and a quota. */
function made(): EnsembleOfOne {
  const one = new EnsembleOfOne();
  one.create('/a', { data: bytes('short') });
  one.create('/a/b', { data: new Uint8Array(5_000).fill(7) });
  one.create('/a/b/c', { acl: [{ perms: Permission.read, id: { scheme: 'digest', id: 'somebody:hash' } }] });
  for (let index = 0; index < 50; index++) one.create(`/n${index}`, { data: bytes(`data ${index}`) });
  one.write({ op: OpCode.setData, body: { path: '/n7', data: bytes('changed'), version: -1 } });
  one.write({ op: OpCode.delete, body: { path: '/n8', version: -1 } });
  return one;
}

test('a recount of a sound tree finds the digest that was kept, whatever is applied meanwhile', () => {
  for (let seed = 1; seed <= 20; seed++) {
    const one = made();
    const random = new SeededRandom(seed);
    const { lastZxid, digest } = one.machine;

    const result = recounted(one.machine, 700, () => {
      for (let count = 0; count < 5; count++) change(one, random);
    });

    assert.equal([result.zxid, result.kept, result.counted], [lastZxid, digest, digest]);
    assert.ok(result.isSound);
    assert.is(one.machine.state.views.count, 0);
  }
});

/** Creates, changes or deletes one of a hundred znodes, as fits. */
function change(one: EnsembleOfOne, random: Random): void {
  const path = `/n${Math.floor(random.next() * 100)}`;
  if (!one.exists(path)) one.create(path, { data: bytes('new') });
  else if (random.next() < 0.5) one.write({ op: OpCode.delete, body: { path, version: -1 } });
  else one.write({ op: OpCode.setData, body: { path, data: bytes(`${random.next()}`), version: -1 } });
}

const FLIPS: Record<string, (one: EnsembleOfOne) => void> = {
  'data that is kept as a string': (one) => {
    const node = one.machine.state.tree.find('/a')!;
    node.stored = `r${String(node.stored).slice(1)}`;
  },
  'data that is kept as bytes': (one) => {
    const node = one.machine.state.tree.find('/a/b')!;
    (node.stored as Uint8Array)[4_321]! ^= 1;
  },
  'a version': (one) => void (one.machine.state.tree.find('/n3')!.version ^= 4),
  'a counter of children': (one) => void (one.machine.state.tree.find('/a')!.creates ^= 4),
  'the time of the last change': (one) => void (one.machine.state.tree.find('/n3')!.mtime += 4),
  'an ACL': (one) => {
    const [entry] = one.machine.state.tree.find('/a/b/c')!.acl;
    (entry as { perms: number }).perms ^= 2;
  },
  'the timeout of a session': (one) => {
    const sessions = one.machine.sessions as Map<bigint, number>;
    sessions.set(0x100n, sessions.get(0x100n)! ^ 4);
  },
  'a znode that is gone from the tree': (one) => {
    const nodes = one.machine.state.tree as unknown as { values(): Iterable<{ path: string }> };
    const values = nodes.values.bind(nodes);
    nodes.values = () => [...values()].filter(({ path }) => path !== '/n5').values();
  },
};

for (const [what, flip] of Object.entries(FLIPS)) {
  test(`what flips in memory is found by a recount and in the next snapshot: ${what}`, () => {
    const one = made();
    flip(one);
    assert.not.ok(recounted(one.machine).isSound);

    const { content, ...expected } = snapshotOf(one.machine);
    const verifier = new SnapshotVerifier(expected.nodeCount);
    verifier.push(content);
    assert.throws(() => verifier.finish(expected), /a snapshot with/);
  });
}

test('a recount names a znode whose data flipped, and goes on naming it after other writes', () => {
  const one = made();
  FLIPS['data that is kept as bytes']!(one);
  one.create('/more');

  assert.is(recounted(one.machine).path, '/a/b');
});

test('a verifier accepts what the reader accepts, in pieces of any size, and needs no tree for it', () => {
  const one = made();
  const { content, ...expected } = snapshotOf(one.machine);
  for (const size of [1, 7, 1_000, content.length]) {
    const verifier = new SnapshotVerifier(1);
    for (let at = 0; at < content.length; at += size) verifier.push(content.subarray(at, at + size));
    verifier.finish(expected);
  }
});

test('a verifier refuses a snapshot with any byte changed that changes its state, and one that is not what was expected', () => {
  const one = made();
  const { content, ...expected } = snapshotOf(one.machine);
  for (let at = 0; at < content.length; at += 3) {
    const changed = Buffer.from(content);
    changed[at] = changed[at]! ^ 1;
    const isAccepted = accepts(() => {
      const verifier = new SnapshotVerifier(expected.nodeCount);
      verifier.push(changed);
      verifier.finish(expected);
    });
    if (!isAccepted) continue;
    const reader = new SnapshotReader();
    reader.push(changed);
    const { digest, lastZxid } = reader.finish();
    assert.equal([digest, lastZxid], [expected.digest, expected.zxid], `byte ${at} is part of no znode`);
  }
  for (const wrong of [{ zxid: 1n }, { digest: 1n }, { nodeCount: 3 }]) {
    const verifier = new SnapshotVerifier(expected.nodeCount);
    verifier.push(content);
    assert.throws(() => verifier.finish({ ...expected, ...wrong }), /a snapshot with/);
  }
});

function accepts(act: () => void): boolean {
  try {
    act();
    return true;
  } catch {
    return false;
  }
}

test.run();
