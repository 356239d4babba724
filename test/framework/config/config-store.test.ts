import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Client } from '../../../core/client/index.js';
import { Cluster } from '../../../core/testing/index.js';
import { ConfigStore, type ConfigRulesError } from '../../../framework/index.js';
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

test(
  'rules that cannot be used refuse a write by name, and those of another configuration do not stand in its way',
  onFleet(async (fleet) => {
    const client = await fleet.client();
    const store = new ConfigStore(client);
    await fleet.wait(client.create('/config/other', '{"of":{"$config":"billing"}}', { createParents: true }));
    await fleet.wait(client.create('/config/billing.schema'));
    await fleet.wait(client.create('/config/other.schema', '{"schema":{"type":"nonsense"}}'));
    const deep = `{"schema":${'{"not":'.repeat(20_000)}{}${'}'.repeat(20_000)}}`;
    for (const rules of ['', 'null', '[]', '{"schema":5}', '{"defaults":[]}', '{"env":"a"}', deep]) {
      await fleet.wait(client.setData('/config/billing.schema', rules));
      const error = await fleet.wait(store.write('billing', { limit: 1 }).catch((reason: unknown) => reason));
      assert.is((error as ConfigRulesError).code, 'CONFIG_RULES_INVALID', rules.slice(0, 20));
      assert.match(
        (error as ConfigRulesError).message,
        /^Cannot use the rules at \/config\/billing\.schema: /,
      );
    }
    await fleet.wait(client.setData('/config/billing.schema', '{"schema":{"type":"object"},"defaults":{}}'));
    assert.is((await fleet.wait(store.write('billing', { limit: 1 }))).version, 0);
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
