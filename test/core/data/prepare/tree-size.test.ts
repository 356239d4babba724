import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ErrorCode, OpCode, type CreateRequest } from '../../../../core/protocol/index.js';
import { bytes, createBody, EnsembleOfOne } from '../ensemble-of-one.js';

const EMPTY = new EnsembleOfOne().machine.treeBytes;
/** Room for three znodes with 100 bytes of data and names of one character. */
const LIMIT = EMPTY + 3 * (400 + 2 + 100);

const creating = (path: string, size = 100): { readonly op: 1; readonly body: CreateRequest } => {
  return { op: OpCode.create, body: createBody(path, { data: bytes('x'.repeat(size)) }) };
};
const setting = (path: string, size: number) => {
  return { op: OpCode.setData, body: { path, data: bytes('y'.repeat(size)), version: -1 } } as const;
};

test('a tree at its limit does not grow, and deletes and smaller values go on', () => {
  const ensemble = new EnsembleOfOne({ maxTreeBytes: LIMIT });
  for (const path of ['/a', '/b', '/c']) assert.is(ensemble.error(creating(path)), ErrorCode.ok);
  assert.is(ensemble.machine.treeBytes, LIMIT);

  assert.is(ensemble.error(creating('/d', 0)), ErrorCode.quotaExceeded);
  assert.is(ensemble.error(setting('/a', 101)), ErrorCode.quotaExceeded);
  assert.is(ensemble.error(setting('/a', 100)), ErrorCode.ok);
  assert.is(ensemble.error(setting('/a', 50)), ErrorCode.ok);
  assert.is(ensemble.error(setting('/b', 150)), ErrorCode.ok, 'what became free can be taken');
  assert.is(ensemble.error({ op: OpCode.delete, body: { path: '/c', version: -1 } }), ErrorCode.ok);
  assert.is(ensemble.error(creating('/d')), ErrorCode.ok);
});

test('what is proposed and not applied yet counts', () => {
  const ensemble = new EnsembleOfOne({ maxTreeBytes: LIMIT });
  for (const path of ['/a', '/b', '/c', '/d']) ensemble.propose(creating(path));
  for (let count = 0; count < 4; count++) ensemble.commit();
  assert.equal(ensemble.children('/'), ['a', 'b', 'c', 'zookeeper']);
  assert.is(ensemble.preparer.pendingCount, 0);
  assert.is(ensemble.error({ op: OpCode.delete, body: { path: '/c', version: -1 } }), ErrorCode.ok);
  assert.is(ensemble.error(creating('/d')), ErrorCode.ok, 'nothing of the applied ones counts twice');
});

test('a multi that would exceed the limit leaves nothing behind, and one that frees first is carried out', () => {
  const ensemble = new EnsembleOfOne({ maxTreeBytes: LIMIT });
  assert.is(ensemble.error(creating('/a')), ErrorCode.ok);
  ensemble.propose({ op: OpCode.multi, body: { ops: ['/b', '/c', '/d'].map((path) => creating(path)) } });
  ensemble.commit();
  assert.equal(ensemble.children('/'), ['a', 'zookeeper']);
  for (const path of ['/b', '/c']) assert.is(ensemble.error(creating(path)), ErrorCode.ok);
  const freeing = { op: OpCode.delete, body: { path: '/a', version: -1 } } as const;
  ensemble.propose({ op: OpCode.multi, body: { ops: [freeing, creating('/d')] } });
  ensemble.commit();
  assert.equal(ensemble.children('/'), ['b', 'c', 'd', 'zookeeper']);
});

test('the size of a tree is that of its znodes, however it came about', () => {
  const ensemble = new EnsembleOfOne();
  assert.is(ensemble.error(creating('/a', 10)), ErrorCode.ok);
  assert.is(ensemble.error(creating('/a/child', 0)), ErrorCode.ok);
  assert.is(ensemble.machine.treeBytes - EMPTY, 2 * 400 + '/a'.length + '/a/child'.length + 10);
  assert.is(ensemble.error(setting('/a', 3)), ErrorCode.ok);
  for (const path of ['/a/child', '/a']) {
    assert.is(ensemble.error({ op: OpCode.delete, body: { path, version: -1 } }), ErrorCode.ok);
  }
  assert.is(ensemble.machine.treeBytes, EMPTY);
});

test.run();
