import { connect as dialTcp, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { connect, ConnectStringError, type Client } from '../../../../core/client/index.js';
import { JuteWriter, writeConnectResponse } from '../../../../core/protocol/index.js';
import { ZooKeeperDialer } from '../../../../plugins/zookeeper/index.js';
import { Certificates, pemOf } from '../../../certificates/certificates.js';
import { serveOverTcp, until } from '../served.js';

const SESSION_TIMEOUT_MS = 2_000;
const certificates = new Certificates();
test.after(() => certificates[Symbol.dispose]());

const at = (port: number, chroot = ''): string => `zk://127.0.0.1:${port}${chroot}`;
const open = (url: string): Promise<Client> => connect(url, { sessionTimeoutMs: SESSION_TIMEOUT_MS });

/** A server on a port of its own, which does with each connection what the test says. */
async function listening(serve: (socket: Socket) => void): Promise<{ server: Server; port: number }> {
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    serve(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { server, port: (server.address() as AddressInfo).port };
}

/** The words with which it rejects. */
async function refusal(promise: Promise<unknown>): Promise<string> {
  const failure = await promise.then(
    () => null,
    (error: Error) => error,
  );
  assert.ok(failure, 'it was expected to reject');
  return failure.message;
}

test('a client works over TCP as over WebSocket, below a chroot too', async () => {
  await using served = await serveOverTcp();
  await using client = await open(at(served.port, '/app/one'));
  await client.create('/a', 'x'.repeat(500_000), { createParents: true });
  assert.is((await client.getData('/a')).data!.length, 500_000);
  const names = Array.from({ length: 200 }, (_, index) => `/n-${index}`);
  await Promise.all(names.map((name) => client.create(name)));
  assert.is((await client.getChildren('/')).children.length, 201);
});

test('answers are understood however the network cuts them', async () => {
  await using served = await serveOverTcp();
  const { server, port } = await listening((near) => {
    const far = dialTcp(served.port, '127.0.0.1');
    near.pipe(far);
    near.setNoDelay(true).on('close', () => far.destroy());
    far.on('data', (chunk) => {
      for (const byte of chunk) near.write(Buffer.from([byte]));
    });
  });
  const client = await open(at(port));
  await client.create('/cut', 'into pieces');
  assert.equal((await client.getData('/cut')).data, new TextEncoder().encode('into pieces'));
  await client.close();
  server.close();
});

test('a server that is gone is left for the next, and the session goes on there', async () => {
  await using served = await serveOverTcp();
  const lines: Socket[] = [];
  const gate = (): ReturnType<typeof listening> =>
    listening((near) => {
      lines.push(near);
      const far = dialTcp(served.port, '127.0.0.1');
      near.pipe(far).pipe(near);
      far.on('error', () => near.destroy());
      near.on('close', () => far.destroy());
    });
  const gates = [await gate(), await gate()];
  const client = await open(`zk://${gates.map(({ port }) => `127.0.0.1:${port}`).join(',')}`);
  const { session } = client;
  await client.create('/mine', null, { mode: 'ephemeral' });
  let losses = 0;
  client.onState((state) => (losses += state === 'suspended' ? 1 : 0));
  const used = lines[0]!.localPort;
  gates.find(({ port }) => port === used)!.server.close();
  lines[0]!.destroy();

  await until('the other server', () => losses === 1 && client.state === 'connected');
  assert.is.not(lines[1]!.localPort, used);
  assert.is(client.session, session);
  assert.is((await client.exists('/mine'))?.ephemeralOwner, session.id);
  await client.close();
  for (const { server } of gates) server.close();
});

test('nobody there, a name that nobody has, and a wrong address are told apart', async () => {
  const { server, port } = await listening(() => undefined);
  await new Promise((resolve) => server.close(resolve));
  const dialer = new ZooKeeperDialer();
  const dial = (address: string, signal = new AbortController().signal): Promise<string> =>
    refusal(dialer.dial(address, { signal }));
  assert.match(await dial(at(port)), /^Cannot connect to zk:\/\/127\.0\.0\.1:\d+: .*ECONNREFUSED/);
  assert.match(await dial('zk://nowhere.invalid:2181'), /nowhere\.invalid/);
  assert.match(await dial('ws://a:2181'), /give it as zk:\/\/host:port/);
  assert.match(await dial(at(port), AbortSignal.abort(new Error('enough'))), /enough/);
});

test('an attempt that is given up leaves no socket behind', async () => {
  const sockets: Socket[] = [];
  const { server, port } = await listening((socket) => sockets.push(socket));
  const giveUp = new AbortController();
  // Under TLS the connection is made, and then nothing is said.
  const attempt = new ZooKeeperDialer().dial(`zks://127.0.0.1:${port}`, giveUp);
  attempt.catch(() => undefined);
  await until('the connection', () => sockets.length === 1);
  giveUp.abort(new Error('it takes too long'));
  assert.match(await refusal(attempt), /it takes too long/);
  sockets[0]!.resume();
  await until('its end', () => sockets[0]!.destroyed);
  server.close();
});

test('bytes that are no answer end the connection, and the client looks for another server', async () => {
  let connections = 0;
  const { server, port } = await listening((socket) => {
    connections++;
    const writer = new JuteWriter();
    writeConnectResponse(writer, {
      protocolVersion: 0,
      timeoutMs: SESSION_TIMEOUT_MS,
      sessionId: 7n,
      password: new Uint8Array(16),
      readOnly: false,
    });
    socket.write(writer.take());
    socket.write(Buffer.from([0x7f, 0xff, 0xff, 0xff, 0, 0]));
  });
  const client = await open(at(port));
  await until('another attempt', () => connections > 1);
  await client.close();
  server.close();
});

test('zks:// trusts the authority that it is given, and shows its own certificate', async () => {
  const { ca, server, client: own } = certificates;
  await using served = await serveOverTcp({}, { tls: { ...pemOf(server), ca: ca.cert } });
  const tls = { ca: Buffer.from(ca.cert), cert: own.cert, key: own.key };
  await using client = await connect(`zks://localhost:${served.port}`, { tls });
  assert.ok(
    (await client.whoAmI()).some(({ scheme, user }) => scheme === 'x509' && user.includes('CN=client')),
  );
});

test('zks:// does not talk to who cannot prove its name', async () => {
  const { ca, server } = certificates;
  await using served = await serveOverTcp({}, { tls: pemOf(server) });
  const { signal } = new AbortController();
  const dial = (tls: object): Promise<unknown> =>
    new ZooKeeperDialer({ tls }).dial(`zks://127.0.0.1:${served.port}`, { signal });
  assert.match(await refusal(dial({})), /certificate/);
  assert.match(await refusal(dial({ ca: ca.cert, serverName: 'elsewhere' })), /elsewhere/);
  assert.match(await refusal(dial({ ca: ca.cert, cert: 'none' })), /Cannot connect/);
  await using client = await connect(`zks://127.0.0.1:${served.port}`, { tls: { ca: ca.cert } });
  assert.is(client.state, 'connected');
});

test('a scheme that nobody speaks is refused at once, with those that somebody does', async () => {
  const failure = await connect('tcp://a:1').catch((error: unknown) => error);
  assert.instance(failure, ConnectStringError);
  assert.match((failure as Error).message, /no transport speaks "tcp", only ws, wss, zk, zks/);
});

test.run();
