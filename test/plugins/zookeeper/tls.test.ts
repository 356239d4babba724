import { connect as connectTcp } from 'node:net';
import { connect as connectTls, type ConnectionOptions } from 'node:tls';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { OpCode } from '../../../core/protocol/index.js';
import { ZooKeeperListener } from '../../../plugins/zookeeper/index.js';
import { RawClient } from '../../core/server/raw-client.js';
import { Certificates, pemOf } from '../../certificates/certificates.js';
import { serveOverTcp } from './served.js';
import { TcpEnd } from './tcp-client.js';

const certificates = new Certificates();
test.after(() => certificates[Symbol.dispose]());

const { server, client, stranger, ca } = certificates;

/** Rejects when the handshake of TLS fails. */
async function dial(
  port: number,
  options: ConnectionOptions = {},
): Promise<{ client: RawClient; tcp: TcpEnd }> {
  const socket = connectTls({ port, host: '127.0.0.1', ca: ca.cert, ...options });
  const tcp = await TcpEnd.over(socket, 'secureConnect');
  return { client: new RawClient(tcp), tcp };
}

test('a client is served under TLS as it is without', async () => {
  await using served = await serveOverTcp({}, { tls: pemOf(server) });
  const { client } = await dial(served.port);

  await client.connect();
  assert.is((await client.create('/secret', 'x'.repeat(300_000), 1)).err, 0);
  assert.is((await client.getData('/secret')).body!.data!.length, 300_000);
  assert.is((await client.send(OpCode.closeSession, {})).err, 0);
  await client.closed;
});

test('a four-letter word is answered under TLS', async () => {
  await using served = await serveOverTcp({}, { tls: pemOf(server) });
  const { tcp } = await dial(served.port);

  tcp.send(Buffer.from('conf'));
  await tcp.ended;

  assert.match(tcp.received.toString(), new RegExp(`^clientPort=-1\nsecureClientPort=${served.port}\n`));
});

test('who does not speak TLS is let go, and who begins it and stops does not stay', async () => {
  await using served = await serveOverTcp({}, { tls: { ...pemOf(server), handshakeMs: 200 } });
  const plain = await TcpEnd.open(served.port);
  plain.send(Buffer.from('ruok'));
  const silent = connectTcp({ port: served.port, host: '127.0.0.1' });

  await plain.ended;
  await new Promise((resolve) => silent.once('close', resolve).resume());

  assert.not.match(plain.received.toString('latin1'), /imok/);
});

test('with an authority, a client needs a certificate that it has signed', async () => {
  await using served = await serveOverTcp({}, { tls: { ...pemOf(server), ca: ca.cert } });
  for (const credentials of [{}, { cert: stranger.cert, key: stranger.key }]) {
    // In TLS 1.3 the client thinks that all is well until the server has looked at its certificate.
    const { client } = await dial(served.port, credentials);
    await client.connect().then(
      () => assert.unreachable('served without a certificate that counts'),
      () => undefined,
    );
  }
  const { client: welcome } = await dial(served.port, { cert: client.cert, key: client.key });
  assert.ok((await welcome.connect()).sessionId !== 0n);
  welcome.connection.terminate();
});

test('the subject of a certificate is an identity that ACLs know, most specific part first as in Java', async () => {
  await using served = await serveOverTcp({}, { tls: { ...pemOf(server), ca: ca.cert } });
  const { client: owner } = await dial(served.port, { cert: client.cert, key: client.key });
  await owner.connect();

  const acl = [{ perms: 31, id: { scheme: 'auth', id: '' } }];
  const created = { path: '/owned', data: null, acl, flags: 0, ttlMs: 0 };
  assert.is((await owner.send(OpCode.create, created)).err, 0);

  const stored = await owner.send(OpCode.getAcl, { path: '/owned' });
  assert.equal(stored.body!.acl, [{ perms: 31, id: { scheme: 'x509', id: 'CN=client,O=Quorate' } }]);
  assert.is((await owner.getData('/owned')).err, 0);
  owner.connection.terminate();
});

test('certificates that cannot be used are refused before anything is opened', () => {
  const refusal = (tls: { cert: string; key: string; ca?: string }): string => {
    try {
      return `accepted by ${new ZooKeeperListener({ port: 0, tls }).constructor.name}`;
    } catch (error) {
      return (error as Error).message;
    }
  };
  assert.match(refusal({ cert: server.cert, key: client.key }), /Option tls: .*cannot be used: .*mismatch/);
  assert.match(refusal({ cert: 'nonsense', key: server.key }), /Option tls: .*Give each as PEM/);
  assert.match(refusal({ ...pemOf(server), cert: server.cert, key: 'nonsense' }), /Option tls/);
});

test.run();
