/** Clients that behave as badly as they can, all at once, beside one that works. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { WebSocket } from 'ws';
import { OpCode } from '../../core/protocol/index.js';
import { SeededRandom } from '../../core/runtime/index.js';
import { WebSocketDialer } from '../../core/transport/index.js';
import { RawClient } from '../core/server/raw-client.js';
import { MemberProcess, until } from '../process/member-process.js';
import { Bystander } from './bystander.js';

const HANDSHAKE_MS = 4_000;
const SILENT_CONNECTIONS = 10_000;
/** What this process needs besides. */
const SPARE_DESCRIPTORS = 500;
const MOST_RESIDENT_MIB = 400;
/** Of the member: silent sockets have an allowance of 256, and a socket that gives way takes a moment to close. */
const MOST_DESCRIPTORS = 600;
const dialer = new WebSocketDialer();

let data = '';
let member: MemberProcess;
test.before.each(async () => {
  data = await mkdtemp(join(tmpdir(), 'quorate-'));
  member = await MemberProcess.start(['--data', data, '--handshake-ms', String(HANDSHAKE_MS)]);
});
test.after.each(async () => {
  await member.kill('SIGKILL');
  await rm(data, { recursive: true, force: true });
});

function openWebSocket(): Promise<WebSocket> {
  const socket = new WebSocket(`${member.address}/client`, ['zookeeper.v1']);
  return new Promise((resolve, reject) =>
    socket.once('open', () => resolve(socket)).once('error', (error) => reject(error)),
  );
}

const closeCode = (socket: WebSocket): Promise<number> =>
  new Promise((resolve) => socket.once('close', (code) => resolve(code)));

test('garbage, text, oversize and unknown operations end those connections, each with a log line', async () => {
  const bystander = await Bystander.at(member);
  const random = new SeededRandom(5);
  const endings = new Map<string, number>();
  for (let round = 0; round < 40; round++) {
    const [garbage, text, oversize] = await Promise.all([openWebSocket(), openWebSocket(), openWebSocket()]);
    const codes = Promise.all([garbage, text, oversize].map(closeCode));
    garbage.send(Buffer.concat([Buffer.from([0, 0, 0, 200]), random.bytes(100)]));
    text.send('{"op":"create"}');
    oversize.send(new Uint8Array(5 * 1024 * 1024));
    const ended = (await codes).join(' ');
    endings.set(ended, (endings.get(ended) ?? 0) + 1);

    const unknown = await RawClient.open(dialer, member.address);
    unknown.sendBytes(Uint8Array.of(0, 0, 0, 8, 0, 0, 0, 9, 0, 0, 3, 231));
    await unknown.closed;
    assert.is(unknown.arrivals.at(-1), 'reply 9');
  }
  await bystander.stop();

  assert.equal([...endings], [['1002 1003 1009', 40]]);
  assert.match(member.log, /malformed frame/);
  assert.match(member.log, /unknown operation/);
  assert.ok(bystander.done > 0);
});

test('clients that ask for everything and never read cost bounded memory, and hold up nobody', async () => {
  const bystander = await Bystander.at(member);
  const owner = await RawClient.open(dialer, member.address, 40_000);
  await owner.create('/big', 'x'.repeat(1_000_000));
  const deaf: RawClient[] = [];
  for (let count = 0; count < 20; count++) deaf.push(await RawClient.open(dialer, member.address, 40_000));
  const before = bystander.done;

  // Together they ask for four gigabytes.
  for (const client of deaf) {
    client.connection.pause();
    const body = { path: '/big', watch: false };
    void client.sendAll(Array.from({ length: 200 }, () => ({ op: OpCode.getData, body })));
  }
  await until(() => bystander.done > before + 200, 'work beside them');

  assert.ok(member.residentMib < MOST_RESIDENT_MIB, `${member.residentMib} MiB are resident`);
  await bystander.stop();
  for (const client of deaf) client.connection.terminate();
});

test('ten thousand connections that never speak are ended, cost bounded memory, and hold up nobody', async () => {
  const limits = await readFile('/proc/self/limits', 'utf8');
  const descriptors = Number(/^Max open files\s+(\d+)/m.exec(limits)![1]);
  const count = Math.min(SILENT_CONNECTIONS, descriptors - SPARE_DESCRIPTORS);
  if (count < SILENT_CONNECTIONS)
    console.log(`only ${descriptors} descriptors: ${count} connections instead`);
  const bystander = await Bystander.at(member);
  const { hostname, port } = new URL(member.http);
  const upgrade =
    `GET /client HTTP/1.1\r\nHost: ${hostname}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n` +
    'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Protocol: zookeeper.v1\r\n\r\n';
  let [opened, closed, descriptorsOfMember] = [0, 0, 0];
  const sockets: Socket[] = [];
  const dial = (speaksHttp: boolean): Promise<void> =>
    new Promise((resolve) => {
      const socket = connect(Number(port), hostname);
      sockets.push(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => {
        closed += 1;
        resolve();
      });
      socket.on('connect', () => {
        opened += 1;
        if (speaksHttp) socket.write(upgrade);
        socket.resume();
        resolve();
      });
    });
  // Half of them stop before their first byte, half of them behind the WebSocket's handshake.
  for (let index = 0; index < count; index += 100) {
    await Promise.all(Array.from({ length: 100 }, (_, offset) => dial(offset % 2 === 0)));
    const during = bystander.done;
    if (index % 1_000 === 0) await until(() => bystander.done > during, 'work beside them');
    descriptorsOfMember = Math.max(descriptorsOfMember, member.descriptors);
  }
  const residentMib = member.residentMib;
  await until(() => closed === count, 'the end of all of them', 60_000);
  const before = bystander.done;
  await until(() => bystander.done > before + 20, 'work after them');
  const health = (await (await fetch(`${member.http}/readyz`)).json()) as { connections: number };
  assert.is(health.connections, 1);
  await bystander.stop();

  assert.is(opened, count);
  assert.ok(descriptorsOfMember < MOST_DESCRIPTORS, `${descriptorsOfMember} descriptors at once`);
  assert.ok(residentMib < MOST_RESIDENT_MIB, `${residentMib} MiB were resident`);
});

test.run();
