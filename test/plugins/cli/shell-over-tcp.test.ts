import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Certificates, pemOf } from '../../certificates/certificates.js';
import { serveOverTcp } from '../zookeeper/served.js';

const QUORATE = fileURLToPath(new URL('../../../plugins/cli/quorate.js', import.meta.url));
const certificates = new Certificates();
test.after(() => certificates[Symbol.dispose]());

/** What the shell prints, on either stream, for one command. */
function shell(...words: readonly string[]): Promise<string> {
  const child = spawn(process.execPath, [QUORATE, 'shell', ...words], { timeout: 20_000 });
  let said = '';
  child.stdout.on('data', (chunk: Buffer) => (said += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()));
  child.stdin.end();
  return new Promise((resolve) => child.on('close', () => resolve(said)));
}

test('the shell works on servers that speak ZooKeeper over TCP, below a chroot', async () => {
  await using served = await serveOverTcp();
  const at = `zk://127.0.0.1:${served.port}`;
  assert.is(await shell('--connect', at, 'create', '/app', 'x'), 'Created /app\n');
  assert.is(await shell('--connect', `${at}/app`, 'create', '/a', 'y'), 'Created /a\n');
  assert.is(await shell('--connect', at, 'get', '/app/a'), 'y\n');
});

test('the shell works under TLS, with the authority and the certificate that it is given', async () => {
  const { ca, server, client } = certificates;
  await using served = await serveOverTcp({}, { tls: { ...pemOf(server), ca: ca.cert } });
  const at = ['--connect', `zks://127.0.0.1:${served.port}`, '--patience', '3000'];
  const trusting = [...at, '--tls-ca', ca.certFile];
  const known = [...trusting, '--tls-cert', client.certFile, '--tls-key', client.keyFile];
  assert.is(await shell(...known, 'ls', '/'), '[zookeeper]\n');
  assert.match(await shell(...at, '--tls-ca', '/no/such/file', 'ls', '/'), /no such file/);
});

test('the shell takes certificates and identities from the environment, too', async () => {
  const { ca, server, client } = certificates;
  await using served = await serveOverTcp({}, { tls: { ...pemOf(server), ca: ca.cert } });
  const environment = {
    QUORATE_TLS_CA: ca.certFile,
    QUORATE_TLS_CERT: client.certFile,
    QUORATE_TLS_KEY: client.keyFile,
    QUORATE_AUTH: 'digest:ann:one\ndigest:bob:two',
  };
  const child = spawn(
    process.execPath,
    [QUORATE, 'shell', '--connect', `zks://127.0.0.1:${served.port}`, 'whoami'],
    { timeout: 20_000, env: { ...process.env, ...environment } },
  );
  let said = '';
  child.stdout.on('data', (chunk: Buffer) => (said += chunk.toString()));
  await new Promise((resolve) => child.on('close', resolve));
  assert.match(said, /x509: ?CN=client,O=Quorate/);
  assert.match(said, /digest: ?ann/);
  assert.match(said, /digest: ?bob/);
});

test.run();
