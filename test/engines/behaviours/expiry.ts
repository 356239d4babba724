import * as assert from 'uvu/assert';
import { SessionExpiredError, type ConnectionState, type WatchNotice } from '../../../core/client/index.js';
import type { Behaviours } from '../behaviour.js';

export const expiry: Behaviours = {
  'a session that expires takes its ephemerals along, and its client goes on in the next': async (place) => {
    const cut = place.participant();
    const client = await cut.client();
    const { session } = client;
    const states: ConnectionState[] = [];
    client.onState((state) => states.push(state));
    const notices: WatchNotice[] = [];
    await client.create('/kept');
    await client.create('/kept/ephemeral', null, { mode: 'ephemeral' });
    await client.exists('/never', { watch: (notice) => notices.push(notice) });

    await place.expire(cut, client);
    assert.equal(states, ['suspended', 'lost', 'connected']);
    assert.is(session.signal.aborted, true);
    assert.instance(session.signal.reason, SessionExpiredError);
    assert.is(client.session.epoch, 2);
    assert.equal(notices, [{ type: 'sessionLost', path: '/never' }]);
    assert.is(await client.exists('/kept/ephemeral'), null);
    assert.is((await client.exists('/kept'))?.numChildren, 0);
    const late = await client
      .create('/late', null, { session: session.epoch })
      .catch((error: unknown) => error);
    assert.instance(late, SessionExpiredError);
  },

  'a client that returns too late is told by the servers, whatever its own clock says': async (place) => {
    const cut = place.participant();
    const client = await cut.client();
    const { id } = client.session;
    const witness = await place.client();
    await client.create('/mine', null, { mode: 'ephemeral' });
    await witness.sync('/');
    cut.cutOff();
    await place.until(async () => (await witness.exists('/mine')) === null);
    cut.rejoin();
    await place.until(() => client.state === 'connected');
    assert.is.not(client.session.id, id);
  },

  'ephemerals of one session go in one transaction': async (place) => {
    const cut = place.participant();
    const client = await cut.client();
    const witness = await place.client();
    for (const parent of ['/a', '/b']) {
      await client.create(parent);
      await client.create(`${parent}/1`, null, { mode: 'ephemeral' });
    }
    // The witness may be at another member, which has not heard of them yet.
    await witness.sync('/');
    const seen: string[] = [];
    const gone = (path: string): Promise<void> =>
      new Promise((resolve) => {
        const watch = ({ type }: WatchNotice): void => {
          seen.push(type);
          resolve();
        };
        void witness.exists(path, { watch });
      });
    const both = [gone('/a/1'), gone('/b/1')];
    await place.expire(cut, client);
    await Promise.all(both);
    assert.equal(seen, ['deleted', 'deleted']);
    const [a, b] = await Promise.all(['/a', '/b'].map((path) => witness.exists(path)));
    assert.is(a?.pzxid, b?.pzxid);
  },
};
