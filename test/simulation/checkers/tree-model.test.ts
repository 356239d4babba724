import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Outcome, Txn } from '../../../core/data/index.js';
import { OPEN_ACL, OpCode } from '../../../core/protocol/index.js';
import { statOf, TreeModel } from './tree-model.js';

const SESSION = 7n;
const DATA = new TextEncoder().encode('x');

/** A model in which a session was opened at 1; the rest is applied from 2 on. */
function modelOf(...outcomes: readonly Outcome[]): TreeModel {
  const model = new TreeModel();
  model.apply(1n, txnOf({ type: 'createSession', timeoutMs: 1000 }));
  outcomes.forEach((outcome, index) => model.apply(BigInt(index + 2), txnOf(outcome)));
  return model;
}

function txnOf(outcome: Outcome, over: Partial<Txn> = {}): Txn {
  return { sessionId: SESSION, cxid: 1, time: 5, op: OpCode.create2, outcome, ...over };
}

function created(path: string, parentCreates: number, storedOwner = 0n): Outcome {
  return { type: 'create', path, data: DATA, acl: OPEN_ACL, storedOwner, parentCreates };
}

/** Those of the root before anything is created: what every tree begins with. */
const BEFORE = new TreeModel().at('/', 0n)!.creates;

test('a znode is what it was at every zxid', () => {
  const model = modelOf(
    created('/a', BEFORE + 1),
    { type: 'setData', path: '/a', data: null, version: 1 },
    created('/a/b', 1),
    { type: 'delete', path: '/a/b' },
  );
  assert.is(model.at('/a', 1n), null);
  assert.equal(model.at('/a', 2n)?.data, DATA);
  assert.is(model.at('/a', 3n)?.data, null);
  assert.equal(model.at('/a', 4n)?.children, ['b']);
  assert.is(model.before('/a/b', 5n)?.czxid, 4n);
  assert.is(model.at('/a/b', 5n), null);
  const { cversion, pzxid, mzxid, numChildren, version } = statOf(model.at('/a', 9n)!);
  assert.equal(
    { cversion, pzxid, mzxid, numChildren, version },
    {
      cversion: 2,
      pzxid: 5n,
      mzxid: 3n,
      numChildren: 0,
      version: 1,
    },
  );
});

test('it tells what a watch hears of', () => {
  const model = modelOf(created('/a', BEFORE + 1), { type: 'delete', path: '/a' });
  assert.equal(
    model.changesOf('/a').map(({ zxid, type }) => `${type} ${zxid}`),
    ['created 2', 'deleted 3'],
  );
  assert.is(model.changes.length, 4);
});

test('the end of a session takes its ephemerals, and all of them', () => {
  const model = modelOf(created('/e', BEFORE + 1, SESSION), { type: 'closeSession', paths: ['/e'] });
  assert.equal(model.ephemeralsOf(SESSION, 2n), ['/e']);
  assert.equal(model.ephemeralsOf(SESSION, 3n), []);
  assert.ok(model.isOpen(SESSION, 2n));
  assert.not(model.isOpen(SESSION, 3n));
  assert.throws(
    () => modelOf(created('/e', BEFORE + 1, SESSION), { type: 'closeSession', paths: [] }),
    /it owns \/e/,
  );
});

const WRONG: readonly (readonly [string, readonly Outcome[], RegExp])[] = [
  ['a znode without a parent', [created('/x/y', 1)], /existence/],
  ['a znode that is there', [created('/a', BEFORE + 1), created('/a', BEFORE + 2)], /it is there/],
  ["a wrong count of the parent's creates", [created('/a', BEFORE + 2)], /parent's counter/],
  [
    'a child of an ephemeral',
    [created('/e', BEFORE + 1, SESSION), created('/e/c', 1)],
    /parent: it is ephemeral/,
  ],
  ['an ephemeral of a session that is not open', [created('/e', BEFORE + 1, 9n)], /owner/],
  ['a delete of nothing', [{ type: 'delete', path: '/a' }], /existence/],
  [
    'a delete of a parent',
    [created('/a', BEFORE + 1), created('/a/b', 1), { type: 'delete', path: '/a' }],
    /children/,
  ],
  [
    'a version that is left out',
    [created('/a', BEFORE + 1), { type: 'setData', path: '/a', data: null, version: 2 }],
    /version/,
  ],
  [
    'an ACL version that is left out',
    [created('/a', BEFORE + 1), { type: 'setAcl', path: '/a', acl: OPEN_ACL, aversion: 2 }],
    /aversion/,
  ],
  ['a check of nothing', [{ type: 'check', path: '/a' }], /existence/],
  ['a session that is created twice', [{ type: 'createSession', timeoutMs: 1 }], /created twice/],
  [
    'what a session does after its end',
    [{ type: 'closeSession', paths: [] }, created('/a', BEFORE + 1)],
    /is not open/,
  ],
];

for (const [what, outcomes, message] of WRONG)
  test(`${what} is found`, () => {
    assert.throws(() => modelOf(...outcomes), message);
  });

test('a zxid that comes again, and time that runs backwards, are found', () => {
  const model = modelOf();
  const next = txnOf(created('/a', BEFORE + 1));
  assert.throws(() => model.apply(1n, next), /comes behind/);
  assert.throws(() => model.apply(2n, { ...next, time: 4 }), /time runs backwards/);
});

test('what belongs to no session may only remove containers', () => {
  const model = modelOf(created('/a', BEFORE + 1));
  const removal: Outcome = { type: 'delete', path: '/a' };
  assert.throws(() => model.apply(3n, txnOf(removal, { sessionId: 0n, op: OpCode.delete })), /no session/);
  const other = modelOf(created('/a', BEFORE + 1));
  other.apply(3n, txnOf(removal, { sessionId: 0n, op: OpCode.deleteContainer }));
});

test.run();
