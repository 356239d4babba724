import { mkdtempSync, rmSync } from 'node:fs';
import { execFile } from 'node:child_process';
import { createServer, connect as connectSocket, type AddressInfo, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  connect,
  ConnectTimeoutError,
  type Client,
  type ConnectionState,
} from '../../../core/client/index.js';
import { serve, type Served } from '../../../core/server/index.js';

const scratch = mkdtempSync(join(tmpdir(), 'quorate-client-'));
test.after(() => rmSync(scratch, { recursive: true, force: true }));
let directories = 0;

const freshDirectory = (): string => join(scratch, String(directories++));
const start = (data: string, port = 0): Promise<Served> => serve({ data, port, tickMs: 100 });

/** Resolves when the client enters `wanted`, or is in it. */
function state(client: Client, wanted: ConnectionState): Promise<void> {
  return new Promise((resolve) => {
    if (client.state === wanted) return resolve();
    const stop = client.onState((entered) => {
      if (entered !== wanted) return;
      stop();
      resolve();
    });
  });
}

/** A wire to a member that can be cut, and that can swallow everything without a word. */
class Wire {
  readonly #sockets = new Set<Socket>();
  readonly #server;
  isBlackHole = false;

  constructor(port: number) {
    this.#server = createServer((near) => {
      const far = connectSocket(port, '127.0.0.1');
      for (const [from, to] of [
        [near, far],
        [far, near],
      ] as const) {
        this.#sockets.add(from);
        from.on('data', (bytes) => {
          if (!this.isBlackHole) to.write(bytes);
        });
        from.on('close', () => to.destroy());
        from.on('error', () => to.destroy());
      }
    });
  }

  async open(): Promise<number> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return (this.#server.address() as AddressInfo).port;
  }

  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
    this.#sockets.clear();
  }

  close(): void {
    this.cut();
    this.#server.close();
  }
}

test('a client and a member do their work over a real socket', async () => {
  await using member = await start(freshDirectory());
  await using client = await connect(member.address);
  const megabyte = new Uint8Array(1_000_000).map((_, index) => index % 251);
  await client.create('/big', megabyte);
  assert.equal((await client.getData('/big')).data, megabyte);
  const made = await Promise.all(
    Array.from({ length: 3000 }, () => client.create('/n-', 'x', { mode: 'persistent-sequential' })),
  );
  assert.equal(
    made.map(({ path }) => path),
    made.map(({ path }) => path).sort(),
  );
  assert.is((await client.getChildren('/')).children.length, 3002);
});

test('a cut wire suspends the session and it goes on, with its ephemerals and watches', async () => {
  await using member = await start(freshDirectory());
  const wire = new Wire(member.port);
  const port = await wire.open();
  const client = await connect(`ws://127.0.0.1:${port}`);
  await using other = await connect(member.address);
  try {
    const { id } = client.session;
    await client.create('/here', null, { mode: 'ephemeral' });
    const told = new Promise((resolve) => void client.exists('/news', { watch: resolve }));
    await client.sync('/');
    for (let round = 0; round < 3; round++) {
      const suspended = state(client, 'suspended');
      wire.cut();
      await suspended;
      await client.connected();
    }
    await other.create('/news');
    await told;
    assert.is(client.session.id, id);
    assert.ok(await other.exists('/here'));
  } finally {
    await client.close();
    wire.close();
  }
});

test('a wire that swallows everything is noticed, and the end of the session before the servers may act on it', async () => {
  await using member = await start(freshDirectory());
  const wire = new Wire(member.port);
  const port = await wire.open();
  const client = await connect(`ws://127.0.0.1:${port}`, { sessionTimeoutMs: 1200 });
  await using other = await connect(member.address);
  try {
    await client.create('/here', null, { mode: 'ephemeral' });
    const gone = new Promise<string>(
      (resolve) => void other.exists('/here', { watch: () => resolve('gone') }),
    );
    const { signal } = client.session;
    const lost = new Promise<string>((resolve) => signal.addEventListener('abort', () => resolve('lost')));
    const order: string[] = [];
    const noted = Promise.all([gone, lost].map(async (event) => order.push(await event)));
    wire.isBlackHole = true;
    await noted;
    assert.equal(order, ['lost', 'gone']);
    wire.isBlackHole = false;
    await client.connected();
    assert.is(client.session.epoch, 2);
  } finally {
    await client.close();
    wire.close();
  }
});

test('a session outlives the restart of its member', async () => {
  const data = freshDirectory();
  const first = await start(data);
  const client = await connect(first.address);
  const { id } = client.session;
  await client.create('/here', 'x', { mode: 'ephemeral' });
  const suspended = state(client, 'suspended');
  await first.close();
  await suspended;
  const waiting = client.getData('/here');
  await using second = await start(data, first.port);
  assert.is(new TextDecoder().decode((await waiting).data ?? undefined), 'x');
  assert.is(client.session.id, id);
  assert.is(client.session.epoch, 1);
  assert.is(second.port, first.port);
  await client.close();
});

test('nobody there, and somebody who speaks something else: both are said in time', async () => {
  const silent = createServer(() => undefined);
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
  const { port } = silent.address() as AddressInfo;
  for (const address of ['ws://127.0.0.1:1', `ws://127.0.0.1:${port}`]) {
    const failure = await connect(address, { connectTimeoutMs: 400 }).catch((error: unknown) => error);
    assert.instance(failure, ConnectTimeoutError);
    assert.match((failure as Error).message, address);
  }
  silent.close();
});

test('a process ends by itself once its client is closed, and not before', async () => {
  await using member = await start(freshDirectory());
  const door = fileURLToPath(new URL('../../../core/client/index.js', import.meta.url));
  const program = `
    const { connect } = await import(${JSON.stringify(door)});
    const client = await connect(${JSON.stringify(member.address)});
    for await (const event of client.watch('/go')) {
      if (event.type === 'armed') console.log('armed');
      else break;
    }
    await client.close();
    console.log(client.state);
  `;
  const running = promisify(execFile)(process.execPath, ['--input-type=module', '--eval', program], {
    timeout: 20_000,
  });
  await using other = await connect(member.address);
  const armed = new Promise<void>((resolve) => running.child.stdout!.once('data', () => resolve()));
  await armed;
  await other.create('/go');
  assert.is((await running).stdout, 'armed\nclosed\n');
});

test.run();
