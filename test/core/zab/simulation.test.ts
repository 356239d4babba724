import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { runFaulty } from './faults.js';

/** `ZAB_SEED=17` runs that seed alone, `ZAB_SEEDS=5000` that many. */
const ONLY = process.env['ZAB_SEED'];
const SEEDS = Number(process.env['ZAB_SEEDS'] ?? 200);

test('under any faults Zab keeps its promises, and when they stop everybody serves again', () => {
  const totals = { delivered: 0, epochs: 0, readIndexes: 0, snapshots: 0 };
  const seeds = ONLY === undefined ? Array.from({ length: SEEDS }, (_, index) => index) : [Number(ONLY)];
  for (const seed of seeds) {
    try {
      const { ghost, members } = runFaulty(seed);
      totals.delivered += ghost.length;
      totals.epochs += ghost.epochsEstablished;
      totals.readIndexes += members.reduce((sum, member) => sum + member.readIndexesAnswered, 0);
      totals.snapshots += members.reduce((sum, member) => sum + member.snapshotsInstalled, 0);
    } catch (error) {
      throw new Error(
        `seed ${seed}; to see it alone: ZAB_SEED=${seed} node dist/test/run.js zab/simulation`,
        {
          cause: error,
        },
      );
    }
  }
  if (ONLY !== undefined) return;
  assert.ok(totals.delivered > SEEDS * 10, `too little was delivered: ${JSON.stringify(totals)}`);
  assert.ok(totals.epochs > SEEDS * 2, `too few leaders changed: ${JSON.stringify(totals)}`);
  assert.ok(totals.readIndexes > SEEDS, `too few read indexes were confirmed: ${JSON.stringify(totals)}`);
  assert.ok(totals.snapshots > SEEDS / 10, `too few snapshots were sent: ${JSON.stringify(totals)}`);
});

test.run();
