import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ErrorCode, OpCode, type Request } from '../../../core/protocol/index.js';
import { ReaderHistory } from './reader-history.js';
import { SampleEnsemble } from './sample-ensemble.js';

const MISSING: Request = { op: OpCode.exists, body: { path: '/x', watch: false } };
const THERE: Request = { op: OpCode.exists, body: { path: '/a', watch: false } };
const nothing = (zxid: bigint) => ({ zxid, error: ErrorCode.noNode, reply: null });

test('a reader that is led back in time is found, also at another member', async () => {
  const { model, ghost } = await SampleEnsemble.start();
  const history = new ReaderHistory('c1', { model, ghost });
  history.read(MISSING, nothing(ghost.end - 1n));
  history.read(MISSING, nothing(ghost.end));
  assert.is(history.lastZxidSeen, ghost.end);
  assert.throws(
    () => history.read(MISSING, nothing(ghost.end - 1n)),
    /c1, which reads only, is led back in time/,
  );
});

test('a reader that is told what is not so, or not committed, is found', async () => {
  const { model, ghost } = await SampleEnsemble.start();
  const history = new ReaderHistory('c1', { model, ghost });
  assert.throws(() => history.read(THERE, nothing(ghost.end)), /\/a is there/);
  assert.throws(() => history.read(MISSING, nothing(ghost.end + 1n)), /was ever delivered/);
});

test('a member without a leader that takes a write is found', async () => {
  const { model, ghost } = await SampleEnsemble.start();
  const history = new ReaderHistory('c1', { model, ghost });
  history.wrote({ zxid: ghost.end, error: ErrorCode.notReadOnly, reply: null });
  assert.throws(
    () => history.wrote({ zxid: ghost.end, error: ErrorCode.ok, reply: null }),
    /answered 0 to a write/,
  );
});

test.run();
