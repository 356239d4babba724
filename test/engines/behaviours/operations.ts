import * as assert from 'uvu/assert';
import {
  AuthFailedError,
  BadVersionError,
  MultiError,
  NoAuthError,
  NoChildrenForEphemeralsError,
  NodeExistsError,
  NoNodeError,
  NotEmptyError,
  Permission,
  RequestTooLargeError,
  InvalidAclError,
  type Client,
} from '../../../core/client/index.js';
import type { Behaviours } from '../behaviour.js';

const KIND = Permission.read | Permission.write | Permission.create | Permission.delete | Permission.admin;
const OWNERS_ONLY = [{ perms: KIND, id: { scheme: 'auth', id: '' } }];

function failureOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => null,
    (error: unknown) => error,
  );
}

export const operations: Behaviours = {
  'every refusal is the error that says why': async (place) => {
    const client = await place.client();
    await client.create('/a', 'x');
    await client.create('/a/b');
    await client.create('/e', null, { mode: 'ephemeral' });
    const refusals: readonly [new () => Error, () => Promise<unknown>][] = [
      [NodeExistsError, () => client.create('/a')],
      [NoNodeError, () => client.create('/none/b')],
      [NoNodeError, () => client.getData('/none')],
      [NoNodeError, () => client.delete('/none')],
      [NotEmptyError, () => client.delete('/a')],
      [BadVersionError, () => client.setData('/a', 'y', { version: 7 })],
      [NoChildrenForEphemeralsError, () => client.create('/e/child')],
      [
        InvalidAclError,
        () => client.create('/i', null, { acl: [{ perms: 1, id: { scheme: 'none', id: 'x' } }] }),
      ],
      [RequestTooLargeError, () => client.create('/big', new Uint8Array(2 * 1024 * 1024))],
    ];
    for (const [type, refused] of refusals) assert.instance(await failureOf(refused()), type, type.name);
    assert.is(client.state, 'connected');
  },

  'a multi is done as a whole or not at all, and says what was wrong': async (place) => {
    const client = await place.client();
    const results = await client.multi([
      { type: 'create', path: '/m', data: 'x' },
      { type: 'create', path: '/m/n-', mode: 'persistent-sequential' },
      { type: 'create', path: '/m/c', mode: 'container' },
      { type: 'setData', path: '/m', data: 'y', version: 0 },
      { type: 'delete', path: '/m/c' },
      { type: 'check', path: '/m', version: 1 },
    ]);
    assert.equal(
      results.map((result) => ('path' in result ? result.path : result.type)),
      ['/m', '/m/n-0000000000', '/m/c', 'setData', 'delete', 'check'],
    );
    const failure = await failureOf(
      client.multi([
        { type: 'create', path: '/m/never' },
        { type: 'check', path: '/m', version: 0 },
        { type: 'delete', path: '/m/never' },
      ]),
    );
    assert.instance(failure, MultiError);
    assert.is((failure as MultiError).index, 1);
    assert.instance((failure as MultiError).cause, BadVersionError);
    assert.equal((await client.getChildren('/m')).children, ['n-0000000000']);
    assert.equal(await client.multi([]), []);
  },

  'an identity opens what it closed to others, also after a reconnection': async (place) => {
    const participant = place.participant();
    const owner = await participant.client({ auth: [{ scheme: 'digest', auth: 'anna:secret' }] });
    const stranger = await place.client();
    await owner.create('/diary', 'x', { acl: OWNERS_ONLY });
    await stranger.sync('/');
    assert.instance(await failureOf(stranger.getData('/diary')), NoAuthError);
    assert.instance(await failureOf(stranger.create('/diary/page')), NoAuthError);
    participant.loseConnections();
    // A read is sent again on the next connection.
    await owner.exists('/');
    await owner.setData('/diary', 'y');
    await stranger.addAuth('digest', 'anna:secret');
    await stranger.sync('/');
    assert.is(Buffer.from((await stranger.getData('/diary')).data!).toString(), 'y');
    assert.ok(
      (await owner.whoAmI()).some(({ scheme, user }) => scheme === 'digest' && user.startsWith('anna')),
    );
  },

  'an identity that is refused closes the client that cannot do without it': async (place) => {
    const client = place.participant().createClient({ auth: [{ scheme: 'unheard-of', auth: 'x' }] });
    const failure = await failureOf(client.connected().then(() => client.addAuth('unheard-of', 'x')));
    const cause = failure instanceof AuthFailedError ? failure : (failure as { cause?: unknown }).cause;
    assert.instance(cause, AuthFailedError);
    await place.until(() => client.state === 'closed');
  },

  'a watch is told before any answer that shows the change': async (place) => {
    const client = await place.client();
    await client.create('/w', '0');
    for (let round = 1; round <= 50; round++) {
      let isTold = false;
      await client.getData('/w', { watch: () => (isTold = true) });
      void client.setData('/w', `${round}`);
      const { data } = await client.getData('/w');
      assert.is(Buffer.from(data!).toString(), `${round}`);
      assert.is(isTold, true);
    }
  },

  'data and listings of every size come through whole': async (place) => {
    const client = await place.client();
    const reader = await place.client();
    for (const bytes of [0, 1, 1000, 1_000_000]) {
      await client.create(`/data-${bytes}`, new Uint8Array(bytes).fill(7));
      await reader.sync('/');
      const { data } = await reader.getData(`/data-${bytes}`);
      assert.is(data!.length, bytes);
      assert.ok(data!.every((byte) => byte === 7));
    }
    await client.create('/null');
    assert.is((await client.getData('/null')).data, null);
    await client.create('/many');
    const names = Array.from({ length: 2_000 }, (_, index) => `child-${String(index).padStart(5, '0')}`);
    await Promise.all(names.map((name) => client.create(`/many/${name}`)));
    await reader.sync('/');
    assert.equal((await reader.getChildren('/many')).children, names);
    assert.is(await reader.countDescendants('/many'), names.length);
  },

  'own ephemerals are listed, and paths are those below the chroot': async (place) => {
    const client: Client = await place.client();
    await client.create('/p/q/e', null, { mode: 'ephemeral', createParents: true });
    await client.create('/f', null, { mode: 'ephemeral' });
    assert.equal((await client.getEphemerals()).toSorted(), ['/f', '/p/q/e']);
    assert.equal(await client.getEphemerals('/p'), ['/p/q/e']);
    assert.is((await client.create('/s-', null, { mode: 'ephemeral-sequential' })).path, '/s-0000000002');
  },
};
