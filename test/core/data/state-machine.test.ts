import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ErrorCode, OpCode } from '../../../core/protocol/index.js';
import { bytes, createBody, EnsembleOfOne, OTHER_SESSION, SESSION } from './ensemble-of-one.js';

test('what was created can be read, with its data and a fresh stat', () => {
  const ensemble = new EnsembleOfOne();
  ensemble.wallMs = 5_000;

  const path = ensemble.create('/a', { data: bytes('hello') });

  assert.is(path, '/a');
  assert.is(ensemble.data('/a'), 'hello');
  const zxid = ensemble.machine.lastZxid;
  assert.equal(ensemble.stat('/a'), {
    czxid: zxid,
    mzxid: zxid,
    ctime: 5_000,
    mtime: 5_000,
    version: 0,
    cversion: 0,
    aversion: 0,
    ephemeralOwner: 0n,
    dataLength: 5,
    numChildren: 0,
    pzxid: zxid,
  });
});

test('a session takes its ephemerals with it, in one transaction', () => {
  const ensemble = new EnsembleOfOne();
  ensemble.create('/a');
  ensemble.create('/a/e1', { flags: 1 });
  ensemble.create('/a/e2', { flags: 1 });
  ensemble.create('/a/e3', { flags: 1 }, { sessionId: OTHER_SESSION });

  const applied = ensemble.closeSession(SESSION);

  assert.equal(
    applied.changes.map(({ type, path }) => [type, path]),
    [
      [2, '/a/e1'],
      [2, '/a/e2'],
    ],
  );
  assert.equal(ensemble.children('/a'), ['e3']);
  assert.is(ensemble.stat('/a').pzxid, applied.zxid);
  assert.is(ensemble.error({ op: OpCode.create, body: createBody('/b') }), ErrorCode.sessionExpired);
});

test.run();
