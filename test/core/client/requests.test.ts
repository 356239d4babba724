import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  BadArgumentsError,
  BadVersionError,
  ClosedError,
  ConnectionLossError,
  InvalidAclError,
  MarshallingError,
  MultiError,
  NoNodeError,
  OutcomeUnknownError,
  RequestQueueFullError,
  RequestTooLargeError,
  SessionExpiredError,
  UnimplementedError,
  type Client,
} from '../../../core/client/index.js';
import { CreateMode, ErrorCode, OpCode } from '../../../core/protocol/index.js';
import { ClientWorld } from './client-world.js';
import type { Incoming } from './scripted-server.js';

const failureOf = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    (value) => assert.unreachable(`it was expected to reject, but gave ${String(value)}`),
    (error: unknown) => error,
  );

/** Makes the server swallow requests of one kind, unanswered, until `release` is called. */
function swallow(
  world: ClientWorld,
  wanted: (request: Incoming) => boolean,
): { readonly release: () => void } {
  let isOn = true;
  for (const server of world.servers) {
    server.respond = (request) => (isOn && wanted(request) ? null : undefined);
  }
  return { release: () => void (isOn = false) };
}

const ops = (requests: readonly Incoming[]): number[] => requests.map(({ op }) => op);

test('what is asked for in one turn leaves in one message, and is answered in order', async () => {
  const world = new ClientWorld();
  const client = await world.connected();
  const order: string[] = [];
  const all = [
    client.create('/a').then(() => order.push('create')),
    client.getData('/a').then(() => order.push('getData')),
    client.exists('/b').then(() => order.push('exists')),
    client.delete('/a').then(() => order.push('delete')),
  ];
  await world.get(Promise.all(all));
  assert.equal(order, ['create', 'getData', 'exists', 'delete']);
  assert.equal(
    world.server.link.batches.map((batch) => batch.length),
    [4],
  );
  await world.close();
});

test('requests made before there is a server wait for it, in order', async () => {
  const world = new ClientWorld();
  const client = world.client();
  const results = Promise.all([client.create('/a', 'x'), client.getData('/a')]);
  const [, read] = await world.get(results);
  assert.is(new TextDecoder().decode(read.data), 'x');
  await world.close();
});

test('a write that was made but had not left when the connection broke waits and takes effect', async () => {
  const world = new ClientWorld();
  const client = await world.connected();
  world.server.link.cut();
  const created = client.create('/a');
  await world.get(created);
  assert.equal(ops(world.server.requests), [OpCode.create2]);
  await world.close();
});

test('a write made while suspended waits for the next connection', async () => {
  const world = new ClientWorld();
  const client = await world.connected();
  world.server.down();
  await world.until(() => client.state === 'suspended');
  const created = client.create('/a');
  await world.clock.advance(1000);
  world.server.up();
  await world.get(created);
  assert.is(client.session.epoch, 1);
  await world.close();
});

test('a write that had left when the connection broke has an unknown outcome and is not repeated', async () => {
  const world = new ClientWorld();
  const client = await world.connected();
  const swallowing = swallow(world, ({ op }) => op === OpCode.setData || op === OpCode.multi);
  const writes = [client.setData('/a', 'x'), client.multi([{ type: 'check', path: '/' }])].map(failureOf);
  await world.clock.settle();
  swallowing.release();
  world.server.link.cut();

  for (const failure of await world.get(Promise.all(writes))) {
    assert.instance(failure, OutcomeUnknownError);
    assert.is((failure as OutcomeUnknownError).retryable, false);
  }
  await world.until(() => client.state === 'connected');
  assert.is(world.server.requests.filter(({ op }) => op === OpCode.setData).length, 1);
  await world.close();
});

test('a read that had left when the connection broke is asked again, behind nothing that came later', async () => {
  const world = new ClientWorld(2);
  world.world.put('/a', new Uint8Array([1]));
  const client = await world.connected();
  const swallowing = swallow(world, ({ op }) => op === OpCode.getData);
  const read = client.getData('/a');
  await world.clock.settle();
  swallowing.release();
  world.servers.forEach((server) => server.down());
  await world.until(() => client.state === 'suspended');
  const later = client.exists('/a');
  world.servers.forEach((server) => server.up());

  assert.equal((await world.get(read)).data, new Uint8Array([1]));
  await world.get(later);
  const sent = world.servers.flatMap(({ requests }) => requests);
  assert.equal(ops(sent), [OpCode.getData, OpCode.getData, OpCode.exists]);
  await world.close();
});

test('a read or a create that breaks every connection is given up, and the client goes on without it', async () => {
  const world = new ClientWorld();
  world.world.put('/locks');
  const client = await world.connected();
  world.server.respond = ({ op }, link) => {
    if (op !== OpCode.getData && op !== OpCode.getChildren) return undefined;
    link.cut();
    return null;
  };
  const read = (await world.failure(client.getData('/big'))) as ConnectionLossError;
  assert.instance(read, ConnectionLossError);
  assert.is(read.path, '/big');

  world.server.respond = ({ op }, link) => {
    if (op !== OpCode.create2 && op !== OpCode.getChildren) return undefined;
    link.cut();
    return null;
  };
  const options = { mode: 'ephemeral-sequential', uniqueName: true } as const;
  const create = await world.failure(client.create('/locks/_c_1-', null, options));
  assert.instance(create, OutcomeUnknownError);
  await world.get(client.exists('/'));
  assert.is(client.session.epoch, 1);
  await world.close();
});

test('an answer that came before the connection broke counts, whatever becomes of the rest', async () => {
  const world = new ClientWorld();
  const client = await world.connected();
  swallow(world, ({ op }) => op === OpCode.setData);
  const created = client.create('/a');
  const changed = failureOf(client.setData('/a', 'x'));
  await world.get(created);
  world.server.link.cut();
  assert.instance(await world.get(changed), OutcomeUnknownError);
  await world.close();
});

for (const mode of ['ephemeral-sequential', 'persistent-sequential', 'ephemeral'] as const) {
  test(`a create (${mode}) of a unique name whose answer is lost is found again, and there is only one`, async () => {
    const world = new ClientWorld(2);
    world.world.put('/locks');
    const client = await world.connected();
    for (const server of world.servers) {
      server.respond = (request, link) => {
        if (request.op !== OpCode.create2) return undefined;
        world.world.answer(request, link.sessionId);
        world.clock.soon(() => link.cut());
        return null;
      };
    }
    const created = client.create('/locks/_c_1-lock-', 'x', { mode, uniqueName: true });
    const behind = client.getChildren('/locks');

    const { path, stat } = await world.get(created);

    assert.is(path, mode === 'ephemeral' ? '/locks/_c_1-lock-' : '/locks/_c_1-lock-0000000000');
    assert.is(stat.czxid, world.world.stat(path).czxid);
    assert.is((await world.get(behind)).children.length, 1);
    assert.is(world.world.children('/locks').length, 1);
    await world.close();
  });
}

test('a create of a unique name that never arrived is sent again, in its place', async () => {
  const world = new ClientWorld(2);
  world.world.put('/locks');
  const client = await world.connected();
  let isFirst = true;
  for (const server of world.servers) {
    server.respond = (request, link) => {
      if (request.op !== OpCode.create2 || !isFirst) return undefined;
      isFirst = false;
      world.clock.soon(() => link.cut());
      return null;
    };
  }
  const first = client.create('/locks/_c_1-', 'x', { mode: 'ephemeral-sequential', uniqueName: true });
  await world.clock.settle();
  const second = client.create('/locks/_c_2-', 'x', { mode: 'ephemeral-sequential', uniqueName: true });

  assert.is((await world.get(first)).path, '/locks/_c_1-0000000000');
  assert.is((await world.get(second)).path, '/locks/_c_2-0000000001');
  await world.close();
});

test('a create in doubt is looked for behind a sync, before anything new is sent', async () => {
  const world = new ClientWorld();
  world.world.put('/locks');
  const client = await world.connected();
  const swallowing = swallow(world, ({ op }) => op === OpCode.create2);
  const created = client.create('/locks/_c_1-', null, { mode: 'ephemeral-sequential', uniqueName: true });
  await world.clock.settle();
  swallowing.release();
  world.server.down();
  await world.until(() => client.state === 'suspended');
  const later = client.exists('/locks');
  world.server.up();
  await world.get(Promise.all([created, later]));
  assert.equal(ops(world.server.link.requests), [
    OpCode.sync,
    OpCode.getChildren,
    OpCode.create2,
    OpCode.exists,
  ]);
  await world.close();
});

test('a connection that breaks while a create is looked for leaves it in doubt for the next one', async () => {
  const world = new ClientWorld();
  world.world.put('/locks');
  const client = await world.connected();
  let cuts = 3;
  world.server.respond = (request, link) => {
    if (request.op === OpCode.create2) world.world.answer(request, link.sessionId);
    if (cuts-- <= 0) return undefined;
    world.clock.soon(() => link.cut());
    return null;
  };
  const created = client.create('/locks/_c_1-', null, { mode: 'ephemeral-sequential', uniqueName: true });
  assert.is((await world.get(created)).path, '/locks/_c_1-0000000000');
  assert.is(world.world.children('/locks').length, 1);
  await world.close();
});

test('a create in doubt whose parent may not be read stays unknown', async () => {
  const world = new ClientWorld();
  world.world.put('/locks');
  const client = await world.connected();
  world.server.respond = (request, link) => {
    if (request.op === OpCode.getChildren) return { err: ErrorCode.noAuth };
    if (request.op !== OpCode.create2) return undefined;
    world.clock.soon(() => link.cut());
    return null;
  };
  const failure = await world.failure(
    client.create('/locks/_c_1-', null, { mode: 'ephemeral-sequential', uniqueName: true }),
  );
  assert.instance(failure, OutcomeUnknownError);
  await world.close();
});

test('with the session, a create in doubt is expired if its znode went with it, else unknown', async () => {
  const world = new ClientWorld();
  const client = await world.connected();
  swallow(world, ({ op }) => op === OpCode.create2);
  const failures = [
    client.create('/a-', null, { mode: 'ephemeral-sequential', uniqueName: true }),
    client.create('/b-', null, { mode: 'persistent-sequential', uniqueName: true }),
  ].map(failureOf);
  await world.clock.settle();
  world.world.end(client.session.id);
  world.server.link.cut();
  const [ephemeral, persistent] = await world.get(Promise.all(failures));
  assert.instance(ephemeral, SessionExpiredError);
  assert.instance(persistent, OutcomeUnknownError);
  await world.close();
});

test('with the session everything that waits is rejected, and what comes after waits for the next', async () => {
  const world = new ClientWorld();
  const client = await world.connected();
  world.server.down();
  await world.until(() => client.state === 'suspended');
  const waiting = [client.create('/a'), client.exists('/a'), client.sync('/')].map(failureOf);
  await world.until(() => client.state === 'lost');
  const next = client.create('/b');
  world.server.up();

  for (const failure of await world.get(Promise.all(waiting))) {
    assert.instance(failure, SessionExpiredError);
    assert.is((failure as SessionExpiredError).retryable, true);
  }
  await world.get(next);
  assert.equal(world.world.children('/'), ['b']);
  await world.close();
});

test('a request meant for one session never runs in another', async () => {
  const world = new ClientWorld();
  const client = await world.connected();
  const { epoch } = client.session;
  await world.get(client.create('/a', null, { session: epoch }));
  world.world.end(client.session.id);
  world.server.link.cut();
  await world.until(() => client.session.epoch === 2);

  for (const session of [epoch, 3]) {
    const failure = await world.failure(client.create('/b', null, { session }));
    assert.instance(failure, SessionExpiredError);
    assert.is((failure as SessionExpiredError).retryable, false);
  }
  assert.is(world.world.znodes.has('/b'), false);
  await world.close();
});

test('in the moment of the loss, nothing of the old session can be asked for any more', async () => {
  const world = new ClientWorld();
  const client = await world.connected();
  const { epoch, signal } = client.session;
  let attempt: Promise<unknown> | null = null;
  signal.addEventListener('abort', () => {
    attempt = failureOf(client.create('/a', null, { session: epoch }));
  });
  world.server.down();
  await world.until(() => signal.aborted);
  assert.instance(await world.get(attempt!), SessionExpiredError);
  await world.close();
});

test('waiting for an answer can be given up at every stage, and later answers still fit', async () => {
  const world = new ClientWorld();
  const why = new Error('enough');

  const early = world.client();
  const beforeConnect = new AbortController();
  const first = failureOf(early.create('/a', null, { signal: beforeConnect.signal }));
  beforeConnect.abort(why);
  assert.is(await world.get(first), why);
  await world.until(() => early.state === 'connected');
  assert.is(world.world.znodes.has('/a'), false);

  const swallowing = swallow(world, () => true);
  const inFlight = new AbortController();
  const second = failureOf(early.getData('/', { signal: inFlight.signal }));
  const behind = early.exists('/');
  await world.clock.settle();
  inFlight.abort(why);
  assert.is(await world.get(second), why);
  swallowing.release();
  for (const request of world.server.requests) {
    world.server.link.answer(request, world.world.answer(request, 0n));
  }
  assert.is((await world.get(behind))!.numChildren, 0);
  assert.is(world.server.links.length, 1);

  assert.is(await failureOf(early.exists('/', { signal: AbortSignal.abort(why) })), why);
  await world.close();
});

test('giving up a request that had not left makes room for others', async () => {
  const world = new ClientWorld();
  world.server.down();
  const client = world.client({ maxPendingRequests: 1000 });
  for (let round = 0; round < 5; round++) {
    const stop = new AbortController();
    const waiting = Array.from({ length: 1000 }, () =>
      failureOf(client.exists('/', { signal: stop.signal })),
    );
    assert.instance(await failureOf(client.exists('/')), RequestQueueFullError);
    stop.abort(new Error('enough'));
    await world.get(Promise.all(waiting));
  }
  world.server.up();
  await world.get(client.exists('/'));
  assert.is(world.server.requests.length, 1);
  await world.close();
});

test('more than the client may hold, in number or in bytes, is refused with a typed error', async () => {
  const world = new ClientWorld();
  world.server.down();
  const client = world.client({ maxPendingRequests: 3, maxPendingBytes: 10_000 });
  const held = [client.create('/a', new Uint8Array(9000))];
  const byBytes = await failureOf(client.create('/b', new Uint8Array(9000)));
  held.push(client.create('/c'), client.create('/d'));
  const byNumber = await failureOf(client.create('/e'));
  for (const failure of [byBytes, byNumber]) {
    assert.instance(failure, RequestQueueFullError);
    assert.is((failure as RequestQueueFullError).retryable, true);
  }
  world.server.up();
  await world.get(Promise.all(held));
  swallow(world, ({ op }) => op === OpCode.exists);
  const small = failureOf(client.exists('/'));
  assert.equal(world.world.children('/'), ['a', 'c', 'd']);
  const fits = failureOf(client.create('/f', new Uint8Array(9000)));
  await world.close();
  assert.instance(await small, ClosedError);
  assert.not.instance(await fits, RequestQueueFullError);
});

test('many requests are pipelined, but no more than a server reads ahead', async () => {
  const world = new ClientWorld();
  const client = await world.connected();
  const swallowing = swallow(world, () => true);
  const reads = Array.from({ length: 2500 }, () => client.exists('/'));
  await world.clock.settle();
  const ahead = [...world.server.requests];
  assert.is(ahead.length, 1000);
  swallowing.release();
  for (const request of ahead) world.server.link.answer(request, world.world.answer(request, 0n));
  await world.get(Promise.all(reads));
  await world.close();
});

test('what had left and what had not keep their order over a reconnection', async () => {
  const world = new ClientWorld();
  const client = await world.connected();
  const swallowing = swallow(world, () => true);
  const paths = Array.from({ length: 1500 }, (_, index) => `/${index}`);
  const reads = paths.map((path) => client.exists(path));
  await world.clock.settle();
  assert.is(world.server.requests.length, 1000);
  swallowing.release();
  world.server.link.cut();
  await world.get(Promise.all(reads));
  const again = world.server.link.requests.map(({ body }) => (body as { readonly path: string }).path);
  assert.equal(again, paths);
  await world.close();
});

test('a request larger than servers accept is refused here, and the connection stays', async () => {
  const world = new ClientWorld();
  const client = await world.connected();
  const failure = await world.failure(client.create('/a', new Uint8Array(1_048_576)));
  assert.instance(failure, RequestTooLargeError);
  await world.get(client.create('/b', new Uint8Array(1_000_000)));
  assert.is(world.server.links.length, 1);
  await world.close();
});

test('an answer out of turn ends that connection, and reads are asked again on the next', async () => {
  const world = new ClientWorld();
  world.world.put('/a');
  const client = await world.connected();
  let isFirst = true;
  world.server.respond = (request, link) => {
    if (!isFirst) return undefined;
    isFirst = false;
    link.answer({ ...request, xid: request.xid + 7 }, world.world.answer(request, 0n));
    return null;
  };
  await world.get(client.getData('/a'));
  assert.is(world.server.links.length, 2);
  assert.is(world.server.links[0]!.closeCode, 1002);
  await world.close();
});

test('an answer that cannot be decoded rejects its request, ends that connection, and nothing else', async () => {
  const world = new ClientWorld();
  world.world.put('/a');
  const client = await world.connected();
  world.server.respond = (request) => {
    const isOdd = request.op === OpCode.getData || request.op === OpCode.setData;
    return isOdd ? { reply: { op: OpCode.closeSession, body: {} } } : undefined;
  };
  const read = await world.failure(client.getData('/a'));
  const write = await world.failure(client.setData('/a', 'x'));
  assert.instance(read, MarshallingError);
  assert.instance(write, OutcomeUnknownError);
  await world.get(client.exists('/a'));
  assert.is(world.server.links.length, 3);
  await world.close();
});

for (const [what, bytes] of [
  ['nothing at all', []],
  ['a length without a packet', [0, 0, 0, 9]],
  ['a negative length', [255, 255, 255, 255, 0, 0, 0, 0]],
  ['a packet too short for a header', [0, 0, 0, 8, 0, 0, 0, 1, 0, 0, 0, 0]],
  ['an answer to nothing', [0, 0, 0, 16, 0, 0, 0, 99, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]],
] as const) {
  test(`${what} from a server harms neither the process nor the session`, async () => {
    const world = new ClientWorld();
    const client = await world.connected();
    world.server.link.sendRaw(Uint8Array.from(bytes));
    await world.clock.settle();
    await world.get(client.exists('/'));
    assert.is(client.session.epoch, 1);
    await world.close();
  });
}

test('bytes given as data are sent as they are, strings as UTF-8, null as null', async () => {
  const world = new ClientWorld();
  const client = await world.connected();
  await world.get(client.create('/bytes', new Uint8Array([0, 255])));
  await world.get(client.create('/text', 'grüß'));
  await world.get(client.create('/null'));
  const read = async (path: string): Promise<Uint8Array | null> =>
    (await world.get(client.getData(path))).data;
  assert.equal(await read('/bytes'), new Uint8Array([0, 255]));
  assert.equal(await read('/text'), new TextEncoder().encode('grüß'));
  assert.is(await read('/null'), null);
  assert.is((await read('/bytes'))!.constructor, Uint8Array);
  await world.close();
});

test('every mode of creation has its own operation and flag', async () => {
  const world = new ClientWorld();
  const client = await world.connected();
  const modes = [
    ['persistent', OpCode.create2, CreateMode.persistent],
    ['ephemeral', OpCode.create2, CreateMode.ephemeral],
    ['persistent-sequential', OpCode.create2, CreateMode.persistentSequential],
    ['ephemeral-sequential', OpCode.create2, CreateMode.ephemeralSequential],
    ['container', OpCode.createContainer, CreateMode.container],
    ['persistent-ttl', OpCode.createTtl, CreateMode.persistentWithTtl],
    ['persistent-sequential-ttl', OpCode.createTtl, CreateMode.persistentSequentialWithTtl],
  ] as const;
  for (const [mode, op, flags] of modes) {
    const ttl = mode.endsWith('ttl') ? { ttlMs: 5000 } : {};
    await world.get(client.create(`/${mode}`, null, { mode, ...ttl }));
    const sent = world.server.requests.at(-1) as Extract<Incoming, { op: typeof OpCode.createTtl }>;
    assert.is(sent.op, op);
    assert.is(sent.body.flags, flags);
    assert.is(sent.body.ttlMs, mode.endsWith('ttl') ? 5000 : 0);
  }
  await world.close();
});

test('missing parents are created as containers, those that are there are left alone', async () => {
  const world = new ClientWorld();
  world.world.put('/there');
  const client = await world.connected();
  const { path } = await world.get(
    client.create('/there/a/b/c-', 'x', { mode: 'ephemeral-sequential', createParents: true }),
  );
  assert.is(path, '/there/a/b/c-0000000000');
  const containers = world.server.requests
    .filter(({ op }) => op === OpCode.createContainer)
    .map(({ body }) => (body as { readonly path: string }).path);
  assert.equal(new Set(containers), new Set(['/there/a/b', '/there/a']));
  await world.close();
});

test('a call that can only be a mistake is refused before anything is sent', async () => {
  const world = new ClientWorld();
  const client = await world.connected();
  const mistakes: (() => Promise<unknown>)[] = [
    () => client.create('a'),
    () => client.create('/a', null, { mode: 'permanent' as 'persistent' }),
    () => client.create('/a', null, { mode: 'persistent-ttl' }),
    () => client.create('/a', null, { ttlMs: 5 }),
    () => client.delete('/a/'),
    () => client.delete('/a', { version: 1.5 }),
    () => client.setData('/a', 'x', { version: 2 ** 31 }),
    () => client.getData('//'),
    () => client.multi([{ type: 'delete', path: 'x' }]),
    () => client.multi([{ type: 'move', path: '/x' } as never]),
  ];
  for (const mistake of mistakes) assert.instance(await failureOf(mistake()), BadArgumentsError);
  assert.instance(await failureOf(client.setAcl('/a', [])), InvalidAclError);
  assert.is(world.server.requests.length, 0);
  await world.close();
});

test('a multi gives the result of each operation', async () => {
  const world = new ClientWorld();
  const client = await world.connected();
  const results = await world.get(
    client.multi([
      { type: 'create', path: '/a', data: 'x' },
      { type: 'create', path: '/a/b-', mode: 'persistent-sequential' },
      { type: 'setData', path: '/a', data: 'y', version: 0 },
      { type: 'delete', path: '/a/b-0000000000' },
    ]),
  );
  assert.equal(
    results.map((result) => (result.type === 'create' ? result.path : result.type)),
    ['/a', '/a/b-0000000000', 'setData', 'delete'],
  );
  await world.close();
});

test('a create inside a multi may be answered with its path alone', async () => {
  const world = new ClientWorld();
  const client = await world.connected();
  // As Apache ZooKeeper answers all but containers and TTL.
  world.server.respond = ({ op }) =>
    op === OpCode.multi
      ? {
          reply: {
            op,
            body: { results: [{ reply: { op: OpCode.create, body: { path: '/a-0000000007' } } }] },
          },
        }
      : undefined;
  const results = await world.get(
    client.multi([{ type: 'create', path: '/a-', mode: 'persistent-sequential' }]),
  );
  assert.equal(results, [{ type: 'create', path: '/a-0000000007', stat: null }]);
  await world.close();
});

test('an operation that the server does not know, or has switched off, fails with what it would take', async () => {
  const world = new ClientWorld();
  const client = await world.connected();
  world.server.respond = () => ({ err: ErrorCode.unimplemented });
  const ttl = await world.failure(client.create('/t', null, { mode: 'persistent-ttl', ttlMs: 1000 }));
  assert.instance(ttl, UnimplementedError);
  assert.match((ttl as Error).message, /create \/t failed, .*extendedTypesEnabled=true on every server/);
  assert.match(((await world.failure(client.whoAmI())) as Error).message, /ZooKeeper 3\.7 or newer/);
  await world.close();
});

test('a multi that fails says which operation did, and with what', async () => {
  const world = new ClientWorld();
  const client = await world.connected();
  world.server.respond = ({ op }) =>
    op === OpCode.multi
      ? {
          reply: {
            op,
            body: {
              results: [
                { error: ErrorCode.ok },
                { error: ErrorCode.badVersion },
                { error: ErrorCode.runtimeInconsistency },
              ],
            },
          },
        }
      : undefined;
  const failure = (await world.failure(
    client.multi([
      { type: 'create', path: '/a' },
      { type: 'check', path: '/v', version: 3 },
      { type: 'delete', path: '/c' },
    ]),
  )) as MultiError;
  assert.instance(failure, MultiError);
  assert.is(failure.index, 1);
  assert.instance(failure.cause, BadVersionError);
  assert.is(failure.cause.path, '/v');
  await world.close();
});

test('closing ends the session at the server, behind what was asked before, and answers everything', async () => {
  const world = new ClientWorld();
  const client = await world.connected();
  const { id, signal } = client.session;
  const created = client.create('/a', null, { mode: 'ephemeral' });
  const closing = client.close();
  assert.is(client.state, 'closed');
  assert.is(signal.aborted, true);
  assert.instance(await failureOf(client.exists('/')), ClosedError);
  assert.is((await world.get(created)).path, '/a');
  await world.get(closing);
  await world.get(client.close());
  assert.equal(ops(world.server.requests), [OpCode.create2, OpCode.closeSession]);
  assert.is(world.world.sessions.has(id), false);
  assert.is(world.world.znodes.has('/a'), false);
  assert.is(world.clock.pendingTimers, 0);
});

test('a server that does not confirm cannot hold up closing, and what it owes is settled', async () => {
  const world = new ClientWorld();
  const client = await world.connected();
  swallow(world, () => true);
  const write = failureOf(client.create('/a'));
  const read = failureOf(client.exists('/a'));
  await world.get(client.close(), 2500);
  assert.instance(await write, OutcomeUnknownError);
  assert.instance(await read, ClosedError);
  await world.clock.settle();
  assert.is(world.clock.pendingTimers, 0);
  assert.is(world.server.link.isClosed, true);
});

test('closing without a connection is immediate, in every state', async () => {
  for (const state of ['connecting', 'suspended', 'lost'] as const) {
    const world = new ClientWorld();
    if (state === 'connecting') world.server.down();
    const client = world.client();
    if (state !== 'connecting') {
      await world.get(client.connected());
      world.server.down();
    }
    await world.until(() => client.state === state);
    const waiting = failureOf(client.create('/a'));
    await client.close();
    assert.instance(await waiting, ClosedError);
    await world.clock.settle();
    assert.is(world.clock.pendingTimers, 0);
    assert.is(client.session.signal.aborted, true);
  }
});

test('await using closes the client at the end of its scope', async () => {
  const world = new ClientWorld();
  let kept: Client | null = null;
  const scope = (async () => {
    await using client = world.client();
    kept = client;
    await client.connected();
  })();
  await world.get(scope);
  assert.is(kept!.state, 'closed');
  assert.is(world.world.sessions.size, 0);
});

test('an error names the operation and the path as the caller gave it', async () => {
  const world = new ClientWorld();
  world.world.put('/app');
  const client = await world.connected({ chroot: '/app' });
  const failure = (await world.failure(client.getData('/missing'))) as NoNodeError;
  assert.instance(failure, NoNodeError);
  assert.is(failure.path, '/missing');
  assert.match(failure.message, 'getData /missing');
  await world.close();
});

test('below a chroot every path is short for the caller and whole for the server', async () => {
  const world = new ClientWorld();
  world.world.put('/app');
  const client = await world.connected({ chroot: '/app' });
  const { path } = await world.get(client.create('/a-', null, { mode: 'ephemeral-sequential' }));
  assert.is(path, '/a-0000000000');
  assert.ok(world.world.znodes.has('/app/a-0000000000'));
  world.world.put('/application', null, client.session.id);
  assert.equal(await world.get(client.getEphemerals()), ['/a-0000000000']);
  assert.equal((await world.get(client.getChildren('/'))).children, ['a-0000000000']);
  const results = await world.get(client.multi([{ type: 'create', path: '/b' }]));
  assert.is(results[0]!.type === 'create' && results[0]!.path, '/b');
  await world.close();
});

test('a chroot that is not there is created along with missing parents', async () => {
  const world = new ClientWorld();
  const client = await world.connected({ chroot: '/app/one' });
  await world.get(client.create('/a/b', null, { createParents: true }));
  assert.ok(world.world.znodes.has('/app/one/a/b'));
  await world.close();
});

test.run();
