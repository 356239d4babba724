/** What stands on the wire, byte by byte, over a real WebSocket: the vectors are ZooKeeper's own. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { WebSocket } from 'ws';
import { CreateMode, ErrorCode, OPEN_ACL, OpCode } from '../../../../core/protocol/index.js';
import { serve, type Served } from '../../../../core/server/index.js';
import { WebSocketDialer } from '../../../../core/transport/index.js';
import { RawClient } from '../raw-client.js';

const CONNECT =
  '0000002d 00000000 0000000000000000 00002710 0000000000000000 00000010 00000000000000000000000000000000 00';
const EXPIRED = '00000025 00000000 00000000 0000000000000000 00000010 00000000000000000000000000000000 00';
const CREATE_A =
  '00000032 00000001 00000001 000000022f61 0000000178 00000001 0000001f 00000005776f726c64 00000006616e796f6e65 00000000';
const EXISTS_B = '0000000f 00000002 00000003 000000022f62 01';
const FAILED_MULTI =
  '00000038 00000003 0000000e 0000000d00ffffffff 000000022f61 00000000 0000000200ffffffff 000000032f7a7a ffffffff ffffffff01ffffffff';

let data = '';
let member: Served;

test.before(async () => {
  data = await mkdtemp(join(tmpdir(), 'quorate-'));
  member = await serve({ data, port: 0 });
});
test.after(async () => {
  await member.close();
  await rm(data, { recursive: true, force: true });
});

const plain = (hex: string): string => hex.replaceAll(' ', '');

/** Speaks and hears hexadecimal. */
class HexClient {
  readonly #socket: WebSocket;
  #heard = '';
  closeCode: number | null = null;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.on('message', (bytes: Buffer) => (this.#heard += bytes.toString('hex')));
    socket.on('close', (code) => (this.closeCode = code));
  }

  static async open(): Promise<HexClient> {
    const socket = new WebSocket(`${member.address}/client`, ['zookeeper.v1']);
    const client = new HexClient(socket);
    await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
    return client;
  }

  say(...packets: readonly string[]): void {
    this.#socket.send(Buffer.from(plain(packets.join('')), 'hex'));
  }

  sayText(text: string): void {
    this.#socket.send(text);
  }

  sayBytes(bytes: Uint8Array): void {
    this.#socket.send(bytes);
  }

  /** The next packet, its length included. */
  async hear(): Promise<string> {
    await until(() => this.#heard.length >= 8 && this.#heard.length >= this.#packetLength());
    const packet = this.#heard.slice(0, this.#packetLength());
    this.#heard = this.#heard.slice(packet.length);
    return packet;
  }

  async closed(): Promise<number> {
    await until(() => this.closeCode !== null);
    return this.closeCode!;
  }

  get hasHeardNothing(): boolean {
    return this.#heard === '';
  }

  #packetLength(): number {
    return 2 * (4 + Number.parseInt(this.#heard.slice(0, 8), 16));
  }
}

async function until(condition: () => boolean): Promise<void> {
  const deadline = performance.now() + 10_000;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(`still not so: ${String(condition)}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

const open = (): Promise<RawClient> => RawClient.open(new WebSocketDialer(), member.address);
const folder = async (client: RawClient, name: string): Promise<string> => {
  await client.create(`/${name}`);
  return `/${name}`;
};

test('a connect request of 45 bytes is answered with 37, of 44 bytes with 36', async () => {
  const [modern, ancient] = [await HexClient.open(), await HexClient.open()];
  modern.say(CONNECT);
  ancient.say(CONNECT.replace('0000002d', '0000002c').slice(0, -3));

  const [answer, shorter] = [await modern.hear(), await ancient.hear()];

  assert.match(answer, /^00000025000000000000271001[0-9a-f]{14}00000010[0-9a-f]{32}00$/);
  assert.match(shorter, /^00000024000000000000271001[0-9a-f]{14}00000010[0-9a-f]{32}$/);
});

test('a session that does not exist is answered with the expired vector, then closed', async () => {
  const client = await HexClient.open();
  client.say(CONNECT.replace('00002710 0000000000000000', '00002710 0100000000000999'));
  assert.is(await client.hear(), plain(EXPIRED));
  assert.is(await client.closed(), 1000);
});

test('who has seen a later zxid is closed without an answer', async () => {
  const client = await HexClient.open();
  client.say(CONNECT.replace('00000000 0000000000000000 00002710', '00000000 00000fff00000000 00002710'));
  await client.closed();
  assert.ok(client.hasHeardNothing);
});

test('create, exists with a watch, the event and a failed multi read as in ZooKeeper', async () => {
  const client = await HexClient.open();
  client.say(CONNECT, CREATE_A, EXISTS_B, '00000008 fffffffe 0000000b');
  await client.hear();
  const ping = await client.hear();
  const [created, missing] = [await client.hear(), await client.hear()];

  assert.match(ping, /^00000010fffffffe[0-9a-f]{16}00000000$/);
  assert.match(created, /^000000160000000100000001[0-9a-f]{8}00000000000000022f61$/);
  assert.match(missing, /^000000100000000200000001[0-9a-f]{8}ffffff9b$/);

  client.say(CREATE_A.replace('00000001 00000001 000000022f61', '00000004 00000001 000000022f62'));
  assert.match(await client.hear(), /^0000001effffffff[0-9a-f]{16}000000000000000100000003000000022f62$/);
  assert.match(await client.hear(), /^0000001600000004[0-9a-f]{16}00000000000000022f62$/);

  client.say(FAILED_MULTI);
  assert.match(
    await client.hear(),
    /^0000003300000003[0-9a-f]{16}00000000ffffffff000000000000000000ffffffff00ffffff9bffffff9bffffffff01ffffffff$/,
  );
});

test('an empty multi is answered by its terminator alone', async () => {
  const client = await HexClient.open();
  client.say(CONNECT, '00000011 00000001 0000000e ffffffff01ffffffff');
  await client.hear();
  assert.match(await client.hear(), /^0000001900000001[0-9a-f]{16}00000000ffffffff01ffffffff$/);
});

test('the empty string that kazoo writes as null is taken as empty, and a null path is refused', async () => {
  const client = await HexClient.open();
  const getEphemerals = '0000000c 00000001 00000067 ffffffff';
  const createNull =
    '00000030 00000002 00000001 ffffffff ffffffff 00000001 0000001f 00000005776f726c64 00000006616e796f6e65 00000000';
  client.say(CONNECT, getEphemerals, createNull.replace('00000030', '0000002f'));
  await client.hear();
  assert.match(await client.hear(), /^0000001400000001[0-9a-f]{16}0000000000000000$/);
  assert.match(await client.hear(), /^0000001000000002[0-9a-f]{16}fffffff8$/);
});

test('a text frame is answered with 1003, half a packet with 1002, too large a packet with 1009', async () => {
  const [text, half, large] = [await HexClient.open(), await HexClient.open(), await HexClient.open()];
  text.sayText('hello');
  half.say(CONNECT.slice(0, 20));
  large.say(CONNECT);
  await large.hear();
  large.sayBytes(new Uint8Array(8 * 1024 * 1024));
  assert.equal(await Promise.all([text.closed(), half.closed(), large.closed()]), [1003, 1002, 1009]);
});

test('a packet of 1 048 575 bytes is taken', async () => {
  const client = await open();
  const path = await folder(client, 'large');
  const overhead = 8 + 4 + path.length + 4 + 4;
  const data = new Uint8Array(1_048_575 - overhead).fill(1);
  assert.is((await client.send(OpCode.setData, { path, data, version: -1 })).err, 0);
  assert.is((await client.getData(path)).body!.data!.length, data.length);
  client
    .send(OpCode.setData, { path, data: new Uint8Array(data.length + 1), version: -1 })
    .catch(() => undefined);
  assert.is((await client.closed).code, 1009);
});

test('cversion counts creates and deletes, and a sequence number is never given twice', async () => {
  const client = await open();
  const path = await folder(client, 'counts');
  await client.create(`${path}/a`);
  assert.is((await client.exists(path)).body!.stat.cversion, 1);
  await client.delete(`${path}/a`);
  assert.is((await client.exists(path)).body!.stat.cversion, 2);

  const ops = [
    { op: OpCode.create, body: { path: `${path}/s-`, data: null, acl: OPEN_ACL, flags: 2, ttlMs: 0 } },
    { op: OpCode.check, body: { path: '/absent', version: 0 } },
  ] as const;
  const failed = await client.send(OpCode.multi, { ops });
  assert.equal([failed.err, failed.body!.results], [0, [{ error: 0 }, { error: ErrorCode.noNode }]]);
  assert.is((await client.create(`${path}/s-`, null, 2)).body!.path, `${path}/s-0000000001`);
});

test('the results of create2, container and TTL creates in a multi are typed 15, of create 1', async () => {
  const client = await open();
  const path = await folder(client, 'typed');
  const create = (name: string, flags: number, ttlMs = 0): object => ({
    path: `${path}/${name}`,
    data: null,
    acl: OPEN_ACL,
    flags,
    ttlMs,
  });
  const ops = [
    { op: OpCode.create, body: create('1', 0) },
    { op: OpCode.create2, body: create('2', 0) },
    { op: OpCode.createContainer, body: create('3', CreateMode.container) },
    { op: OpCode.createTtl, body: create('4', CreateMode.persistentWithTtl, 60_000) },
  ];
  const { body } = await client.send(OpCode.multi, { ops } as never);
  assert.equal(
    body!.results.map((result) => ('reply' in result ? result.reply.op : result.error)),
    [OpCode.create, OpCode.create2, OpCode.create2, OpCode.create2],
  );
  for (const name of ['3', '4']) {
    assert.is((await client.exists(`${path}/${name}`)).body!.stat.ephemeralOwner, 0n, name);
  }
});

test('an ephemeral has no children, and shows its owner', async () => {
  const client = await open();
  const path = await folder(client, 'ephemerals');
  await client.create(`${path}/e`, null, 1);
  assert.is((await client.create(`${path}/e/child`)).err, ErrorCode.noChildrenForEphemerals);
  const { stat } = (await client.exists(`${path}/e`)).body!;
  assert.is(stat.ephemeralOwner, client.response!.sessionId);
});

test('an emoji in a path is refused; null and empty data are told apart', async () => {
  const client = await open();
  const path = await folder(client, 'texts');
  assert.is((await client.create(`${path}/\u{1f600}`)).err, ErrorCode.badArguments);
  await client.create(`${path}/null`, null);
  await client.create(`${path}/empty`, '');
  assert.is((await client.getData(`${path}/null`)).body!.data, null);
  assert.is((await client.getData(`${path}/empty`)).body!.data!.length, 0);
});

test.run();
