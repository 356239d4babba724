import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Cluster } from '../../../../core/testing/index.js';
import type { MemberHoldings } from '../../../../core/server/index.js';

test('a leader keeps nothing of the syncs that it has answered', async () => {
  const held = new Map<number, MemberHoldings>();
  await Cluster.play(
    async (cluster) => {
      const { client } = cluster.client();
      for (let round = 0; round < 5; round++)
        await Promise.all(Array.from({ length: 20 }, () => client.sync('/')));
      const gauges = [...held.values()];
      assert.is(gauges.length, 3);
      assert.ok(gauges.every(({ openQuestions, pendingSyncs }) => openQuestions === 0 && pendingSyncs === 0));
    },
    { voters: 3, probe: ({ id }) => ({ turned: (gauges) => void held.set(id, gauges.held) }) },
  );
});

test.run();
