/** Sockets that say nothing, refused upgrades and pages of other origins, at an ensemble of three members. */
import { connect, type Socket } from 'node:net';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { EnsembleProcess } from '../process/ensemble-process.js';
import { Bystander } from './bystander.js';

const SOCKETS = 100;
const SILENT_SOCKETS = 200;
const ANSWERS = 10;

let ensemble: EnsembleProcess;
test.before(async () => {
  ensemble = await EnsembleProcess.start({ flags: ['--max-connections', '100', '--handshake-ms', '2000'] });
});
test.after(() => ensemble[Symbol.asyncDispose]());

function upgrade(path: string, headers: Readonly<Record<string, string>>): string {
  const all = {
    Host: '127.0.0.1',
    Connection: 'Upgrade',
    Upgrade: 'websocket',
    'Sec-WebSocket-Version': '13',
    'Sec-WebSocket-Key': 'AAAAAAAAAAAAAAAAAAAAAA==',
    'Sec-WebSocket-Protocol': path === '/peer' ? 'quorate.peer.v1' : 'zookeeper.v1',
    ...headers,
  };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}`);
  return [`GET ${path} HTTP/1.1`, ...lines, '', ''].join('\r\n');
}

function open(port: number, bytes: string | Buffer): Promise<Socket> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    socket.on('error', () => resolve(socket));
    socket.on('connect', () => socket.write(bytes, () => resolve(socket)));
    socket.resume();
  });
}

/** The first line of the answer. */
function statusOf(port: number, request: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1' }, () => socket.write(request));
    socket.once('data', (bytes) => {
      resolve(bytes.toString().split('\r\n', 1)[0]!);
      socket.destroy();
    });
    socket.once('error', reject);
  });
}

test('descriptors of refused upgrades return to their number, whatever the sender does', async () => {
  const member = ensemble.member(1);
  const bystander = await Bystander.at({ address: ensemble.url(1) });
  const before = member.descriptors;
  const junk = Buffer.alloc(256 * 1024);
  const kinds: readonly (string | Buffer)[] = [
    upgrade('/nope', {}),
    upgrade('/client', { 'Sec-WebSocket-Protocol': 'chat' }),
    Buffer.concat([Buffer.from(upgrade('/nope', {})), junk]),
    Buffer.concat([Buffer.from(upgrade('/client', { Origin: 'http://evil.example' })), junk]),
    'GET / HTTP/1.1\r\nX: ',
  ];
  const sockets: Socket[] = [];
  for (const bytes of kinds) {
    const opened = await Promise.all(Array.from({ length: SOCKETS }, () => open(ensemble.portOf(1), bytes)));
    sockets.push(...opened);
    await bystander.answered(1);
  }
  // Half of the senders leave, the others stay: their sockets are closed at the other end all the same.
  sockets.forEach((socket, index) => void (index % 2 === 0 && socket.destroy()));
  await ensemble.until('the end of all refused sockets', () => member.descriptors <= before + 2);
  await bystander.stop();
  for (const socket of sockets) socket.destroy();
});

test('silent sockets keep out neither probes nor a member that restarts', async () => {
  const held = new Set<Socket>();
  const attack = { isOver: false };
  const hold = async (port: number): Promise<void> => {
    while (!attack.isOver) {
      const socket = await open(port, '');
      held.add(socket);
      await new Promise((resolve) => (socket.destroyed ? resolve(null) : socket.once('close', resolve)));
      held.delete(socket);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  };
  const attackers = ensemble.ids.flatMap((id) =>
    Array.from({ length: SILENT_SOCKETS }, () => hold(ensemble.portOf(id))),
  );
  await ensemble.until('sockets that are held', () => held.size > SILENT_SOCKETS);

  const restarted = ensemble.running.find((id) => id !== 1)!;
  await ensemble.kill(restarted);
  ensemble.launch(restarted);
  await ensemble.serving();
  const bystander = await Bystander.at({ address: ensemble.url(restarted) });
  await bystander.answered(ANSWERS);
  await bystander.stop();
  const most = Math.max(...ensemble.ids.map((id) => ensemble.member(id).descriptors));
  console.log(`# ${most} descriptors at most under ${3 * SILENT_SOCKETS} silent sockets`);
  assert.ok(most < 600, `${most} descriptors`);

  attack.isOver = true;
  for (const socket of held) socket.destroy();
  await Promise.all(attackers);
});

test('a page of another origin reaches neither the tree nor the address for members', async () => {
  const port = ensemble.portOf(1);
  for (const origin of [
    'http://evil.example',
    'null',
    `http://127.0.0.1:${port}`,
    'http://rebound.example',
  ]) {
    const headers = { Origin: origin, Host: origin.replace('http://', '') };
    assert.is(await statusOf(port, upgrade('/client', headers)), 'HTTP/1.1 403 Forbidden', origin);
    assert.is(await statusOf(port, upgrade('/peer', headers)), 'HTTP/1.1 403 Forbidden', origin);
  }
  assert.match(await statusOf(port, upgrade('/client', {})), /^HTTP\/1\.1 101/);
  const probe = (host: string): string => `GET /readyz HTTP/1.1\r\nHost: ${host}\r\n\r\n`;
  assert.match(await statusOf(port, probe('rebound.example')), /^HTTP\/1\.1 403/);
  assert.match(await statusOf(port, probe(`127.0.0.1:${port}`)), /^HTTP\/1\.1 200/);
  await ensemble.converged();
});

test.run();
