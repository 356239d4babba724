import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { createClient } from '../../../../core/client/index.js';
import { serve, type MemberHealth, type Served, type ServeOptions } from '../../../../core/server/index.js';
import { NodeDisk } from '../../../../core/storage/index.js';
import { WebSocketDialer } from '../../../../core/transport/index.js';
import { writeFoundedDirectory } from '../founded-directory.js';
import { LogBook } from '../world.js';

let data = '';
test.before.each(async () => {
  data = await mkdtemp(join(tmpdir(), 'quorate-'));
});
test.after.each(() => rm(data, { recursive: true, force: true }));

const secret = 'only the members know this';

/** Ports that are free now. */
async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer();
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      return server;
    }),
  );
  const ports = servers.map((server) => (server.address() as { port: number }).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

async function threeMembers(): Promise<{
  readonly ports: readonly number[];
  readonly url: string;
  start(id: number, options?: Partial<ServeOptions>): Promise<Served>;
}> {
  const ports = await freePorts(3);
  const ensemble = ports.map((port, index) => `${index + 1}=127.0.0.1:${port}`).join(',');
  return {
    ports,
    url: ports.map((port) => `ws://127.0.0.1:${port}`).join(','),
    start: async (id, options = {}) => {
      const directory = join(data, `${id}`);
      // Not every test starts all members, as a new ensemble needs.
      if (!existsSync(directory)) await writeFoundedDirectory(await NodeDisk.open(directory));
      return serve({ id, ensemble, secret, data: directory, ...options });
    },
  };
}

interface Readiness {
  readonly status: number;
  readonly health: MemberHealth & { readonly ready: boolean; readonly reason: string | null };
}

async function readyz(port: number): Promise<Readiness> {
  const response = await fetch(`http://127.0.0.1:${port}/readyz`);
  return { status: response.status, health: (await response.json()) as Readiness['health'] };
}

test('three members over WebSocket serve one tree, tell how they are, and hand over when one stops', async () => {
  const town = await threeMembers();
  const members = await Promise.all([1, 2, 3].map((id) => town.start(id)));
  await Promise.all(members.map((member) => member.serving()));
  const client = createClient(town.url, { sessionTimeoutMs: 5_000 });
  await client.create('/a', 'x');

  const told = await Promise.all(town.ports.map(readyz));
  assert.equal(
    told.map(({ status }) => status),
    [200, 200, 200],
  );
  const leader = told.find(({ health }) => health.state === 'leading')!.health;
  assert.equal(
    told.map(({ health }) => [health.leader, health.epoch, health.phase]),
    told.map(() => [leader.id, leader.epoch, 'broadcast']),
  );
  assert.equal(
    leader.learners.map(({ isUpToDate, isVoter }) => [isUpToDate, isVoter]),
    [
      [true, true],
      [true, true],
    ],
  );
  assert.is(leader.peers.length, 2);

  await members[leader.id - 1]!.close();
  await client.setData('/a', 'y');
  const { id } = client.session;
  await client.sync('/a');
  assert.is(Buffer.from((await client.getData('/a')).data!).toString(), 'y');
  assert.is(client.session.id, id);
  const others = await Promise.all(town.ports.filter((_, index) => index !== leader.id - 1).map(readyz));
  assert.is(new Set(others.map(({ health }) => health.digest)).size, 1);

  await client.close();
  await Promise.all(members.map((member) => member.close()));
});

test('a member without a quorum is alive but not ready, and says so', async () => {
  const town = await threeMembers();
  await using alone = await town.start(1);
  const { status, health } = await readyz(town.ports[0]!);
  assert.is(status, 503);
  assert.equal([health.state, health.isServing, health.leader], ['looking', false, null]);
  assert.is(health.ready, false);
  assert.match(health.reason!, /^looking: /);
  assert.is((await fetch(`http://127.0.0.1:${town.ports[0]}/livez`)).status, 200);

  await using second = await town.start(2);
  await Promise.all([alone.serving(), second.serving()]);
  assert.is((await readyz(town.ports[0]!)).status, 200);
});

test('a member with another secret stays outside, and the log of both says why', async () => {
  const town = await threeMembers();
  const [log, strangersLog] = [new LogBook(), new LogBook()];
  await using first = await town.start(1, { logger: log });
  await using second = await town.start(2);
  await using stranger = await town.start(3, { secret: 'something else altogether', logger: strangersLog });
  await Promise.all([first.serving(), second.serving()]);
  while (!log.has(/Peer link refused/) || !strangersLog.has(/Peer link refused/)) {
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  assert.equal(stranger.health().isServing, false);
  const problem = strangersLog.lines.find(({ message }) => message === 'Peer link refused')!.fields.problem;
  assert.match(String(problem), /has another secret/);
});

test('a member that stands alone takes no links of others', async () => {
  await using served = await serve({ data, port: 0 });
  const dialer = new WebSocketDialer({ path: '/peer', subprotocol: 'quorate.peer.v1' });
  const refusal = await dialer
    .dial(served.address, { signal: new AbortController().signal })
    .catch((error: { readonly code: string }) => error.code);
  assert.is(refusal, 'CONNECT_FAILED');
});

test.run();
