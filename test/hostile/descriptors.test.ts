/** A process with few descriptors, whose listeners are filled with sockets that say nothing. */
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { OpCode } from '../../core/protocol/index.js';
import { WebSocketDialer } from '../../core/transport/index.js';
import { RawClient } from '../core/server/raw-client.js';
import { MemberProcess, until } from '../process/member-process.js';

const LIMIT = 256;
const WITH_LIMIT = ['bash', '-c', `ulimit -n ${LIMIT}; exec "$@"`, 'bash'];
const WRITES = 3_000;
const SOCKETS = 100;
/** Descriptors that no socket takes. */
const SPARE = 64;

let data = '';
let member: MemberProcess;
const attack = { isOver: false };
let dials = 0;
const held = new Set<Socket>();
test.before(async () => {
  data = await mkdtemp(join(tmpdir(), 'quorate-'));
  const flags = ['--data', data, '--snapshot-txns', '1000', '--zookeeper-port', '0'];
  member = await MemberProcess.start(flags, {}, WITH_LIMIT);
});
test.after(async () => {
  attack.isOver = true;
  for (const socket of held) socket.destroy();
  await member.kill('SIGKILL');
  await rm(data, { recursive: true, force: true });
});

/** A place that is taken by a silent socket, again and again, until the test is over. */
async function hold(port: number): Promise<void> {
  while (!attack.isOver) {
    const socket = connect({ port, host: '127.0.0.1' });
    dials += 1;
    held.add(socket);
    socket.on('error', () => undefined).resume();
    await new Promise((resolve) => socket.once('close', resolve));
    held.delete(socket);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

async function snapshots(): Promise<number> {
  return (await readdir(data)).filter((name) => name.startsWith('snapshot')).length;
}

test('a member whose listeners are full of silent sockets writes its log and its snapshots', async () => {
  const ports = [...member.readyLine.matchAll(/:(\d+)/g)].map(([, port]) => Number(port));
  assert.is(ports.length, 2);
  const client = await RawClient.open(new WebSocketDialer(), member.address, 40_000);
  for (const port of ports) for (let count = 0; count < SOCKETS; count++) void hold(port);
  await until(() => dials > 3 * SOCKETS, 'sockets that are replaced', 120_000);

  await client.create('/x');
  let most = 0;
  for (let done = 0; done < WRITES; done += 500) {
    const body = { path: '/x', data: Buffer.from('y'.repeat(100)), version: -1 };
    const requests = Array.from({ length: 500 }, () => ({ op: OpCode.setData, body }));
    const replies = await Promise.all(client.sendAll(requests));
    assert.ok(replies.every(({ err }) => err === 0));
    most = Math.max(most, member.descriptors);
  }
  const deadline = performance.now() + 60_000;
  while ((await snapshots()) === 0 && performance.now() < deadline)
    await new Promise((resolve) => setTimeout(resolve, 50));

  console.log(`# ${most} of ${LIMIT} descriptors at most`);
  assert.ok(most < LIMIT - SPARE, `${most} descriptors`);
  assert.ok((await snapshots()) > 0, 'there is a snapshot');
  assert.ok(member.isRunning, member.log.slice(-2_000));
  assert.not.match(member.log, /"level":50/);
});

test.run();
