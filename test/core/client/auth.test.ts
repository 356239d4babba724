import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { AuthFailedError, ClosedError, connect } from '../../../core/client/index.js';
import { ErrorCode, OpCode } from '../../../core/protocol/index.js';
import { ClientWorld } from './client-world.js';
import type { Incoming } from './scripted-server.js';

type Auth = Extract<Incoming, { op: typeof OpCode.auth }>;

function claimed(requests: readonly Incoming[]): string[] {
  return requests
    .filter((request): request is Auth => request.op === OpCode.auth)
    .map(({ body }) => `${body.scheme} ${new TextDecoder().decode(body.auth)}`);
}

/** Refuses one identity the way servers do: an answer, then the end of the connection. */
function refuse(world: ClientWorld, credentials: string): void {
  world.server.respond = (request, link) => {
    if (!claimed([request]).includes(`digest ${credentials}`)) return undefined;
    world.clock.soon(() => link.end());
    return { err: ErrorCode.authFailed };
  };
}

test('identities are claimed on every connection, before watches and requests', async () => {
  const world = new ClientWorld();
  const client = await world.connected({ auth: [{ scheme: 'digest', auth: 'a:1' }] });
  await world.get(client.addAuth('digest', new TextEncoder().encode('b:2')));
  await world.get(client.exists('/x', { watch: () => undefined }));
  world.server.link.cut();
  await world.until(() => world.server.links.length === 2);
  await world.get(client.exists('/x'));

  assert.equal(claimed(world.server.links[0]!.requests), ['digest a:1', 'digest b:2']);
  assert.equal(claimed(world.server.links[1]!.requests), ['digest a:1', 'digest b:2']);
  assert.equal(
    world.server.links[1]!.requests.map(({ op }) => op),
    [OpCode.auth, OpCode.auth, OpCode.setWatches, OpCode.exists],
  );
  await world.close();
});

test('what is asked after an identity was added is asked with it', async () => {
  const world = new ClientWorld();
  const client = await world.connected();
  await world.get(Promise.all([client.addAuth('digest', 'a:1'), client.exists('/')]));
  assert.equal(
    world.server.requests.map(({ op }) => op),
    [OpCode.auth, OpCode.exists],
  );
  await world.close();
});

test('an identity added without a connection is claimed on the next', async () => {
  const world = new ClientWorld();
  world.server.down();
  const client = world.client();
  const adding = client.addAuth('digest', 'a:1');
  world.server.up();
  await world.get(adding);
  await world.close();
});

test('an identity whose answer was lost is claimed again before it counts as added', async () => {
  const world = new ClientWorld();
  const client = await world.connected();
  let isFirst = true;
  world.server.respond = ({ op }, link) => {
    if (op !== OpCode.auth || !isFirst) return undefined;
    isFirst = false;
    world.clock.soon(() => link.cut());
    return null;
  };
  await world.get(client.addAuth('digest', 'a:1'));
  assert.is(world.server.links.length, 2);
  await world.close();
});

test('an added identity that is refused is forgotten, and the session goes on without it', async () => {
  const world = new ClientWorld();
  const client = await world.connected();
  refuse(world, 'a:wrong');
  const failure = await world.failure(client.addAuth('digest', 'a:wrong'));
  assert.instance(failure, AuthFailedError);
  await world.get(client.exists('/'));
  assert.is(client.session.epoch, 1);
  assert.equal(claimed(world.server.link.requests), []);
  await world.close();
});

test('an identity that the client stood for and that is refused later closes the client', async () => {
  const world = new ClientWorld();
  const client = await world.connected();
  await world.get(client.addAuth('digest', 'a:1'));
  refuse(world, 'a:1');
  world.server.link.cut();
  await world.until(() => client.state === 'closed');
  const failure = (await world.failure(client.exists('/'))) as ClosedError;
  assert.instance(failure, ClosedError);
  assert.instance(failure.cause, AuthFailedError);
  assert.is(client.session.signal.aborted, true);
});

test('connect rejects with the refusal of an identity given to it', async () => {
  const world = new ClientWorld();
  refuse(world, 'a:wrong');
  const connecting = connect('memory://a:1', {
    clock: world.clock,
    dialer: world.network,
    auth: [{ scheme: 'digest', auth: 'a:wrong' }],
  });
  assert.instance(await world.failure(connecting), AuthFailedError);
  assert.is(world.clock.pendingTimers, 0);
});

test('waiting for an identity ends with its signal, and with the client', async () => {
  const world = new ClientWorld();
  world.server.down();
  const client = world.client();
  const stop = new AbortController();
  const aborted = client.addAuth('digest', 'a:1', { signal: stop.signal }).catch((error: unknown) => error);
  const closed = client.addAuth('digest', 'b:1').catch((error: unknown) => error);
  stop.abort(new Error('enough'));
  assert.match(((await world.get(aborted)) as Error).message, 'enough');
  await world.close();
  assert.instance(await world.get(closed), ClosedError);
  assert.instance(await world.failure(client.addAuth('digest', 'c:1')), ClosedError);
});

test.run();
