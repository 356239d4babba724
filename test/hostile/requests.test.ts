/** Small requests that cost much, and many of them: what one member with a small heap spends, while another client works. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ErrorCode, OPEN_ACL, OpCode } from '../../core/protocol/index.js';
import { WebSocketDialer } from '../../core/transport/index.js';
import { RawClient } from '../core/server/raw-client.js';
import { MemberProcess } from '../process/member-process.js';
import { Bystander } from './bystander.js';
import { Flood } from './flood.js';

const HEAP_MIB = 512;
const MOST_RESIDENT_MIB = 700;
/** What a bystander has to get done while an attack is under way. */
const ANSWERS = 10;
const CHILDREN = 5_000;
/** A machine that is busy with other tests starves nobody out of a session. */
const PATIENT = ['--handshake-ms', '60000', '--max-session-ms', '120000'];
const dialer = new WebSocketDialer();

let data = '';
let member: MemberProcess;
let bystander: Bystander;
test.before(async () => {
  data = await mkdtemp(join(tmpdir(), 'quorate-'));
  const environment = { NODE_OPTIONS: `--max-old-space-size=${HEAP_MIB}` };
  member = await MemberProcess.start(['--data', data, ...PATIENT], environment);
  bystander = await Bystander.at(member);
});
test.after(async () => {
  await bystander.stop().catch(() => undefined);
  await member.kill('SIGKILL');
  await rm(data, { recursive: true, force: true });
});

function times<T>(count: number, value: T): T[] {
  return Array.from({ length: count }, () => value);
}

function openAttacker(): Promise<RawClient> {
  return RawClient.open(dialer, member.address, 120_000);
}

/** Nothing of an attack may stay behind but a line of figures. */
function expectBounded(attack: string): void {
  assert.ok(member.isRunning, member.log.slice(-2_000));
  const resident = Math.round(member.residentMib);
  console.log(`# ${attack}: ${resident} MiB resident`);
  assert.ok(resident < MOST_RESIDENT_MIB, `${resident} MiB are resident after ${attack}`);
}

test('a multiRead that asks for gigabytes fails alone, and its client and others are served', async () => {
  const attacker = await openAttacker();
  await attacker.create('/big', 'x'.repeat(1_000_000));
  const ops = Array.from({ length: 5_000 }, () => ({
    op: OpCode.getData,
    body: { path: '/big', watch: false },
  }));
  const [bomb, own] = attacker.sendAll([
    { op: OpCode.multiRead, body: { ops } },
    { op: OpCode.exists, body: { path: '/big', watch: false } },
  ]);
  await bystander.answered(ANSWERS);
  assert.is((await bomb!).err, ErrorCode.marshallingError);
  assert.is((await own!).err, 0);
  expectBounded('5 GB asked for by one packet');
  await attacker.delete('/big');
  attacker.connection.terminate();
});

test('reads of large lists and counts from ten connections leave others served', async () => {
  const owner = await openAttacker();
  await owner.create('/many');
  for (let from = 0; from < CHILDREN; from += 1_000) {
    const creates = Array.from({ length: 1_000 }, (_, index) => {
      const path = `/many/child-${from + index}`;
      return { op: OpCode.create, body: { path, data: null, acl: OPEN_ACL, flags: 0, ttlMs: 0 } };
    });
    await Promise.all(owner.sendAll(creates));
  }
  const count = { op: OpCode.getAllChildrenNumber, body: { path: '/many' } };
  const list = { op: OpCode.getChildren, body: { path: '/many', watch: false } } as const;
  const lists = { op: OpCode.multiRead, body: { ops: times(10, list) } };
  const flood = await Flood.of(member, 10, [...times(200, count), list, lists]);
  await bystander.answered(ANSWERS);
  console.log(`# ${flood.answered} costly reads answered beside ${ANSWERS} writes and reads of a bystander`);
  assert.is(flood.ended, 0);
  flood.stop();
  expectBounded('lists of 5,000 children');
  owner.connection.terminate();
});

test('watches that a connection cannot have are refused, and all of its watches go with it', async () => {
  const attacker = await openAttacker();
  let paths = 0;
  for (let packet = 0; packet < 12 && attacker.end === null; packet++) {
    const list = Array.from({ length: 60_000 }, () => `/${(paths++).toString(36)}`);
    const none: readonly string[] = [];
    const body = { relativeZxid: 0n, dataWatches: none, existWatches: none, childWatches: none };
    const persistent = { persistentWatches: list, persistentRecursiveWatches: none };
    await attacker.send(OpCode.setWatches2, { ...body, ...persistent }).catch(() => undefined);
  }
  assert.is.not(attacker.end, null, 'the connection ends at its limit');
  const other = await openAttacker();
  let refused = 0;
  for (let count = 0; count < 100 && refused === 0; count++) {
    const requests = Array.from({ length: 20 }, (_, index) => {
      return { op: OpCode.addWatch, body: { path: `/${'w'.repeat(50_000)}${count}-${index}`, mode: 0 } };
    });
    const replies = await Promise.all(other.sendAll(requests));
    refused = replies.filter(({ err }) => err === ErrorCode.quotaExceeded).length;
  }
  assert.ok(refused > 0, 'a watch beyond the limit is refused');
  await bystander.answered(ANSWERS);
  expectBounded('watches without end');
  other.connection.terminate();
});

test('twenty connections that flood writes and multis leave the reads and writes of others answered', async () => {
  const owner = await openAttacker();
  await owner.create('/flood');
  const write = { op: OpCode.setData, body: { path: '/flood', data: new Uint8Array(100), version: -1 } };
  const multi = { op: OpCode.multi, body: { ops: times(50, write) } };
  const flood = await Flood.of(member, 20, [...times(100, write), multi]);
  await bystander.answered(ANSWERS);
  console.log(
    `# ${flood.answered} flooding writes answered beside ${ANSWERS} writes and reads of a bystander`,
  );
  flood.stop();
  expectBounded('a flood of writes');
  owner.connection.terminate();
});

test('a hundred thousand malformed requests write a bounded log, and each is answered', async () => {
  const attacker = await openAttacker();
  // getData without a path.
  const malformed = Uint8Array.of(0, 0, 0, 8, 0, 0, 0, 7, 0, 0, 0, 4);
  const message = Buffer.concat(Array<Uint8Array>(50_000).fill(malformed));
  const before = member.log.length;
  attacker.sendBytes(message);
  attacker.sendBytes(message);
  await bystander.answered(ANSWERS);
  const last = await attacker.exists('/', false);
  assert.is(last.err, 0);
  assert.is(attacker.arrivals.filter((arrival) => arrival === 'reply 7').length, 100_000);
  const written = member.log.length - before;
  console.log(`# ${written} bytes of log for ${2 * message.length} malformed bytes`);
  assert.ok(written < 50_000, `${written} bytes of log`);
  expectBounded('malformed requests');
  attacker.connection.terminate();
});

test.run();
