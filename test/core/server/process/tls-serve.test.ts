import { copyFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { connect, type Client } from '../../../../core/client/index.js';
import { silentLogger } from '../../../../core/runtime/index.js';
import { serve, type Served, type ServeOptions } from '../../../../core/server/index.js';
import { CERTIFIED_KEY, DiallerHandshake } from '../../../../core/server/peers/peer-handshake.js';
import { NodeDisk } from '../../../../core/storage/index.js';
import { PEER_PATH, PEER_SUBPROTOCOL, WebSocketDialer } from '../../../../core/transport/index.js';
import { ZooKeeperListener } from '../../../../plugins/zookeeper/index.js';
import { Certificates, type Certified } from '../../../certificates/certificates.js';
import { writeFoundedDirectory } from '../founded-directory.js';
import { LogBook } from '../world.js';

const certificates = new Certificates();
test.after(() => certificates[Symbol.dispose]());
const { ca, server, client: clientCertificate } = certificates;

let data = '';
test.before.each(async () => {
  data = await mkdtemp(join(tmpdir(), 'quorate-'));
});
test.after.each(() => rm(data, { recursive: true, force: true }));

const never = new AbortController().signal;
const trusting = { ca: ca.cert };

function filesOf({ certFile, keyFile }: Certified): Pick<ServeOptions, 'tlsCert' | 'tlsKey'> {
  return { tlsCert: certFile, tlsKey: keyFile };
}

/** The certificates of a member in files of its own, which a test may replace. */
async function ownFiles(): Promise<{ readonly tlsCert: string; readonly tlsKey: string }> {
  const [tlsCert, tlsKey] = [join(data, 'cert.pem'), join(data, 'key.pem')];
  await copyFile(server.certFile, tlsCert);
  await copyFile(server.keyFile, tlsKey);
  return { tlsCert, tlsKey };
}

async function until(condition: () => boolean | Promise<boolean>, what: string): Promise<void> {
  const deadline = performance.now() + 20_000;
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`no sign of: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const listening = createServer();
      await new Promise<void>((resolve) => listening.listen(0, '127.0.0.1', resolve));
      return listening;
    }),
  );
  const ports = servers.map((listening) => (listening.address() as { port: number }).port);
  await Promise.all(servers.map((listening) => new Promise((resolve) => listening.close(resolve))));
  return ports;
}

/** Members of an ensemble of three that was founded before. */
async function ensemble(scheme: 'ws' | 'wss'): Promise<{
  readonly ports: readonly number[];
  readonly url: string;
  start(id: number, options: Partial<ServeOptions>): Promise<Served>;
}> {
  const ports = await freePorts(3);
  const members = ports.map((port, index) => `${index + 1}=${scheme}://127.0.0.1:${port}`).join(',');
  const isStarted = new Set<number>();
  return {
    ports,
    url: ports.map((port) => `${scheme}://127.0.0.1:${port}`).join(','),
    start: async (id, options) => {
      const directory = join(data, `${id}`);
      if (!isStarted.has(id)) await writeFoundedDirectory(await NodeDisk.open(directory));
      isStarted.add(id);
      const logger = silentLogger;
      return serve({ id, ensemble: members, data: directory, tickMs: 100, logger, ...options });
    },
  };
}

function presentedBy(port: number): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    const socket = connectTls({ port, host: '127.0.0.1', ca: ca.cert }, () => {
      resolve(socket.getPeerX509Certificate()?.subject);
      socket.destroy();
    });
    socket.on('error', reject);
  });
}

async function whoAmI(client: Client): Promise<string[]> {
  return (await client.whoAmI()).map(({ scheme, user }) => `${scheme}:${user}`).sort();
}

test('a member with a certificate serves clients under TLS, and knows them by their own certificates', async () => {
  await using member = await serve({
    data,
    port: 0,
    logger: silentLogger,
    ...filesOf(server),
    tlsCa: ca.certFile,
  });
  assert.match(member.address, /^wss:\/\//);
  await using anonymous = await connect(member.address, { tls: trusting });
  assert.equal(await whoAmI(anonymous), ['ip:127.0.0.1']);

  const { cert, key } = clientCertificate;
  await using client = await connect(member.address, { tls: { ...trusting, cert, key } });
  assert.equal(await whoAmI(client), ['ip:127.0.0.1', 'x509:CN=client,O=Quorate']);
  await client.create('/mine', 'x', { acl: [{ perms: 31, id: { scheme: 'auth', id: '' } }] });
  assert.equal((await client.getAcl('/mine')).acl, [
    { perms: 31, id: { scheme: 'x509', id: 'CN=client,O=Quorate' } },
  ]);
  const refusal = await anonymous.getData('/mine').catch((error: { code: string }) => error.code);
  assert.is(refusal, 'NO_AUTH');
});

test('connecting without TLS to a port with it fails with an error that says to use wss', async () => {
  await using member = await serve({ data, port: 0, logger: silentLogger, ...filesOf(server) });
  const address = member.address.replace('wss:', 'ws:');
  const error = (await connect(address, { connectTimeoutMs: 300, logger: silentLogger }).catch(
    (failure: unknown) => failure,
  )) as { code: string; message: string; cause: { code: string } };
  assert.equal([error.code, error.cause.code], ['CONNECT_TIMEOUT', 'TLS_FAILED']);
  assert.match(error.message, /accepts only TLS at this port. Connect with wss:\/\//);
});

test('a ZooKeeper port without TLS at a member with certificates is reported', async () => {
  const log = new LogBook();
  const listeners = [new ZooKeeperListener({ port: 0 }), new ZooKeeperListener({ port: 0, tls: 'member' })];
  await using member = await serve({ data, port: 0, logger: log, listeners, ...filesOf(server) });
  const reports = log.lines.filter(({ message }) => /ZooKeeper port has no TLS/.test(message));
  assert.equal(
    reports.map(({ fields }) => fields.port),
    [Number(new URL(member.otherAddresses[0]!.replace('zk:', 'http:')).port)],
  );
  await using client = await connect(member.otherAddresses[1]!, { tls: trusting, logger: silentLogger });
  await client.exists('/');
});

test('a member that allows plain connections beside TLS serves both', async () => {
  await using member = await serve({
    data,
    port: 0,
    logger: silentLogger,
    ...filesOf(server),
    tlsAllowPlain: true,
  });
  await using secure = await connect(member.address, { tls: trusting });
  await using plain = await connect(member.address.replace('wss:', 'ws:'));
  await secure.create('/a', 'x');
  assert.is((await plain.exists('/a'))?.dataLength, 1);
});

test('renewed certificate files are presented to new connections, and no connection ends', async () => {
  const files = await ownFiles();
  await using member = await serve({ data: join(data, 'd'), port: 0, logger: silentLogger, ...files });
  await using client = await connect(member.address, { tls: trusting });
  const states: string[] = [];
  client.onState((state) => states.push(state));

  const renewed = certificates.renewed('renewed-by-file');
  await writeFile(files.tlsCert, renewed.cert);
  await writeFile(files.tlsKey, renewed.key);

  await until(async () => (await presentedBy(member.port)) === 'CN=renewed-by-file', 'the new certificate');
  await client.create('/after', '');
  assert.equal(states, []);
});

test('certificate files that cannot be used are reported, and the member keeps the old certificate', async () => {
  const files = await ownFiles();
  const log = new LogBook();
  await using member = await serve({ data: join(data, 'd'), port: 0, logger: log, ...files });
  const isReported = (): boolean =>
    log.lines.some(({ level, message }) => level === 'error' && /not reloaded/.test(message));
  for (const bad of ['nonsense', certificates.expired.cert, clientCertificate.cert]) {
    log.lines.length = 0;
    await writeFile(files.tlsCert, bad);
    await member.reload();
    assert.ok(isReported(), bad.slice(0, 20));
    assert.is(await presentedBy(member.port), 'CN=server');
  }
  const renewed = certificates.renewed('renewed-at-last');
  await writeFile(files.tlsCert, renewed.cert);
  await writeFile(files.tlsKey, renewed.key);
  await member.reload();
  assert.is(await presentedBy(member.port), 'CN=renewed-at-last');
});

test('options of TLS that do not fit together are refused by name', async () => {
  const refusal = (options: Partial<ServeOptions>): Promise<string> =>
    serve({ data, port: 0, logger: silentLogger, ...options }).then(
      (member) => member.close().then(() => 'accepted'),
      ({ message }: Error) => message,
    );
  const own = filesOf(server);
  const { tlsCert, tlsKey } = own as { tlsCert: string; tlsKey: string };
  assert.match(await refusal({ tlsCert }), /Option tlsKey: tlsCert needs it/);
  assert.match(await refusal({ tlsKey }), /Option tlsKey: it has no effect without tlsCert/);
  assert.match(await refusal({ tlsCa: ca.certFile }), /Option tlsCa: it has no effect without tlsCert/);
  assert.match(await refusal({ tlsCert, tlsKey: join(data, 'none') }), /Option tlsKey: .*ENOENT/);
  assert.match(await refusal({ tlsCert, tlsKey: clientCertificate.keyFile }), /Option tlsKey: .*mismatch/);
  assert.match(await refusal({ ...own, tlsCa: tlsKey }), /Option tlsCa: .*holds no certificate/);
  assert.match(
    await refusal({ ...own, tlsClientAuth: 'required' }),
    /tlsClientAuth: it has no effect without tlsCa/,
  );
  const rule = 'sometimes' as 'required';
  assert.match(await refusal({ ...own, tlsCa: ca.certFile, tlsClientAuth: rule }), /sometimes is unknown/);
});

test('members that know each other by certificates need no secret, and a session moves between them', async () => {
  const town = await ensemble('wss');
  const options = { ...filesOf(server), tlsCa: ca.certFile };
  const members = await Promise.all([1, 2, 3].map((id) => town.start(id, options)));
  await Promise.all(members.map((member) => member.serving()));
  await using client = await connect(town.url, {
    tls: trusting,
    sessionTimeoutMs: 10_000,
    logger: silentLogger,
  });
  const { id: sessionId } = client.session;
  await client.create('/mine', '', { mode: 'ephemeral' });

  // Every member that the session moves to was given another secret of its own.
  for (const [index, member] of members.entries()) {
    await member.close();
    const again = await town.start(index + 1, options);
    await again.serving();
    members[index] = again;
    await client.sync('/');
  }

  assert.is(client.session.id, sessionId);
  assert.is((await client.exists('/mine'))?.ephemeralOwner, sessionId);
  await client.close();
  await Promise.all(members.map((member) => member.close()));
});

test('a certificate without the name of a member does not make one, whatever it says', async () => {
  const town = await ensemble('wss');
  const log = new LogBook();
  await using member = await town.start(2, { ...filesOf(server), tlsCa: ca.certFile, logger: log });
  const identity = { id: 1, ensemble: 'voters 1, 2, 3', keys: [CERTIFIED_KEY], others: [2, 3] };
  const attempt = async (own: { cert?: string; key?: string }): Promise<string> => {
    const dialer = new WebSocketDialer({
      path: PEER_PATH,
      subprotocol: PEER_SUBPROTOCOL,
      tls: { ...trusting, ...own },
    });
    const connection = await dialer.dial(member.address, { signal: never });
    return new Promise((resolve) => {
      connection.handle({ message: () => resolve('answered'), closed: ({ text }) => resolve(text) });
      connection.send(new DiallerHandshake(identity, 2, new Uint8Array(32)).hello);
    });
  };
  assert.is(await attempt({}), 'member 1 presented no certificate');
  const { cert, key } = clientCertificate;
  assert.is(await attempt({ cert, key }), 'the certificate is not for 127.0.0.1, the host of member 1');
  const { elsewhere } = certificates;
  assert.match(await attempt({ cert: elsewhere.cert, key: elsewhere.key }), /not for 127\.0\.0\.1/);
  assert.is(await attempt({ cert: server.cert, key: server.key }), 'answered');
});

test('a secret is replaced while the members run, one file and one restart after the other', async () => {
  const town = await ensemble('ws');
  const [old, renewed] = ['the old secret, long', 'the new secret, long'];
  const files = [1, 2, 3].map((id) => join(data, `secret-${id}`));
  for (const file of files) await writeFile(file, old);
  const start = (id: number): Promise<Served> => town.start(id, { secretFile: files[id - 1]! });
  const members = await Promise.all([1, 2, 3].map(start));
  await Promise.all(members.map((member) => member.serving()));
  await using client = await connect(town.url, { sessionTimeoutMs: 10_000, logger: silentLogger });
  const { id: sessionId } = client.session;

  for (const [content, isRestarted] of [
    [`${old}\n${renewed}`, false],
    [`${renewed}\n${old}`, true],
    [renewed, true],
  ] as const) {
    for (const [index, file] of files.entries()) {
      await writeFile(file, content);
      if (!isRestarted) await members[index]!.reload();
      else {
        await members[index]!.close();
        members[index] = await start(index + 1);
        await members[index].serving();
      }
      await client.sync('/');
    }
  }

  assert.is(client.session.id, sessionId, 'the session has survived');
  await client.close();
  await Promise.all(members.map((member) => member.close()));
});

test('a secret file that cannot be used is reported, and the member keeps the old secret', async () => {
  const file = join(data, 'secret');
  const log = new LogBook();
  await writeFile(file, 'the old secret, long');
  await using member = await serve({ data: join(data, 'd'), port: 0, secretFile: file, logger: log });
  await writeFile(file, 'short');
  await member.reload();
  assert.ok(log.has(/Secret file not reloaded/));
  assert.not.ok(JSON.stringify(log.lines).includes('short'), 'the secret is not logged');
  await using client = await connect(member.address);
  await client.create('/a', '');
});

test.run();
