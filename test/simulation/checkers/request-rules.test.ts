import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Outcome } from '../../../core/data/index.js';
import {
  CreateMode,
  ErrorCode,
  OPEN_ACL,
  OpCode,
  Permission,
  type Request,
} from '../../../core/protocol/index.js';
import { expectedOutcome, misfit } from './request-rules.js';
import { creates, SampleEnsemble, SESSION } from './sample-ensemble.js';

const ensemble = await SampleEnsemble.start();
const NEXT = ensemble.ghost.end + 1n;

/** What is wrong with the outcome of a request at the end of the history: `/a` is there, and nothing else. */
function wrong(
  request: Request,
  outcome: Outcome,
  sessionId = SESSION,
  users: readonly string[] = [],
): string | null {
  const txn = { sessionId, cxid: 9, time: 0, op: request.op, outcome };
  return misfit(outcome, expectedOutcome(request, { model: ensemble.model, zxid: NEXT, txn, users }));
}

const error = (code: ErrorCode): Outcome => ({ type: 'error', error: code });
const create = (path: string, flags: number = CreateMode.persistent): Request =>
  creates(path, flags, 'x') as Request;
const created = (path: string, storedOwner = 0n, data = 'x'): Outcome => {
  return {
    type: 'create',
    path,
    data: new TextEncoder().encode(data),
    acl: OPEN_ACL,
    storedOwner,
    parentCreates: 1,
  };
};
const remove = (path: string, version = -1): Request => ({ op: OpCode.delete, body: { path, version } });
const set = (path: string, version = -1): Request => {
  return { op: OpCode.setData, body: { path, data: null, version } };
};

test('a create comes to the znode that was asked for', () => {
  assert.is(wrong(create('/b'), created('/b')), null);
  assert.match(wrong(create('/b'), created('/c'))!, /create \/b was due/);
  assert.match(wrong(create('/b'), created('/b', 0n, 'y'))!, /was due/);
  assert.match(wrong(create('/b'), created('/b', SESSION))!, /was due/);
  assert.is(wrong(create('/b', CreateMode.ephemeral), created('/b', SESSION)), null);
});

test('a create is refused for its reasons, and for no others', () => {
  assert.is(wrong(create('/a'), error(ErrorCode.nodeExists)), null);
  assert.is(wrong(create('/x/y'), error(ErrorCode.noNode)), null);
  assert.match(wrong(create('/b'), error(ErrorCode.nodeExists))!, /create \/b was due/);
  assert.match(wrong(create('/a'), created('/a'))!, /error -110 was due/);
});

test('a sequential znode is named by the count of creates in its parent', () => {
  const { creates: count } = ensemble.model.at('/', NEXT)!;
  const name = (sequence: number): string => `/n-${String(sequence).padStart(10, '0')}`;
  const request = create('/n-', CreateMode.persistentSequential);
  assert.is(wrong(request, created(name(count))), null);
  assert.match(wrong(request, created(name(count + 1)))!, /was due/);
});

test('versions are looked at', () => {
  assert.is(wrong(set('/a', 0), { type: 'setData', path: '/a', data: null, version: 1 }), null);
  assert.match(wrong(set('/a', 0), { type: 'setData', path: '/a', data: null, version: 2 })!, /was due/);
  assert.is(wrong(set('/a', 5), error(ErrorCode.badVersion)), null);
  assert.match(wrong(set('/a', 5), { type: 'setData', path: '/a', data: null, version: 1 })!, /error -103/);
  assert.is(wrong(remove('/a', 5), error(ErrorCode.badVersion)), null);
  assert.is(wrong(remove('/a'), { type: 'delete', path: '/a' }), null);
  assert.match(wrong(remove('/b'), { type: 'delete', path: '/b' })!, /error -101 was due/);
});

test('a multi works as a whole, or not at all', () => {
  const both: Request = { op: OpCode.multi, body: { ops: [create('/b'), create('/b/c')] } } as Request;
  const parts = (...outcomes: readonly Outcome[]): Outcome => {
    return { type: 'multi', parts: outcomes.map((outcome) => ({ op: OpCode.create2, outcome })) } as Outcome;
  };
  assert.is(wrong(both, parts(created('/b'), created('/b/c'))), null);
  assert.match(wrong(both, parts(created('/b'), error(ErrorCode.noNode)))!, /was due/);

  const failing: Request = { op: OpCode.multi, body: { ops: [create('/b'), create('/a')] } } as Request;
  const refused = parts(error(ErrorCode.ok), error(ErrorCode.nodeExists));
  assert.is(wrong(failing, refused), null);
  assert.match(wrong(failing, parts(created('/b'), error(ErrorCode.nodeExists)))!, /was due/);
});

test('a session that is not open is refused everything but its end', () => {
  assert.is(wrong(create('/b'), error(ErrorCode.sessionExpired), 5n), null);
  assert.match(wrong(create('/b'), created('/b'), 5n)!, /error -112 was due/);
  assert.is(wrong({ op: OpCode.closeSession, body: {} }, { type: 'closeSession', paths: [] }, 5n), null);
});

test('a write is refused where the ACL grants nothing to the identities that were proved before it', async () => {
  const anna = { scheme: 'digest', id: 'anna:hash' };
  const acl = [{ perms: Permission.write, id: anna }];
  const body = { path: '/hers', data: null, acl: [...acl, ...acl], flags: 0, ttlMs: 0 };
  const { zxid } = await ensemble.write({ op: OpCode.create2, body }, 9);
  const judge = (request: Request, outcome: Outcome, users: readonly string[]): string | null => {
    const txn = { sessionId: SESSION, cxid: 9, time: 0, op: request.op, outcome };
    return misfit(outcome, expectedOutcome(request, { model: ensemble.model, zxid: zxid + 1n, txn, users }));
  };
  const change: Outcome = { type: 'setData', path: '/hers', data: null, version: 1 };
  assert.is(judge(set('/hers'), change, ['anna:hash']), null);
  assert.is(judge(set('/hers'), error(ErrorCode.noAuth), ['bert:hash']), null);
  assert.match(judge(set('/hers'), change, ['bert:hash'])!, /error -102 was due/);

  const setAcl: Request = { op: OpCode.setAcl, body: { path: '/hers', acl: OPEN_ACL, version: -1 } };
  const changed: Outcome = { type: 'setAcl', path: '/hers', acl: OPEN_ACL, aversion: 1 };
  assert.is(judge(setAcl, error(ErrorCode.noAuth), ['anna:hash']), null);
  assert.match(judge(setAcl, changed, ['anna:hash'])!, /error -102 was due/);
  assert.is(judge(create('/hers/x'), error(ErrorCode.noAuth), ['anna:hash']), null);
  assert.is(judge(remove('/hers/x'), error(ErrorCode.noAuth), ['anna:hash']), null);
});

test.run();
