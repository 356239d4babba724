import * as assert from 'uvu/assert';
import type { ConnectionState, WatchNotice, WatchStreamEvent } from '../../../core/client/index.js';
import {
  type Application,
  FairLock,
  LeaderOnly,
  Service,
  TreeCache,
  WorkQueue,
  Worker,
  type LeaderContext,
} from '../../../framework/index.js';
import type { Behaviours } from '../behaviour.js';
import { LASTING_SESSION_MS } from '../engine.js';

/** Of who has to come back to his session, through an election if need be, on a busy machine. */
const LASTING = { sessionTimeoutMs: LASTING_SESSION_MS };

export const reconnection: Behaviours = {
  'a broken connection costs neither the session nor what it holds': async (place) => {
    const participant = place.participant();
    const client = await participant.client(LASTING);
    const { session } = client;
    const states: ConnectionState[] = [];
    client.onState((state) => states.push(state));
    const hold = await new FairLock(client, 'held').acquire();
    for (let time = 1; time <= 3; time++) {
      participant.loseConnections();
      await place.until(() => states.length === 2 * time && client.state === 'connected');
      assert.ok((await client.exists(hold.path)) !== null);
    }
    assert.is(client.session, session);
    assert.is(hold.signal.aborted, false);
    await hold.release();
  },

  'what changed while the connection was broken is told by the watches that stood': async (place) => {
    const participant = place.participant();
    const client = await participant.client(LASTING);
    const writer = await place.client();
    const told: string[] = [];
    const watch = ({ type, path }: WatchNotice): void => void told.push(`${path} ${type}`);
    for (const path of ['/changed', '/deleted', '/parent', '/same']) await client.create(path);
    await client.getData('/changed', { watch });
    await client.getData('/deleted', { watch });
    await client.getChildren('/parent', { watch });
    await client.exists('/created', { watch });
    await client.getData('/same', { watch });

    participant.cutOff();
    await writer.setData('/changed', 'x');
    await writer.delete('/deleted');
    await writer.create('/parent/child');
    await writer.create('/created');
    participant.rejoin();
    await place.until(() => told.length === 4);
    assert.equal(told.toSorted(), [
      '/changed dataChanged',
      '/created created',
      '/deleted deleted',
      '/parent childrenChanged',
    ]);
    await writer.setData('/same', 'x');
    await place.until(() => told.length === 5);
  },

  'a stream of events says when it may have missed some, and goes on': async (place) => {
    const participant = place.participant();
    const client = await participant.client();
    const writer = await place.client();
    const seen: string[] = [];
    const following = (async () => {
      const events: AsyncIterable<WatchStreamEvent> = client.watch('/tree', { recursive: true });
      for await (const { type, path } of events) seen.push(`${path} ${type}`);
    })();
    await place.until(() => seen.length === 1);
    await writer.create('/tree');
    await place.until(() => seen.length === 2);
    participant.loseConnections();
    await place.until(() => seen.length === 3);
    await writer.create('/tree/a');
    await place.until(() => seen.length === 4);
    assert.equal(seen, ['/tree armed', '/tree created', '/tree armed', '/tree/a created']);
    await client.close();
    await following;
  },

  'sequence nodes of unique names are made once, however often the connection breaks': async (place) => {
    const participant = place.participant();
    const client = await participant.client(LASTING);
    await client.create('/line');
    let created = 0;
    const making = (async () => {
      for (let index = 0; index < 50; index++) {
        const options = { mode: 'ephemeral-sequential', uniqueName: true } as const;
        await client.create(`/line/_c_${client.random.uuid()}-n-`, null, options);
        created++;
      }
    })();
    for (let time = 1; time <= 4; time++) {
      await place.until(() => created >= 10 * time);
      participant.loseConnections();
    }
    await making;
    assert.is((await client.getChildren('/line')).children.length, 50);
  },

  'a cache is right again after every outage, and after the restart of a server': async (place) => {
    const participant = place.participant();
    const client = await participant.client();
    const writer = await place.client();
    await writer.create('/settings');
    await using cache = new TreeCache(client, '/settings').start();
    await cache.ready();
    participant.cutOff();
    await writer.create('/settings/a', '1');
    participant.rejoin();
    await place.until(() => cache.get('/settings/a') !== null);

    await place.engine.restartServer();
    await persist(place, () => writer.create('/settings/b', '2'));
    await place.until(() => cache.get('/settings/b') !== null);
    await persist(place, () => writer.delete('/settings/a'));
    await place.until(() => cache.get('/settings/a') === null);
  },

  'the restart of a server loses no session, no ephemeral and no acknowledged write': async (place) => {
    const [client, reader] = await Promise.all([
      place.participant().client(LASTING),
      place.participant().client(LASTING),
    ]);
    const sessions = [client.session, reader.session];
    await client.create('/kept', 'x');
    await client.create('/mine', null, { mode: 'ephemeral' });
    await place.engine.restartServer();
    await Promise.all([client, reader].map((each) => each.connected()));
    await reader.sync('/');
    assert.is(Buffer.from((await reader.getData('/kept')).data ?? []).toString(), 'x');
    assert.is((await reader.exists('/mine'))?.ephemeralOwner, client.session.id);
    assert.equal([client.session, reader.session], sessions);
  },

  'an application goes on through the restart of a server': async (place) => {
    let leading = 0;
    @Service({ name: 'steady' })
    class Steady {}
    @LeaderOnly({ name: 'steady', every: '20ms' })
    class Beat {
      run(_context: LeaderContext): void {
        leading++;
      }
    }
    @Worker({ queue: 'steady', concurrency: 2 })
    class Steadily {
      handle(): string {
        return 'done';
      }
    }
    const app: Application = await place.participant().run({ declare: [Steady, Beat, Steadily] });
    const queue = new WorkQueue<number>(await place.client(), 'steady');
    assert.is(await queue.result(await queue.enqueue(1)), 'done');
    const restarting = place.engine.restartServer();
    const results = await Promise.all(
      [2, 3, 4, 5].map(async (n) => {
        const id = await persist(place, () => queue.enqueue(n));
        return queue.result(id);
      }),
    );
    await restarting;
    assert.equal(results, ['done', 'done', 'done', 'done']);
    const before = leading;
    await place.until(() => leading > before + 1);
    assert.is(app.state, 'running');
  },
};

/** Repeats what may be repeated until a server has carried it out. */
async function persist<T>(
  place: { until(condition: () => Promise<boolean>): Promise<void> },
  task: () => Promise<T>,
): Promise<T> {
  let result: { readonly value: T } | undefined;
  await place.until(async () => {
    try {
      result = { value: await task() };
    } catch (error) {
      const { code } = error as { code?: unknown };
      if (code === 'NODE_EXISTS' || code === 'NO_NODE') result = { value: undefined as T };
      else if (code !== 'OUTCOME_UNKNOWN' && code !== 'CONNECTION_LOSS' && code !== 'SESSION_EXPIRED')
        throw error;
    }
    return result !== undefined;
  });
  return result!.value;
}
