import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ErrorCode, OpCode } from '../../../../core/protocol/index.js';
import { createBody, EnsembleOfOne } from '../ensemble-of-one.js';

const container = (ensemble: EnsembleOfOne, path: string): unknown =>
  ensemble.reply({ op: OpCode.createContainer, body: createBody(path, { flags: 4 }) });
const withTtl = (ensemble: EnsembleOfOne, path: string, ttlMs: number): unknown =>
  ensemble.reply({ op: OpCode.createTtl, body: createBody(path, { flags: 5, ttlMs }) });
const reap = (path: string) => ({ op: OpCode.deleteContainer, body: { path } }) as const;
const reapable = (ensemble: EnsembleOfOne, limit = 10): readonly string[] =>
  ensemble.preparer.reapable(ensemble.wallMs, limit);
const remove = (ensemble: EnsembleOfOne, path: string): number =>
  ensemble.error({ op: OpCode.delete, body: { path, version: -1 } });

test('a container may go once it had a child and has none any more', () => {
  const ensemble = new EnsembleOfOne();
  container(ensemble, '/c');
  assert.equal(reapable(ensemble), []);
  assert.is(ensemble.error(reap('/c')), ErrorCode.badVersion);
  ensemble.create('/c/x');
  assert.equal(reapable(ensemble), []);
  assert.is(ensemble.error(reap('/c')), ErrorCode.notEmpty);
  remove(ensemble, '/c/x');

  assert.equal(reapable(ensemble), ['/c']);
  const applied = ensemble.write(reap('/c'), { sessionId: 0n });

  assert.equal(
    applied.changes.map(({ type, path }) => [type, path]),
    [[2, '/c']],
  );
  assert.not(ensemble.exists('/c'));
  assert.equal(reapable(ensemble), []);
});

test('a znode with a time to live may go when it has no children and was not set for longer than that', () => {
  const ensemble = new EnsembleOfOne();
  withTtl(ensemble, '/t', 100);
  ensemble.wallMs += 100;
  assert.equal(reapable(ensemble), []);
  assert.is(ensemble.error(reap('/t')), ErrorCode.badVersion);
  ensemble.wallMs += 1;
  assert.equal(reapable(ensemble), ['/t']);

  ensemble.write({ op: OpCode.setData, body: { path: '/t', data: null, version: -1 } });
  assert.equal(reapable(ensemble), [], 'setting the data begins the time anew');
  ensemble.wallMs += 50;
  ensemble.create('/t/x');
  ensemble.wallMs += 51;
  assert.equal(reapable(ensemble), [], 'it has a child');
  remove(ensemble, '/t/x');
  assert.equal(reapable(ensemble), ['/t'], 'children do not begin the time anew');
  assert.is(ensemble.error(reap('/t')), ErrorCode.ok);
});

test('time is what the replicas agree on, should a clock be behind it', () => {
  const ensemble = new EnsembleOfOne();
  withTtl(ensemble, '/t', 100);
  ensemble.wallMs += 200;
  ensemble.create('/later');
  ensemble.wallMs -= 200;
  assert.equal(reapable(ensemble), ['/t']);
});

test('whether a znode may go is decided against what is pending', () => {
  const ensemble = new EnsembleOfOne();
  container(ensemble, '/c');
  ensemble.create('/c/x');
  remove(ensemble, '/c/x');
  ensemble.propose({ op: OpCode.create, body: createBody('/c/y') });

  assert.equal(reapable(ensemble), []);
  assert.is(ensemble.error(reap('/c')), ErrorCode.notEmpty);

  withTtl(ensemble, '/t', 10);
  ensemble.wallMs += 20;
  ensemble.propose(reap('/t'));
  assert.equal(reapable(ensemble), [], 'it is going already');
  assert.is(ensemble.error(reap('/t')), ErrorCode.noNode);
});

test('the reaper takes no other znode', () => {
  const ensemble = new EnsembleOfOne();
  ensemble.create('/plain');
  ensemble.create('/eph', { flags: 1 });
  assert.is(ensemble.error(reap('/plain')), ErrorCode.badVersion);
  assert.is(ensemble.error(reap('/eph')), ErrorCode.badVersion);
  assert.is(ensemble.error(reap('/none')), ErrorCode.noNode);
  assert.is(ensemble.error(reap('/')), ErrorCode.notEmpty);
  assert.is(ensemble.error(reap('/zookeeper/config')), ErrorCode.badVersion);
});

test('no more paths are told than asked for, and the next call goes on behind them', () => {
  const ensemble = new EnsembleOfOne();
  for (let index = 0; index < 5; index++) withTtl(ensemble, `/t${index}`, 1);
  ensemble.wallMs += 10;

  const first = reapable(ensemble, 3);
  const second = reapable(ensemble, 3);

  assert.is(first.length, 3);
  assert.equal([...new Set([...first, ...second])].sort(), ['/t0', '/t1', '/t2', '/t3', '/t4']);
  assert.equal(reapable(ensemble, 0), []);
});

test('a call looks at a bounded number of znodes, and the next ones at the rest', () => {
  const ensemble = new EnsembleOfOne();
  for (let index = 0; index < 10_005; index++)
    withTtl(ensemble, `/t${index}`, index < 10_000 ? 9_999_999 : 1);
  ensemble.wallMs += 10;
  assert.equal(reapable(ensemble), []);
  assert.is(reapable(ensemble).length, 5);
});

test.run();
