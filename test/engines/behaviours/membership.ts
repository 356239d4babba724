import * as assert from 'uvu/assert';
import { GroupMembership } from '../../../framework/index.js';
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
};
