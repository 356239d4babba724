import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { decodeTxn, encodeTxn } from '../../../../core/data/index.js';
import { type Acl, ErrorCode, type Id, OpCode } from '../../../../core/protocol/index.js';
import { bytes, createBody, EnsembleOfOne, OTHER_SESSION, SESSION } from '../ensemble-of-one.js';

const LIMIT = 20_000;
const AUTH: readonly Acl[] = [{ perms: 31, id: { scheme: 'auth', id: '' } }];
const identities: readonly Id[] = Array.from({ length: 100 }, (_, index) => {
  return { scheme: 'digest', id: `user${index}:${'x'.repeat(20)}` };
});

const creating = (path: string, acl = AUTH, data = '') => {
  return { op: OpCode.create, body: createBody(path, { acl, data: bytes(data) }) } as const;
};

/** The errors in the multi that was proposed last, one for each of its members. */
function lastRefusals(ensemble: EnsembleOfOne): readonly ErrorCode[] {
  const { outcome } = decodeTxn(ensemble.log.at(-1)!.payload);
  assert.is(outcome.type, 'multi');
  const parts = outcome.type === 'multi' ? outcome.parts : [];
  return parts.flatMap((part) => (part.outcome.type === 'error' ? [part.outcome.error] : []));
}

test('a transaction that its ACLs would make too large is refused, and leaves nothing behind', () => {
  const ensemble = new EnsembleOfOne({ maxTxnBytes: LIMIT });
  const caller = { identities };
  assert.is(ensemble.error(creating('/one'), caller), ErrorCode.ok, 'one such ACL fits');

  const ops = Array.from({ length: 10 }, (_, index) => creating(`/many${index}`));
  ensemble.propose({ op: OpCode.multi, body: { ops } }, caller);

  assert.ok(ensemble.log.at(-1)!.payload.length < LIMIT);
  assert.ok(lastRefusals(ensemble).includes(ErrorCode.badArguments));
  ensemble.commit();
  assert.is(ensemble.preparer.pendingCount, 0);
  assert.equal(ensemble.children('/'), ['one', 'zookeeper']);
  assert.is(ensemble.error(creating('/many0'), caller), ErrorCode.ok, 'each of them alone fits');
});

test('an ACL is measured before it is expanded, so that a small request costs little', () => {
  const ensemble = new EnsembleOfOne();
  const acl = Array.from({ length: 40_000 }, (_, perms) => ({ perms, id: { scheme: 'auth', id: '' } }));
  const body = { path: '/', acl, version: -1 };

  const before = process.hrtime.bigint();
  assert.is(ensemble.error({ op: OpCode.setAcl, body }, { identities }), ErrorCode.badArguments);
  assert.is(ensemble.error(creating('/a', acl), { identities }), ErrorCode.badArguments);

  assert.ok(process.hrtime.bigint() - before < 2_000_000_000n, 'four million entries were not compared');
});

test('data counts as well, and what fits together is let through', () => {
  const ensemble = new EnsembleOfOne({ maxTxnBytes: LIMIT });
  const world: readonly Acl[] = [{ perms: 31, id: { scheme: 'world', id: 'anyone' } }];
  const ops = (size: number) => [
    creating('/a', world, 'x'.repeat(size)),
    creating('/b', world, 'x'.repeat(size)),
  ];

  ensemble.write({ op: OpCode.multi, body: { ops: ops(LIMIT / 2) } });
  assert.equal(lastRefusals(ensemble), [ErrorCode.ok, ErrorCode.badArguments]);
  ensemble.write({ op: OpCode.multi, body: { ops: ops(LIMIT / 2 - 200) } });
  assert.equal(lastRefusals(ensemble), []);
  assert.equal(ensemble.children('/'), ['a', 'b', 'zookeeper']);
});

test('a session with more ephemerals than any request could name can be closed (ZOOKEEPER-4306)', () => {
  const ensemble = new EnsembleOfOne({ maxTxnBytes: LIMIT });
  const count = 2_000;
  for (let index = 0; index < count; index++) ensemble.create(`/${'long'.repeat(10)}${index}`, { flags: 1 });
  const context = { sessionId: SESSION, cxid: 0, identities: [], wallMs: 5_000 };

  const txn = ensemble.preparer.prepare({ op: OpCode.closeSession, body: {} }, context, ensemble.zxid + 1n);

  assert.is(txn.outcome.type === 'closeSession' && txn.outcome.paths.length, count);
  assert.ok(encodeTxn(txn).length > LIMIT);
  assert.is(ensemble.closeSession(OTHER_SESSION).error, ErrorCode.ok);
});

test.run();
