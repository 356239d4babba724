/**
 * Makes the fixtures of one version with a built checkout of that version:
 *
 *     node test/versions/make-fixtures.mjs CHECKOUT test/versions/0.1.0
 *
 * The README.md of this folder says what they hold. Every run makes other ids and zxids, so expectations are recorded beside the files.
 */
import { spawn } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';

const [, self, checkout, target, ...runArguments] = process.argv;
const load = (module) => import(resolve(checkout, 'dist', module));
/** The same for a module that 0.1.0 has at another place. */
const loadFrom = (module, before) => load(existsSync(resolve(checkout, 'dist', module)) ? module : before);
const SECRET = new Uint8Array(32).fill(7);
const SEGMENT_BYTES = 8192;
const SNAPSHOT_TXNS = 60;
const silent = {
  debug() {},
  info() {},
  warn() {},
  error() {},
  child: () => silent,
};

/** Starts one member, or three, on directories of the file system, with small log segments. */
async function start(root, count) {
  const { startEmbeddedMember, peerAddress } = await loadFrom(
    'core/server/process/embedded-member.js',
    'core/server/embedded-member.js',
  );
  const { memberSecret } = await loadFrom(
    'core/server/configuration/member-secret.js',
    'core/server/member-secret.js',
  );
  const { NodeDisk } = await load('core/storage/index.js');
  const { MemoryNetwork } = await load('core/transport/index.js');
  const { SystemClock, SystemRandom } = await load('core/runtime/index.js');
  const clock = new SystemClock();
  const random = new SystemRandom();
  const network = new MemoryNetwork(clock);
  const addressOf = (id) => `ws://member-${id}:7300`;
  const members = Array.from({ length: count }, (_, index) => ({
    id: index + 1,
    address: peerAddress(addressOf(index + 1)),
  }));
  const startOne = async (id) => {
    const data = count === 1 ? root : join(root, `${id}`);
    const secret = count === 1 ? await memberSecret((await NodeDisk.open(data)).location, random) : SECRET;
    return startEmbeddedMember({
      disk: await NodeDisk.open(data),
      segmentBytes: SEGMENT_BYTES,
      network,
      address: addressOf(id),
      secret,
      clock,
      random,
      logger: silent,
      options: { id, snapshotTxns: SNAPSHOT_TXNS },
      ...(count > 1 && { members }),
    });
  };
  const parts = await Promise.all(members.map(({ id }) => startOne(id)));
  await Promise.all(parts.map(({ member }) => member.serving()));
  const { connect } = await load('core/client/index.js');
  const open = (options = {}) =>
    connect(members.map(({ id }) => addressOf(id)).join(','), { dialer: network, ...options });
  return { parts, startOne, open, stop: () => Promise.all(parts.map((part) => part.close())) };
}

/** Znodes of every kind, and enough changes for several segments and snapshots. */
async function fill(client) {
  const readers = [{ perms: 31, id: { scheme: 'auth', id: '' } }];
  await client.addAuth('digest', 'owner:secret');
  await client.create('/app', 'application');
  await client.create('/app/empty', '');
  await client.create(
    '/app/bytes',
    Uint8Array.from({ length: 256 }, (_, index) => index),
  );
  await client.create('/app/protected', 'for the owner', { acl: readers });
  await client.create('/app/container', '', { mode: 'container' });
  await client.create('/app/container/child', 'x');
  await client.create('/app/ttl', 'y', { mode: 'persistent-ttl', ttlMs: 1000 * 3600 * 24 * 365 * 30 });
  await client.create('/app/removed', 'z');
  for (let index = 0; index < 8; index++) {
    await client.create('/app/sequence-', `${index}`, { mode: 'persistent-sequential' });
  }
  await client.delete('/app/removed');
  await client.create('/app/ünïcode ✓', 'ünïcode ✓');
  await client.create('/app/counter', '0');
  for (let index = 1; index <= 200; index++) await client.setData('/app/counter', `${index}`.padEnd(100));
}

/** What a reader of the version that made the directory sees. */
async function treeOf(client) {
  const znodes = {};
  const visit = async (path) => {
    const { data, stat } = await client.getData(path);
    const fields = Object.entries(stat).map(([name, value]) => [
      name,
      typeof value === 'bigint' ? `${value}` : value,
    ]);
    znodes[path] = { data: Buffer.from(data).toString('base64'), stat: Object.fromEntries(fields) };
    for (const child of (await client.getChildren(path)).children ?? []) await visit(`${path}/${child}`);
  };
  await visit('/app');
  return znodes;
}

/** What the storage of the version that made the directory recovers. */
async function historyOf(directory) {
  const copy = mkdtempSync(join(tmpdir(), 'quorate-fixture-'));
  try {
    cpSync(directory, copy, { recursive: true });
    const { FileStorage, NodeDisk } = await load('core/storage/index.js');
    const storage = await FileStorage.open({ disk: await NodeDisk.open(copy), logger: silent });
    const { acceptedEpoch, rejoining, snapshot, entries, epochs } = await storage.recover();
    await storage.close();
    return {
      acceptedEpoch,
      rejoining,
      snapshotZxid: `${snapshot?.zxid ?? 0n}`,
      lastZxid: `${entries.at(-1)?.zxid ?? snapshot?.zxid ?? 0n}`,
      entries: entries.length,
      epochs: epochs.map(({ epoch, lastZxid }) => ({ epoch, lastZxid: `${lastZxid}` })),
    };
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
}

/** All files below a folder. The zeros at the end of a preallocated log are left out; `size` says how many there are. */
function filesOf(root) {
  const files = {};
  for (const entry of readdirSync(root, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    const bytes = readFileSync(path);
    let length = bytes.length;
    while (length > 0 && bytes[length - 1] === 0) length--;
    files[relative(root, path)] = {
      size: bytes.length,
      content: bytes.subarray(0, length).toString('base64'),
    };
  }
  return files;
}

async function keep(name, root, count, expected) {
  const directories = count === 1 ? [''] : readdirSync(root).sort();
  const histories = {};
  for (const directory of directories) histories[directory] = await historyOf(join(root, directory));
  const fixture = { expected: { ...expected, histories }, files: filesOf(root) };
  write(name, fixture);
}

function write(name, fixture) {
  const text = JSON.stringify(fixture, null, 1);
  const bytes = gzipSync(text, { level: 9 });
  writeFileSync(join(target, `${name}.json.gz`), bytes);
  console.log(`${name}: ${bytes.length} bytes`);
}

async function within(work) {
  const root = mkdtempSync(join(tmpdir(), 'quorate-fixture-'));
  try {
    await work(root);
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

async function stopped(name, count) {
  await within(async (root) => {
    const ensemble = await start(root, count);
    const client = await ensemble.open();
    await fill(client);
    const znodes = await treeOf(client);
    await client.close();
    await ensemble.stop();
    await keep(name, root, count, { znodes });
  });
}

/** The members run in a process of their own, which is killed while writes are under way. */
async function killed(name, count) {
  await within(async (root) => {
    const child = spawn(process.execPath, [self, checkout, target, 'run', root, `${count}`], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const lines = [];
    for await (const line of createInterface({ input: child.stdout })) {
      lines.push(line);
      if (lines.length === 60) child.kill('SIGKILL');
    }
    const [znodes, session, ...acknowledged] = lines.map((line) => JSON.parse(line));
    await keep(name, root, count, { znodes, session, acknowledged: Math.max(...acknowledged) });
  });
}

async function runUntilKilled(root, count) {
  const ensemble = await start(root, count);
  const client = await ensemble.open({ sessionTimeoutMs: 40_000 });
  await fill(client);
  await client.create('/app/ephemeral', 'mine', { mode: 'ephemeral' });
  await client.create('/written', '0');
  console.log(JSON.stringify(await treeOf(client)));
  console.log(JSON.stringify(`${client.session.id}`));
  for (let index = 1; ; index += 4) {
    const writes = [0, 1, 2, 3].map((more) => client.setData('/written', `${index + more}`.padEnd(100)));
    await Promise.all(writes);
    console.log(index + 3);
  }
}

/** Members of three are stopped, copied and started one after the other, as the guide to backups says. */
async function backup(name) {
  await within(async (root) => {
    const data = join(root, 'data');
    const copies = join(root, 'copies');
    const ensemble = await start(data, 3);
    const client = await ensemble.open();
    await fill(client);
    let znodes = {};
    for (const id of [1, 2]) {
      znodes = await treeOf(client);
      await ensemble.parts[id - 1].close();
      cpSync(join(data, `${id}`), join(copies, `${id}`), { recursive: true });
      ensemble.parts[id - 1] = await ensemble.startOne(id);
      await ensemble.parts[id - 1].member.serving();
      await client.setData('/app/empty', `written after the copy of member ${id}`);
    }
    await client.close();
    await ensemble.stop();
    await keep(name, copies, 2, { znodes });
  });
}

/** The handshake of a pair, and a message of every kind, as the version sends them. */
async function frames(name) {
  const { AccepterHandshake, DiallerHandshake, peerKey } = await load('core/server/peers/peer-handshake.js');
  const { joinFrame, partFrame } = await load('core/server/peers/frame.js');
  const { encodePeerMessage } = await load('core/zab/index.js');
  const identity = (id) => ({ id, key: peerKey(SECRET), ensemble: 'members 1, 2', others: [3 - id] });
  const dialler = new DiallerHandshake(identity(1), 2, new Uint8Array(32).fill(1));
  const accepter = new AccepterHandshake(identity(2), new Uint8Array(32).fill(2));
  const challenge = accepter.receive(dialler.hello).send;
  const proof = dialler.receive(challenge).send;
  const welcome = accepter.receive(proof).send;
  const encoded = messages().map((message) => ({ message, bytes: encodePeerMessage(message) }));
  const queue = encoded.map(({ bytes }) => bytes);
  const whole = joinFrame(
    () => queue[0],
    () => queue.shift(),
  );
  const { frame: part } = partFrame(Uint8Array.of(1, 2, 3), 0);
  write(
    name,
    plain({
      secret: SECRET,
      handshake: { hello: dialler.hello, challenge, proof, welcome },
      messages: encoded,
      frames: { whole, part },
    }),
  );
}

/** Bytes become `{ hex }`, numbers of 64 bits `{ bigint }`. */
function plain(value) {
  if (typeof value === 'bigint') return { bigint: `${value}` };
  if (value instanceof Uint8Array) return { hex: Buffer.from(value).toString('hex') };
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, plain(inner)]));
}

function messages() {
  const epochs = [
    { epoch: 1, lastZxid: 0x1_0000_0009n },
    { epoch: 3, lastZxid: 0x3_0000_0002n },
  ];
  const entries = [1, 2].map((counter) => ({
    zxid: 0x4_0000_0000n + BigInt(counter),
    payload: Uint8Array.of(counter, 255),
  }));
  const epoch = 4;
  const zxid = 0x4_0000_0002n;
  const vote = { leader: 2, epoch: 3, zxid: 0x3_0000_0002n };
  const standings = ['full', 'blank', 'new', 'rejoining'];
  const roles = ['looking', 'following', 'leading', 'observing'];
  return [
    ...standings.map((standing, at) => ({
      type: 'notification',
      state: roles[at],
      round: 7,
      vote,
      standing,
    })),
    ...standings.map((standing) => ({ type: 'learnerInfo', attempt: 300, acceptedEpoch: 3, standing })),
    { type: 'newEpoch', attempt: 300, epoch },
    { type: 'ackEpoch', epoch, isPromise: true, lastZxid: 0x3_0000_0002n, epochs },
    { type: 'ackEpoch', epoch, isPromise: false, lastZxid: 0n, epochs: [] },
    { type: 'diff', epoch, after: 0x3_0000_0002n },
    { type: 'trunc', epoch, after: 0x1_0000_0009n },
    { type: 'snap', epoch, zxid: 0x3_0000_0002n, epochs },
    { type: 'snapshotChunk', epoch, bytes: Uint8Array.of(1, 2, 3), isLast: false },
    { type: 'snapshotChunk', epoch, bytes: new Uint8Array(0), isLast: true },
    { type: 'snapshotAck', epoch, chunks: 2 },
    { type: 'proposal', epoch, commit: 0x4_0000_0001n, entries },
    { type: 'inform', epoch, entries },
    { type: 'ack', epoch, zxid },
    { type: 'commit', epoch, zxid },
    { type: 'upToDate', epoch, commit: zxid },
    { type: 'ping', epoch, nonce: 70_000, heard: 69_999, payload: Uint8Array.of(9) },
    { type: 'pong', epoch, nonce: 70_000, payload: Uint8Array.of(8) },
    { type: 'handOver', epoch, leader: 2, round: 8 },
    { type: 'application', epoch, bytes: Uint8Array.of(1) },
    { type: 'readmit', epoch },
    { type: 'readmitted', epoch },
  ];
}

// Members do not keep a process alive that has no socket.
const alive = setInterval(() => undefined, 1000);
if (runArguments[0] === 'run') {
  await runUntilKilled(runArguments[1], Number(runArguments[2]));
} else {
  if (target === undefined) throw new Error(`Usage: node ${fileURLToPath(import.meta.url)} CHECKOUT TARGET`);
  mkdirSync(target, { recursive: true });
  await stopped('one-stopped', 1);
  await killed('one-killed', 1);
  await stopped('three-stopped', 3);
  await killed('three-killed', 3);
  await backup('two-of-three-copied');
  await frames('frames');
}
clearInterval(alive);
