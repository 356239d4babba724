import * as fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { LongRead } from '../../../core/data/index.js';
import {
  CreateMode,
  ErrorCode,
  JuteReader,
  LENGTH_BYTES,
  OpCode,
  readReplyBody,
  REPLY_HEADER_BYTES,
  type ChildrenPage,
  type ClientOp,
  type ReplyBodies,
  type Request,
} from '../../../core/protocol/index.js';
import { SnapshotReader } from '../../../core/data/index.js';
import { bytes, createBody, EnsembleOfOne, SESSION } from './ensemble-of-one.js';

const CONTEXT = { sessionId: SESSION, identities: [] };
const getChildren2: Request = { op: OpCode.getChildren2, body: { path: '/p', watch: false } };

function open(ensemble: EnsembleOfOne, request: Request, perTurn = 1, maxBytes = 1e9): LongRead {
  return ensemble.machine.openLongRead(request, CONTEXT, { maxBytes, perTurn })!;
}

function bodyOf<Op extends ClientOp>(op: Op, packet: Uint8Array): ReplyBodies[Op] {
  const reader = new JuteReader(packet, LENGTH_BYTES + REPLY_HEADER_BYTES);
  const body = readReplyBody(op, reader);
  assert.is(reader.remaining, 0);
  return body;
}

/** Reads to the end; `between` runs between two turns. */
function finish<Op extends ClientOp>(
  op: Op,
  read: LongRead,
  between: () => void = () => undefined,
): ReplyBodies[Op] {
  for (;;) {
    const result = read.proceed();
    if (result !== null) {
      assert.is(result.error, ErrorCode.ok);
      return bodyOf(op, result.packet!);
    }
    between();
  }
}

/** `/p` with 120 children: one transaction for each of the first 60, then one for every ten. */
function populated(): EnsembleOfOne {
  const ensemble = new EnsembleOfOne();
  ensemble.create('/p');
  for (let index = 0; index < 60; index++) ensemble.create(`/p/${(index * 37) % 60}`);
  for (let group = 6; group < 12; group++) {
    const ops = Array.from({ length: 10 }, (_, index) => ({
      op: OpCode.create,
      body: createBody(`/p/${group * 10 + index}`),
    }));
    ensemble.multi(ops);
  }
  return ensemble;
}

/** Creates, removes and changes children, by chance. */
const moves = fc.array(fc.record({ what: fc.nat(2), child: fc.nat(140) }), { maxLength: 60 });

function move(ensemble: EnsembleOfOne, { what, child }: { readonly what: number; readonly child: number }) {
  const path = `/p/${child}`;
  if (!ensemble.exists(path)) ensemble.create(path);
  else if (what === 0) ensemble.write({ op: OpCode.setData, body: { path, data: bytes('x'), version: -1 } });
  else ensemble.write({ op: OpCode.delete, body: { path, version: -1 } });
}

test('a list that is read over several turns is the one of its beginning, whatever changes', () => {
  fc.assert(
    fc.property(moves, fc.integer({ min: 1, max: 60 }), (changes, perTurn) => {
      const ensemble = populated();
      const expected = ensemble.children('/p');
      const stat = ensemble.stat('/p');
      const read = open(ensemble, getChildren2, perTurn);
      const left = [...changes];
      const body = finish(OpCode.getChildren2, read, () => {
        for (const change of left.splice(0, 3)) move(ensemble, change);
      });
      assert.equal([...body.children].sort(), expected);
      assert.equal(body.stat, stat);
      assert.is(ensemble.machine.openListCount, 0);
    }),
  );
});

test('a child that changes more than once while a list is read, wherever the list stands, is in it once', () => {
  // Each child changes between all turns, so also when it is next, and before and behind that.
  for (const name of populated().children('/p')) {
    const ensemble = populated();
    const expected = ensemble.children('/p');
    const { children } = finish(OpCode.getChildren2, open(ensemble, getChildren2, 10), () => {
      const body = { path: `/p/${name}`, data: bytes('x'), version: -1 };
      for (let time = 0; time < 2; time++) ensemble.write({ op: OpCode.setData, body });
    });
    assert.equal([...children].sort(), expected);
  }
});

test('a child that changes before its turn and once more behind it is in the list once', () => {
  const ensemble = populated();
  const expected = ensemble.children('/p');
  const read = open(ensemble, getChildren2, 10);
  const change = (child: string): void =>
    void ensemble.write({
      op: OpCode.setData,
      body: { path: `/p/${child}`, data: bytes('x'), version: -1 },
    });
  // Each turn of the list passes some of them, those of the last groups several in one transaction.
  const { children } = finish(OpCode.getChildren2, read, () => {
    for (const child of ['0', '58', '59', '60', '69', '110', '119']) change(child);
  });
  assert.equal([...children].sort(), expected);
});

test('all children can go while their list is read', () => {
  const ensemble = populated();
  const expected = ensemble.children('/p');
  const read = open(ensemble, getChildren2);
  assert.is(read.proceed(), null);
  for (const name of expected)
    ensemble.write({ op: OpCode.delete, body: { path: `/p/${name}`, version: -1 } });
  assert.equal([...finish(OpCode.getChildren2, read).children].sort(), expected);
});

test('ephemeral znodes that are listed over several turns are those of the beginning', () => {
  const ensemble = new EnsembleOfOne();
  ensemble.create('/e');
  for (let index = 0; index < 200; index++) ensemble.create(`/e/${index}`, { flags: CreateMode.ephemeral });
  const request: Request = { op: OpCode.getEphemerals, body: { prefixPath: '/e/1' } };
  const expected = Array.from({ length: 200 }, (_, index) => `/e/${index}`).filter((path) =>
    path.startsWith('/e/1'),
  );
  const read = open(ensemble, request, 60);
  assert.is(read.proceed(), null);
  for (const index of [1, 100, 150, 199]) {
    ensemble.write({ op: OpCode.delete, body: { path: `/e/${index}`, version: -1 } });
  }
  const change = { path: '/e/198', data: bytes('x'), version: -1 };
  ensemble.write({ op: OpCode.setData, body: change });
  ensemble.create('/e/1000', { flags: CreateMode.ephemeral });
  const { ephemerals } = finish(OpCode.getEphemerals, read);
  assert.equal([...ephemerals].sort(), expected.sort());
});

/** All pages one after the other; `between` runs between the turns of a page and between pages. */
function allPages(ensemble: EnsembleOfOne, most: number, between: () => void): ChildrenPage[] {
  const pages: ChildrenPage[] = [];
  let after = -1n;
  for (let lastName = ''; ; lastName = pages.at(-1)!.children.at(-1) ?? lastName) {
    const body = { path: '/p', watch: false, after, lastName, most };
    pages.push(finish(OpCode.getChildrenPage, open(ensemble, { op: OpCode.getChildrenPage, body }), between));
    after = pages.at(-1)!.last;
    if (!pages.at(-1)!.hasMore) return pages;
    between();
  }
}

test('a child that is there all the time is in exactly one page, whatever changes', () => {
  fc.assert(
    fc.property(moves, fc.integer({ min: 1, max: 30 }), (changes, most) => {
      const ensemble = populated();
      const left = [...changes];
      const kept = new Set(ensemble.children('/p'));
      for (const { what, child } of changes) if (what !== 0) kept.delete(String(child));
      const pages = allPages(ensemble, most, () => {
        for (const change of left.splice(0, 2)) move(ensemble, change);
      });
      const seen = pages.flatMap(({ children }) => children);
      for (const name of kept) assert.is(seen.filter((other) => other === name).length, 1, name);
    }),
  );
});

test('a page that is read over several turns is the one of its beginning, in order, whatever changes', () => {
  fc.assert(
    fc.property(
      moves,
      fc.integer({ min: 1, max: 140 }),
      fc.integer({ min: 0, max: 9 }),
      (changes, most, from) => {
        const ensemble = populated();
        const body = { path: '/p', watch: false, after: -1n, lastName: '', most: 10 };
        const page = (request: typeof body, between?: () => void): ChildrenPage =>
          finish(
            OpCode.getChildrenPage,
            open(ensemble, { op: OpCode.getChildrenPage, body: request }),
            between,
          );
        for (let pages = 0; pages < from && page(body).hasMore; pages++) {
          const { last, children } = page(body);
          Object.assign(body, { after: last, lastName: children.at(-1)! });
        }
        const request = { ...body, most };
        const expected = page(request);
        const left = [...changes];
        const found = page(request, () => {
          for (const change of left.splice(0, 3)) move(ensemble, change);
        });
        const comparable = ({ children, stat, last, hasMore }: ChildrenPage): unknown => {
          return [[...children].sort(), stat, last, hasMore];
        };
        assert.equal(comparable(found), comparable(expected));
        assert.is(ensemble.machine.openListCount, 0);
      },
    ),
  );
});

test('children that one transaction created are in one page, and pages come in order of creation', () => {
  const pages = allPages(populated(), 4, () => undefined);
  assert.equal(
    pages.map(({ children }) => children.length),
    [...Array.from({ length: 15 }, () => 4), ...Array.from({ length: 6 }, () => 10)],
  );
  assert.equal(pages[0]!.children, ['0', '37', '14', '51']);
});

test('pages go on with the same cursor at a member that has loaded a snapshot', () => {
  const ensemble = populated();
  const snapshot = ensemble.machine.snapshot();
  // These are written to the snapshot out of their order.
  for (const name of ['5', '59', '70']) {
    const body = { path: `/p/${name}`, data: bytes('changed'), version: -1 };
    ensemble.write({ op: OpCode.setData, body });
  }
  const reader = new SnapshotReader();
  for (let part = snapshot.next(1e6); part !== null; part = snapshot.next(1e6)) reader.push(part);
  const other = new EnsembleOfOne({}, reader.finish());
  const here = allPages(ensemble, 7, () => undefined);
  const there = allPages(other, 7, () => undefined);
  const comparable = (pages: readonly ChildrenPage[]) =>
    pages.map(({ children, last, hasMore }) => [[...children].sort(), last, hasMore]);
  assert.equal(comparable(there), comparable(here));
});

test('the place after a child that is gone is found again', () => {
  const ensemble = populated();
  const page = (after: bigint, lastName: string) => {
    const body = { path: '/p', watch: false, after, lastName, most: 10 };
    return finish(OpCode.getChildrenPage, open(ensemble, { op: OpCode.getChildrenPage, body }));
  };
  const first = page(-1n, '');
  const lastName = first.children.at(-1)!;
  const expected = page(first.last, lastName);
  ensemble.write({ op: OpCode.delete, body: { path: `/p/${lastName}`, version: -1 } });
  ensemble.create(`/p/${lastName}`);
  assert.equal(page(first.last, lastName).children, expected.children);
});

test('a turn of a read looks at no more names than it may, and long names count for several', () => {
  const ensemble = new EnsembleOfOne();
  ensemble.create('/p');
  for (let index = 0; index < 3_000; index++) ensemble.create(`/p/${'n'.repeat(2_000)}${index}`);
  const turns = (perTurn: number): number => {
    let count = 1;
    finish(OpCode.getChildren2, open(ensemble, getChildren2, perTurn), () => void count++);
    return count;
  };
  // 7 units for 2,000 characters and one for the name; 64 KiB of a part are 65 units when it is copied.
  assert.ok(turns(1_000) >= (3_000 * 8) / 1_100, String(turns(1_000)));
  assert.ok(turns(2_999) >= (3_000 * 8) / 3_100, String(turns(2_999)));
});

test('a list that turns out to be too large is refused, and nothing stays open', () => {
  const ensemble = new EnsembleOfOne();
  ensemble.create('/p');
  for (let index = 0; index < 300; index++) ensemble.create(`/p/${'ä'.repeat(20)}${index}`);
  // The lower bound takes a character for a byte.
  const read = open(ensemble, getChildren2, 100, 300 * 36);
  let result = read.proceed();
  while (result === null) result = read.proceed();
  assert.is(result.error, ErrorCode.marshallingError);
  assert.ok(result.refusedBytes! > 300 * 36);
  assert.is(ensemble.machine.openListCount, 0);
  assert.is(ensemble.machine.openLongRead(getChildren2, CONTEXT, { maxBytes: 300 * 20, perTurn: 100 }), null);
});

test('a read that is closed lets go of its list', () => {
  const ensemble = populated();
  const read = open(ensemble, getChildren2);
  assert.is(read.proceed(), null);
  assert.is(ensemble.machine.openListCount, 1);
  read.close();
  read.close();
  assert.is(ensemble.machine.openListCount, 0);
});

test('a multiRead over several turns answers as one over a single turn', () => {
  const ensemble = populated();
  ensemble.create('/d', { data: bytes('data') });
  const ops = Array.from({ length: 60 }, (_, index) => {
    const path = ['/d', '/none', '/p'][index % 3]!;
    const op = index % 2 === 0 ? OpCode.getData : OpCode.getChildren;
    return { op, body: { path, watch: false } };
  });
  const request = { op: OpCode.multiRead, body: { ops } } as Request;
  const plain = ensemble.read(request).reply!.body as ReplyBodies[typeof OpCode.multiRead];
  const comparable = ({ results }: ReplyBodies[typeof OpCode.multiRead]): unknown[] =>
    results.map((result) => {
      if (result.error !== undefined) return result.error;
      const { op, body } = result.reply;
      if (op === OpCode.getChildren) return [...body.children].sort();
      return op === OpCode.getData ? [Buffer.from(body.data ?? 'none').toString(), body.stat] : op;
    });
  const body = finish(OpCode.multiRead, open(ensemble, request, 20));
  assert.equal(comparable(body), comparable(plain));
});

test.run();
