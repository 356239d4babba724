import { createServer, type AddressInfo } from 'node:net';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ErrorCode, OpCode } from '../../../core/protocol/index.js';
import type { RawClient } from '../../core/server/raw-client.js';
import { serveOverTcp, until, type ServedOverTcp } from './served.js';
import { ask, dial, open } from './tcp-client.js';

async function freePorts(count: number): Promise<readonly number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'));
  await Promise.all(servers.map((server) => new Promise((resolve) => server.once('listening', resolve))));
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

/** Three members in this process, each with a port for ZooKeeper's clients. */
class Three implements AsyncDisposable {
  readonly served: ServedOverTcp[] = [];

  static async start(): Promise<Three> {
    const three = new Three();
    const ports = await freePorts(3);
    const ensemble = ports.map((port, index) => ({ id: index + 1, address: `ws://127.0.0.1:${port}` }));
    const secret = 'a secret of the whole ensemble';
    for (const { id } of ensemble)
      three.served.push(await serveOverTcp({ id, port: ports[id - 1]!, ensemble, secret }));
    await Promise.all(three.served.map(({ member }) => member.serving()));
    return three;
  }

  get leader(): ServedOverTcp {
    return this.served.find(({ member }) => member.health().state === 'leading')!;
  }

  get followers(): [ServedOverTcp, ServedOverTcp] {
    return this.served.filter((one) => one !== this.leader) as [ServedOverTcp, ServedOverTcp];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const served of this.served) await served[Symbol.asyncDispose]();
  }
}

test('what is written at one member is read at the others after a sync, and their modes are told', async () => {
  await using three = await Three.start();
  const [one, other] = three.followers;
  const writer = await open(one.port);
  const reader = await open(other.port);

  await writer.create('/shared', 'x');
  await reader.send(OpCode.sync, { path: '/' });

  assert.is(Buffer.from((await reader.getData('/shared')).body!.data!).toString(), 'x');
  assert.match(
    await ask(three.leader.port, 'srvr'),
    /^Mode: leader\nNode count: 5\nProposal sizes last\/min\/max: \d+\/\d+\/\d+$/m,
  );
  assert.match(await ask(one.port, 'srvr'), /^Mode: follower\nNode count: 5\n$/m);
  const mntr = await ask(three.leader.port, 'mntr');
  for (const line of [
    'server_state\tleader',
    'peer_state\tleading - broadcast',
    'learners\t2',
    'synced_followers\t2',
  ])
    assert.ok(mntr.includes(`zk_${line}\n`), line);
  assert.match(
    await ask(one.port, 'conf'),
    /\npeerType=0\nmembership: \nserver\.1=127\.0\.0\.1:\d+:\d+:participant\n/,
  );
});

test('every member publishes the ensemble as ZooKeeper does, without addresses for clients, and nobody reconfigures it', async () => {
  await using three = await Three.start();

  const texts = new Set<string>();
  for (const { port } of three.served) {
    const client = await open(port);
    const { body } = await client.getData('/zookeeper/config', true);
    texts.add(Buffer.from(body!.data!).toString());
    assert.equal([body!.stat.version, body!.stat.mzxid], [-1, 0n]);
    const nothing = { joiningServers: '', leavingServers: '1', newMembers: '', curConfigId: -1n };
    assert.is((await client.send(OpCode.reconfig, nothing)).err, ErrorCode.reconfigDisabled);
  }

  assert.is(texts.size, 1);
  assert.match([...texts][0]!, /^(?:server\.[123]=127\.0\.0\.1:\d+:\d+:participant\n){3}version=0$/);
});

test('a session moves to another member while its old connection is open, which is closed; its watches can be taken up', async () => {
  await using three = await Three.start();
  const [one, other] = three.followers;
  const before = await open(one.port);
  await before.create('/mine', null, 1);
  const { client, tcp } = await dial(other.port);

  const response = await client.resume(before);
  await before.closed;

  assert.is(response.sessionId, before.response!.sessionId);
  assert.is((await client.setData('/mine', 'x')).err, 0);
  tcp.terminate();
});

test('a member that loses its leader closes its clients, and they find their sessions again at the next', async () => {
  await using three = await Three.start();
  const { leader } = three;
  const [one] = three.followers;
  const clients: RawClient[] = [await open(one.port), await open(leader.port)];
  for (const [index, client] of clients.entries()) await client.create(`/e${index}`, null, 1);

  three.served.splice(three.served.indexOf(leader), 1);
  await leader[Symbol.asyncDispose]();
  await until('another one leads', () =>
    three.served.some(({ member }) => member.health().state === 'leading'),
  );

  for (const [index, client] of clients.entries()) {
    let again: RawClient | null = null;
    while (again === null) {
      const { client: next } = await dial(one.port);
      const timeoutMs = await next.resume(client).then(
        (response) => response.timeoutMs,
        () => null,
      );
      if (timeoutMs === 10_000) again = next;
      else assert.is(timeoutMs, null, 'nobody is told that the session is over');
    }
    assert.is((await again.exists(`/e${index}`)).err, 0);
    again.connection.terminate();
  }
});

test.run();
