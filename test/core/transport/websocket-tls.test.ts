import { get } from 'node:https';
import { get as getPlain } from 'node:http';
import { connect as connectTcp, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { silentLogger, SystemClock, type QuorateError } from '../../../core/runtime/index.js';
import { WebSocketDialer, type Connection, type TlsOptions } from '../../../core/transport/index.js';
import {
  SocketBudget,
  WebSocketListener,
  type ServerTls,
  type TlsMaterial,
  type WebSocketListenerOptions,
} from '../../../core/transport/listener.js';
import { Certificates } from '../../certificates/certificates.js';

const certificates = new Certificates();
test.after(() => certificates[Symbol.dispose]());

const never = new AbortController().signal;
const { ca, server, client, stranger } = certificates;

/** Material that a test replaces. */
class Material implements ServerTls {
  material: TlsMaterial;
  readonly #listeners = new Set<() => void>();

  constructor(material: TlsMaterial) {
    this.material = material;
  }

  replace(material: TlsMaterial): void {
    this.material = material;
    for (const listener of this.#listeners) listener();
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}

interface Served extends AsyncDisposable {
  readonly port: number;
  readonly budget: SocketBudget;
  /** Subjects of the certificates of the clients that were accepted; empty for those without one. */
  readonly subjects: string[];
}

async function serve(
  tls: ServerTls | undefined,
  options: Partial<WebSocketListenerOptions> = {},
): Promise<Served> {
  const budget = new SocketBudget({ total: 20, unproven: 4 });
  const listener = new WebSocketListener({
    host: '127.0.0.1',
    port: 0,
    sockets: budget,
    requestTimeoutMs: 5_000,
    clock: new SystemClock(),
    logger: silentLogger,
    tls,
    ...options,
  });
  const subjects: string[] = [];
  listener.route('/client', {
    from: 'client',
    subprotocol: 'zookeeper.v1',
    maxMessageBytes: 1_000,
    accept: (connection, certificate) => {
      subjects.push(certificate?.subject ?? '');
      connection.handle({ message: (bytes) => connection.send(bytes), closed: () => undefined });
    },
  });
  listener.get('/livez', () => ({ status: 200, contentType: 'text/plain', body: 'alive' }));
  const { port } = await listener.listen();
  return { port, budget, subjects, [Symbol.asyncDispose]: () => listener.close() };
}

function materialOf(
  { cert, key }: { readonly cert: string; readonly key: string },
  withCa = false,
): Material {
  return new Material({ cert, key, ca: withCa ? ca.cert : null });
}

function dial(address: string, tls: TlsOptions | (() => TlsOptions)): Promise<Connection> {
  return new WebSocketDialer({ tls }).dial(address, { signal: never });
}

async function echoOf(connection: Connection): Promise<number[]> {
  return new Promise((resolve, reject) => {
    connection.handle({
      message: (bytes) => resolve([...bytes]),
      closed: ({ text }) => reject(new Error(text)),
    });
    connection.send(Uint8Array.of(7));
  });
}

async function refusalOf(
  dialling: Promise<Connection>,
): Promise<{ code: string; reason: unknown; text: string }> {
  try {
    (await dialling).terminate();
  } catch (error) {
    const { code, fields, message } = error as QuorateError;
    return { code, reason: fields.reason, text: message };
  }
  return assert.unreachable('the connection was accepted') as never;
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5));
}

function closed(socket: Socket): Promise<void> {
  socket.on('error', () => undefined);
  return new Promise((resolve) => socket.once('close', () => resolve()).resume());
}

test('a dialer that trusts the authority exchanges messages with the listener under TLS', async () => {
  await using served = await serve(materialOf(server));
  const connection = await dial(`wss://127.0.0.1:${served.port}`, { ca: ca.cert });
  assert.equal(await echoOf(connection), [7]);
  assert.equal(served.subjects, ['']);
  connection.terminate();
});

test('a certificate of a client is passed on verified, and a bad one is refused with its reason', async () => {
  await using served = await serve(materialOf(server, true));
  const address = `wss://127.0.0.1:${served.port}`;
  const accepted = await dial(address, { ca: ca.cert, cert: client.cert, key: client.key });
  assert.equal(served.subjects, ['O=Quorate\nCN=client']);
  accepted.terminate();

  const { code, reason, text } = await refusalOf(
    dial(address, { ca: ca.cert, cert: stranger.cert, key: stranger.key }),
  );
  assert.equal([code, reason], ['TLS_FAILED', 'certificate-refused']);
  assert.match(text, /--tls-cert and --tls-key/);
});

test('a listener that requires certificates refuses a client without one, and says so', async () => {
  await using served = await serve(materialOf(server, true), { requiresCertificate: true });
  const { reason } = await refusalOf(dial(`wss://127.0.0.1:${served.port}`, { ca: ca.cert }));
  assert.is(reason, 'certificate-refused');
  assert.equal(served.subjects, []);
});

test('each way in which the ends disagree on TLS or on a certificate has a reason and a remedy', async () => {
  await using secure = await serve(materialOf(server));
  await using plain = await serve(undefined);
  await using expired = await serve(materialOf(certificates.expired));
  await using elsewhere = await serve(materialOf(certificates.elsewhere));
  const at = (scheme: string, { port }: Served): string => `${scheme}://127.0.0.1:${port}`;
  const trusting = { ca: ca.cert };
  const cases: readonly [() => Promise<Connection>, string, RegExp][] = [
    [() => dial(at('ws', secure), {}), 'server-with-tls', /Connect with wss:\/\//],
    [() => dial(at('wss', plain), trusting), 'server-without-tls', /Connect with ws:\/\/.*--tls-cert/],
    [
      () => dial(at('wss', secure), { ca: certificates.otherCa.cert }),
      'untrusted',
      /--tls-ca, QUORATE_TLS_CA/,
    ],
    [() => dial(at('wss', secure), {}), 'untrusted', /--tls-ca/],
    [() => dial(at('wss', expired), trusting), 'expired', /Renew it/],
    [() => dial(at('wss', elsewhere), trusting), 'wrong-name', /elsewhere\.example.*--tls-server-name/],
    [
      () => dial(at('wss', secure), { ...trusting, cert: client.cert, key: server.key }),
      'unusable',
      /belongs to/,
    ],
    [() => dial(at('wss', secure), { ...trusting, cert: 'nonsense', key: client.key }), 'unusable', /as PEM/],
  ];
  for (const [dialling, expectedReason, remedy] of cases) {
    const { code, reason, text } = await refusalOf(dialling());
    assert.equal([code, reason], ['TLS_FAILED', expectedReason], text);
    assert.match(text, remedy);
  }
});

test('an expected server name takes the place of the dialled host', async () => {
  await using served = await serve(materialOf(certificates.elsewhere));
  const tls = { ca: ca.cert, serverName: 'elsewhere.example' };
  const connection = await dial(`wss://127.0.0.1:${served.port}`, tls);
  assert.equal(await echoOf(connection), [7]);
  connection.terminate();
});

test('a replaced certificate is presented to new connections, and open ones stay', async () => {
  const material = materialOf(server);
  await using served = await serve(material);
  const address = `wss://127.0.0.1:${served.port}`;
  const open = await dial(address, { ca: ca.cert });
  material.replace({ ...certificates.renewed('renewed-server'), ca: null });

  const subject = await new Promise((resolve) => {
    const socket = connectTls({ port: served.port, host: '127.0.0.1', ca: ca.cert }, () => {
      resolve(socket.getPeerX509Certificate()?.subject);
      socket.destroy();
    });
  });

  assert.is(subject, 'CN=renewed-server');
  assert.equal(await echoOf(open), [7]);
  open.terminate();
});

test('a function given as TLS options is called for each connection', async () => {
  await using served = await serve(materialOf(server));
  const authorities = [certificates.otherCa.cert, ca.cert];
  const dialer = new WebSocketDialer({ tls: () => ({ ca: authorities.shift() }) });
  const address = `wss://127.0.0.1:${served.port}`;
  assert.is((await refusalOf(dialer.dial(address, { signal: never }))).reason, 'untrusted');
  (await dialer.dial(address, { signal: never })).terminate();
});

test('a status is answered under TLS, and in plain text the sender is told to use TLS', async () => {
  await using served = await serve(materialOf(server));
  const body = await new Promise<string>((resolve, reject) => {
    get({ port: served.port, host: '127.0.0.1', path: '/livez', ca: ca.cert, agent: false }, (response) => {
      response.on('data', (bytes: Buffer) => resolve(bytes.toString()));
    }).once('error', reject);
  });
  const plain = await new Promise((resolve, reject) => {
    getPlain({ port: served.port, host: '127.0.0.1', path: '/livez', agent: false }, (response) => {
      response.on('data', (bytes: Buffer) => resolve([response.statusCode, bytes.toString()]));
    }).once('error', reject);
  });
  assert.is(body, 'alive');
  assert.equal(plain, [426, 'This port accepts only TLS: use wss:// or https://.\n']);
});

test('a socket that stays silent before, within or behind its TLS handshake is destroyed in time', async () => {
  await using served = await serve(materialOf(server), { requestTimeoutMs: 200 });
  const to = { port: served.port, host: '127.0.0.1' };
  const silent = connectTcp(to);
  const half = connectTcp(to, () => half.write(Buffer.of(0x16, 3, 1, 2)));
  const idle = connectTls({ ...to, ca: ca.cert });
  await Promise.all([silent, half, idle].map(closed));
  await until(() => served.budget.size === 0);
});

test('silent sockets under TLS make room for others: the oldest of them is destroyed', async () => {
  await using served = await serve(materialOf(server));
  const to = { port: served.port, host: '127.0.0.1' };
  const idle = connectTls({ ...to, ca: ca.cert });
  await new Promise((resolve) => idle.once('secureConnect', resolve));
  const ended = closed(idle);
  const others = Array.from({ length: 4 }, () => connectTcp(to));
  await ended;
  const connection = await dial(`wss://127.0.0.1:${served.port}`, { ca: ca.cert });
  assert.equal(await echoOf(connection), [7]);
  assert.ok(served.budget.unprovenSize <= 4);
  connection.terminate();
  for (const socket of others) socket.destroy();
});

test('a client that offers only TLS 1.1 is refused', async () => {
  await using served = await serve(materialOf(server));
  const options = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' } as const;
  const socket = connectTls({ port: served.port, host: '127.0.0.1', ca: ca.cert, ...options });
  const problem = await new Promise<string>((resolve) => {
    socket.once('secureConnect', () => resolve('accepted'));
    socket.once('error', ({ message }) => resolve(message));
  });
  assert.match(problem, /protocol version/i);
});

test.run();
