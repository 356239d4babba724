import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { onAbort } from '../../../core/runtime/index.js';
import { leftovers, listeners, openFiles } from './leftovers.js';
import { SampleEnsemble } from './sample-ensemble.js';

test('what a member still holds after its last client has left is named', () => {
  const ensemble = new SampleEnsemble();
  assert.is(leftovers('m1', ensemble.gauges(), 3), '');
  const { held } = ensemble.gauges();
  const left = ensemble.gauges({}, { held: { ...held, watches: 2, pendingSyncs: 1, peerLinks: 3 } });
  assert.is(leftovers('m1', left, 3), 'm1 holds 2 watches, 1 pendingSyncs, 3 peerLinks');
});

test('a member that has the newest file of its log open is left alone, one with another file is named', () => {
  for (const count of [0, 1]) assert.is(openFiles('m1', { openFiles: count }), '');
  assert.is(openFiles('m1', { openFiles: 2 }), 'm1 has 2 files open');
});

test('a listener that stays on a signal is counted, one that was removed or has been called is not', () => {
  const [kept, aborted] = [new AbortController(), new AbortController()];
  const stop = onAbort(kept.signal, () => undefined);
  aborted.signal.addEventListener('abort', () => undefined, { once: true });
  aborted.abort();
  const signals = { 'its own signal': kept.signal, 'its session': aborted.signal };
  assert.is(listeners('c1', signals), 'c1 has 1 listeners on its own signal');
  stop();
  assert.is(listeners('c1', signals), '');
});

test.run();
