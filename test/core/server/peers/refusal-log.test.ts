import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { silentLogger, type LogFields } from '../../../../core/runtime/index.js';
import { RefusalLog } from '../../../../core/server/peers/refusal-log.js';
import { VirtualClock } from '../../../../core/testing/index.js';

const MINUTE_MS = 60_000;

function openLog(): { readonly log: RefusalLog; readonly clock: VirtualClock; readonly lines: LogFields[] } {
  const clock = new VirtualClock();
  const lines: LogFields[] = [];
  const logger = {
    ...silentLogger,
    warn: (_message: string, fields: LogFields = {}) => void lines.push(fields),
  };
  return { log: new RefusalLog(logger, clock), clock, lines };
}

test('a refusal that lasts is logged at once, after one minute, and then after twice as long each time', async () => {
  const { log, clock, lines } = openLog();
  const at: number[] = [];
  for (let minute = 0; minute <= 16; minute++) {
    const before = lines.length;
    log.note('a', 'Peer link refused', { problem: 'wrong secret' });
    if (lines.length > before) at.push(minute);
    await clock.advance(MINUTE_MS);
  }
  assert.equal(at, [0, 1, 3, 7, 15]);
});

test('two processes of one number are one refusal, whatever ports their connections have', () => {
  const { log, lines } = openLog();
  for (const port of [40_001, 40_002, 40_003]) {
    const problem = `two processes claim to be member 1: the one at 10.0.0.1:${port} stays linked, the one at 10.0.0.2 is refused`;
    log.note('10.0.0.2 1', 'Peer link refused', { problem });
  }
  assert.is(lines.length, 1);
});

test('another reason, another sender, and a failure behind a success are logged at once', () => {
  const { log, lines } = openLog();
  log.note('a', 'Peer link refused', { problem: 'wrong secret' });
  log.note('a', 'Peer link refused', { problem: 'another ensemble' });
  log.note('b', 'Peer link refused', { problem: 'another ensemble' });
  log.forget('b');
  log.note('b', 'Peer link refused', { problem: 'another ensemble' });
  assert.is(lines.length, 4);
});

test.run();
