import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Client } from '../../../core/client/index.js';
import { Cluster } from '../../../core/testing/index.js';
import { ConfigStore } from '../../../framework/index.js';
import { onFleet } from '../fleet.js';

/** A client whose server lags behind: the next `count` questions about znodes are answered as if there were none. */
function lagging(client: Client, count: number): Client {
  let left = count;
  return new Proxy(client, {
    get(target, name) {
      if (name === 'exists' && left-- > 0) return async () => null;
      const member: unknown = Reflect.get(target, name, target);
      return typeof member === 'function' ? member.bind(target) : member;
    },
  });
}

test(
  'a write over a known version succeeds although the server that is asked does not know the history yet',
  onFleet(async (fleet) => {
    const client = await fleet.client();
    const { version } = await fleet.wait(new ConfigStore(client).write('billing', { limit: 1 }));
    const store = new ConfigStore(lagging(client, 2));
    const written = await fleet.wait(store.write('billing', { limit: 2 }, { version }));
    assert.is(written.version, version + 1);
    assert.is((await fleet.wait(store.history('billing'))).length, 2);
  }),
);

test('a rollback goes by the newest value, wherever that was written and however late its own server hears of it', async () => {
  await Cluster.play(async (cluster) => {
    const leader = cluster.leader!;
    const follower = cluster.members.find((member) => member !== leader)!;
    const [ahead, behind] = [leader, follower].map(({ id }) => cluster.client({ members: [id] }).client);
    await Promise.all([ahead!.connected(), behind!.connected()]);
    cluster.network.setLineQuality(leader.name, follower.name, { latencyMs: 500, jitterMs: 0 });
    const store = new ConfigStore(ahead!);
    for (const limit of [1, 2, 3]) await store.write('billing', { limit });

    const written = await new ConfigStore(behind!).rollback('billing');
    assert.equal(written.value, { limit: 2 });
  });
});

test.run();
