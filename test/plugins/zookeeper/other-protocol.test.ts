import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { connect } from '../../../core/client/index.js';
import { warningLogger, type Logger } from '../../../core/runtime/index.js';
import { Certificates, pemOf } from '../../certificates/certificates.js';
import { serveOverTcp } from './served.js';

const certificates = new Certificates();
test.after(() => certificates[Symbol.dispose]());

const quiet: Logger = { ...warningLogger, info: () => undefined, warn: () => undefined, child: () => quiet };

/** Why no session was granted, as `CONNECT_TIMEOUT` says it. */
async function whyNot(url: string, tls = {}): Promise<string> {
  return connect(url, { connectTimeoutMs: 1_500, logger: quiet, tls }).then(
    async (client) => {
      await client.close();
      return 'connected';
    },
    (error: Error) => error.message,
  );
}

test('zk:// to a port of WebSockets, with or without TLS, names the protocol and what to connect with', async () => {
  await using plain = await serveOverTcp();
  const { certFile, keyFile } = certificates.server;
  await using secure = await serveOverTcp({ tlsCert: certFile, tlsKey: keyFile });
  const tls = { ca: certificates.ca.cert };
  assert.match(await whyNot(`zk://127.0.0.1:${plain.member.port}`), /speaks HTTP and WebSocket .*ws:\/\//);
  assert.match(
    await whyNot(`zks://127.0.0.1:${secure.member.port}`, tls),
    /speaks HTTP and WebSocket .*wss:\/\//,
  );
  assert.match(await whyNot(`zk://127.0.0.1:${secure.member.port}`), /only TLS.*wss:\/\//);
});

test("ws:// to ZooKeeper's port, with or without TLS, names the protocol and what to connect with", async () => {
  await using plain = await serveOverTcp();
  await using secure = await serveOverTcp({}, { tls: pemOf(certificates.server) });
  const tls = { ca: certificates.ca.cert };
  assert.match(await whyNot(`ws://127.0.0.1:${plain.port}`), /speaks ZooKeeper's protocol .*zk:\/\//);
  assert.match(await whyNot(`wss://127.0.0.1:${secure.port}`, tls), /speaks ZooKeeper's protocol .*zks:\/\//);
});

test("a browser that opens ZooKeeper's port reads what the port is", async () => {
  await using served = await serveOverTcp();
  const answer = await fetch(`http://127.0.0.1:${served.port}/readyz`);
  assert.is(answer.status, 421);
  assert.match(await answer.text(), /zk:\/\//);
});

test.run();
