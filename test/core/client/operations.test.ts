import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  BadArgumentsError,
  BadVersionError,
  InvalidAclError,
  MultiError,
  NoNodeError,
  UnimplementedError,
} from '../../../core/client/index.js';
import { CreateMode, ErrorCode, OpCode } from '../../../core/protocol/index.js';
import { ClientWorld, recordingLogger } from './client-world.js';
import type { Incoming } from './scripted-server.js';
import { failureOf } from './request-scenes.js';

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

test('a chroot that does not exist is named once in the log, and one that exists is not', async () => {
  for (const [chroot, expected] of [
    ['/app', []],
    ['/misspelt', ['warn: The chroot of the connect string does not exist']],
  ] as const) {
    const world = new ClientWorld();
    world.world.put('/app');
    const lines: string[] = [];
    const client = await world.connected({ chroot, logger: recordingLogger(lines) });
    assert.is(await world.get(client.exists('/a')), null);
    assert.equal(
      lines.filter((line) => line.startsWith('warn:')),
      expected,
    );
    await world.close();
  }
});

test('a chroot that is not there is created along with missing parents', async () => {
  const world = new ClientWorld();
  const client = await world.connected({ chroot: '/app/one' });
  await world.get(client.create('/a/b', null, { createParents: true }));
  assert.ok(world.world.znodes.has('/app/one/a/b'));
  await world.close();
});

test.run();
