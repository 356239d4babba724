import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { handleSignals } from '../../../framework/runtime/process-signals.js';
import { VirtualClock } from '../../../core/testing/index.js';

test('a signal that comes twice at once, as by Ctrl-C under npm start, counts once; a later one cuts the drain short', async () => {
  const clock = new VirtualClock();
  const stops: unknown[] = [];
  const letGo = handleSignals({ stop: async (options) => void stops.push(options?.deadlineMs) }, clock);
  try {
    process.emit('SIGINT');
    await clock.advance(300);
    process.emit('SIGINT');
    process.emit('SIGTERM');
    assert.equal(stops, [undefined]);
    await clock.advance(300);
    process.emit('SIGINT');
    assert.equal(stops, [undefined, 0]);
  } finally {
    letGo();
  }
  assert.is(process.listenerCount('SIGTERM'), 0);
});

test.run();
