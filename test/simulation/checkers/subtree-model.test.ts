import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ModelZnode } from './subtree-model.js';

test('results that agree with the model are accepted, also of operations sent together', () => {
  const znode = new ModelZnode('/a');
  const created = znode.sent({ type: 'create', data: 'x' });
  const set = znode.sent({ type: 'set', data: 'y', version: 0 });
  const stale = znode.sent({ type: 'set', data: 'z', version: 0 });
  const got = znode.sent({ type: 'get' });
  created({ type: 'done', state: { data: 'x', version: 0 } });
  set({ type: 'done', state: { data: 'y', version: 1 } });
  stale({ type: 'refused' });
  got({ type: 'done', state: { data: 'y', version: 1 } });
  znode.sent({ type: 'delete' })({ type: 'done', state: null });
  znode.checkFinal(null);
});

test('a read that misses an acknowledged write of its client is found', () => {
  const znode = new ModelZnode('/a');
  znode.sent({ type: 'create', data: 'x' })({ type: 'done', state: { data: 'x', version: 0 } });
  const got = znode.sent({ type: 'get' });
  assert.throws(() => got({ type: 'done', state: null }), /get \/a of "x" at version 0 gives nothing/);
});

test('a write that is refused though it fits, or carried out though it does not, is found', () => {
  const znode = new ModelZnode('/a');
  const refused = znode.sent({ type: 'create', data: 'x' });
  assert.throws(() => refused({ type: 'refused' }), /create \/a of nothing is refused/);
  const again = znode.sent({ type: 'create', data: 'y' });
  assert.throws(() => again({ type: 'done', state: { data: 'y', version: 0 } }), /is done/);
});

test('a write that takes effect twice is found by the version', () => {
  const znode = new ModelZnode('/a');
  znode.sent({ type: 'create', data: 'x' })({ type: 'done', state: { data: 'x', version: 0 } });
  const set = znode.sent({ type: 'set', data: 'y' });
  assert.throws(() => set({ type: 'done', state: { data: 'y', version: 2 } }), /gives "y" at version 2/);
});

test('behind an unknown outcome every value that was sent since the last acknowledged one is possible', () => {
  const znode = new ModelZnode('/a');
  znode.sent({ type: 'create', data: 'x' })({ type: 'done', state: { data: 'x', version: 0 } });
  znode.sent({ type: 'set', data: 'y' })({ type: 'unsure' });
  assert.not(znode.isSure);
  znode.checkFinal({ data: 'x', version: 0 });
  znode.checkFinal({ data: 'y', version: 1 });
  assert.throws(() => znode.checkFinal(null), /holds nothing at the end, not "x" at version 0 or "y"/);
});

test('a write that was never answered may have taken effect or not', () => {
  const znode = new ModelZnode('/a');
  znode.sent({ type: 'create', data: 'x' });
  znode.checkFinal(null);
  znode.checkFinal({ data: 'x', version: 0 });
  assert.throws(() => znode.checkFinal({ data: 'y', version: 0 }), /holds "y" at version 0 at the end/);
});

test('a read without an answer leaves the model sure, as does a write with a version that the znode never has', () => {
  const znode = new ModelZnode('/a');
  znode.sent({ type: 'get' })({ type: 'unsure' });
  znode.sent({ type: 'set', data: 'x', version: 1000 })({ type: 'unsure' });
  assert.ok(znode.isSure);
});

test('a write without an answer leaves the model unsure though it would be refused where it was sent', () => {
  for (const operation of [{ type: 'delete' }, { type: 'set', data: 'x' }] as const) {
    const znode = new ModelZnode('/a');
    znode.sent(operation)({ type: 'unsure' });
    assert.not(znode.isSure);
  }
});

test.run();
