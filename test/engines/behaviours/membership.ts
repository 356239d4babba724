import * as assert from 'uvu/assert';
import { GroupMembership, ShardAssignment, type OwnedShard } from '../../../framework/index.js';
import type { Behaviours } from '../behaviour.js';

export const membership: Behaviours = {
  'everybody sees who joins, changes, and leaves': async (place) => {
    await using watcher = new GroupMembership(await place.client(), '/group').start();
    await watcher.ready();
    const told: string[] = [];
    const following = (async () => {
      for await (const { type, member } of watcher.changes()) told.push(`${member.id} ${type}`);
    })();
    const anna = new GroupMembership(await place.client(), '/group', { id: 'anna', data: '1' }).start();
    await anna.ready();
    await place.until(() => told.length === 1);
    await anna.setData('2');
    await place.until(() => told.length === 2);
    assert.equal(watcher.members().get('anna')?.data, new TextEncoder().encode('2'));
    await anna.close();
    await place.until(() => told.length === 3);
    assert.equal(told, ['anna joined', 'anna changed', 'anna left']);
    await watcher.close();
    await following;
  },

  'a member whose session expired has left, and joins again by itself': async (place) => {
    const cut = place.participant();
    const client = await cut.client();
    await using anna = new GroupMembership(client, '/group', { id: 'anna' }).start();
    await using bert = new GroupMembership(await place.client(), '/group', { id: 'bert' }).start();
    await Promise.all([anna.ready(), bert.ready()]);
    await place.until(() => bert.members().size === 2 && anna.members().size === 2);
    const before = bert.members().get('anna')!.sessionId;

    await place.expire(cut, client);
    await place.until(() => bert.members().has('anna') && bert.members().get('anna')!.sessionId !== before);
    await place.until(() => anna.members().size === 2);
  },

  'shards are divided over the members, and handed over when one leaves or its session expires': async (
    place,
  ) => {
    const owners = new Map<number, string>();
    const task =
      (id: string) =>
      async ({ shard, signal }: OwnedShard): Promise<void> => {
        assert.not.ok(owners.has(shard), `shard ${shard} is owned twice`);
        owners.set(shard, id);
        await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
        owners.delete(shard);
      };
    const count = (id: string): number => [...owners.values()].filter((owner) => owner === id).length;
    const cut = place.participant();
    const client = await cut.client();
    await using anna = new ShardAssignment(client, 'orders', task('anna'), { shards: 4, id: 'anna' }).start();
    await place.until(() => count('anna') === 4);
    const other = await place.client();
    const bert = new ShardAssignment(other, 'orders', task('bert'), { shards: 4, id: 'bert' }).start();
    await place.until(() => count('anna') === 2 && count('bert') === 2);

    await place.expire(cut, client);
    await place.until(() => count('anna') === 2 && count('bert') === 2);
    await bert.close();
    await place.until(() => count('anna') === 4);
    assert.is(anna.owned.size, 4);
  },

  'a restart moves no shard while its place is kept for whoever comes next': async (place) => {
    const owners = new Map<number, string>();
    const begun: string[] = [];
    const enter = async (id: string): Promise<ShardAssignment> => {
      const task = async ({ shard, signal }: OwnedShard): Promise<void> => {
        begun.push(id);
        owners.set(shard, id);
        await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
        owners.delete(shard);
      };
      const options = { shards: 4, id, rejoinMs: 20_000 };
      return new ShardAssignment(await place.client(), 'orders', task, options).start();
    };
    const count = (id: string): number => [...owners.values()].filter((owner) => owner === id).length;
    await using anna = await enter('anna');
    const bert = await enter('bert');
    await place.until(() => count('anna') === 2 && count('bert') === 2);
    const annas = [...anna.owned].map(([shard, { fence }]) => [shard, fence]);
    begun.length = 0;

    await bert.close();
    await using carl = await enter('carl');
    await place.until(() => count('carl') === 2);
    assert.equal(
      [...anna.owned].map(([shard, { fence }]) => [shard, fence]),
      annas,
    );
    assert.equal(begun, ['carl', 'carl']);
    assert.is(carl.owned.size, 2);
  },
};
