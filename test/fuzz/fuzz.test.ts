/** `QUORATE_FUZZ_SECONDS`: how long (default 30); `QUORATE_FUZZ_SEED`: which inputs (default: random; the same each time in CI). */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { fuzz } from './campaign.js';
import { summaryOf } from './summary.js';

const CI_SEED = 1;
const { QUORATE_FUZZ_SECONDS = '30', QUORATE_FUZZ_SEED, CI } = process.env;
const seed = Number(QUORATE_FUZZ_SEED ?? (CI === undefined ? Math.floor(Math.random() * 1e6) : CI_SEED));

test('members survive malformed and senseless inputs of every kind, and a good client gets right answers', async () => {
  const result = await fuzz({ seed, seconds: Number(QUORATE_FUZZ_SECONDS) });
  console.log(`# seed ${seed}: ${summaryOf(result)}`);
  const kinds = [
    'client packets',
    'ZooKeeper packets',
    'four-letter words',
    'HTTP heads',
    'WebSocket frames',
    'peer messages',
  ];
  for (const kind of kinds) assert.ok(result.tally.get(kind)! > 0, kind);
  assert.ok(result.operations > 0);
});

test.run();
