import { copyFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { connect } from '../../core/client/index.js';
import { silentLogger } from '../../core/runtime/index.js';
import { Certificates } from '../certificates/certificates.js';
import { MemberProcess, until } from './member-process.js';

const certificates = new Certificates();
test.after(() => certificates[Symbol.dispose]());
const { ca, server } = certificates;

let data = '';
test.before.each(async () => {
  data = await mkdtemp(join(tmpdir(), 'quorate-'));
});
test.after.each(() => rm(data, { recursive: true, force: true }));

function presentedBy(port: number): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    const socket = connectTls({ port, host: '127.0.0.1', ca: ca.cert }, () => {
      resolve(socket.getPeerX509Certificate()?.subject);
      socket.destroy();
    });
    socket.on('error', reject);
  });
}

test('SIGHUP does not end a member that has nothing to read again', async () => {
  const member = await MemberProcess.start(['--data', join(data, 'd')]);
  await using client = await connect(member.address, { logger: silentLogger });
  const states: string[] = [];
  client.onState((state) => states.push(state));
  process.kill(member.pid, 'SIGHUP');
  await until(() => /Reloading certificates and secrets/.test(member.log), 'the line of the signal');
  await client.create('/after', '');
  assert.equal(states, []);
  await member.kill('SIGTERM');
});

test('SIGHUP does not end a member that has no quorum yet', async () => {
  const ensemble = '1=127.0.0.1:7300,2=127.0.0.1:7301,3=127.0.0.1:7302';
  const member = MemberProcess.spawn(['--data', join(data, 'd'), '--id', '1', '--ensemble', ensemble]);
  await until(() => /This ensemble has no secret/.test(member.log), 'the warning of its start');
  process.kill(member.pid, 'SIGHUP');
  await until(() => /Reloading certificates and secrets/.test(member.log), 'the line of the signal');
  assert.equal(await member.kill('SIGKILL'), { code: null, signal: 'SIGKILL' });
});

test('on SIGHUP a member reads its certificate again, and its connections stay', async () => {
  const [cert, key] = [join(data, 'cert.pem'), join(data, 'key.pem')];
  await copyFile(server.certFile, cert);
  await copyFile(server.keyFile, key);
  const member = await MemberProcess.start(['--data', join(data, 'd'), '--tls-cert', cert, '--tls-key', key]);
  await using client = await connect(member.address, { tls: { ca: ca.cert }, logger: silentLogger });
  const states: string[] = [];
  client.onState((state) => states.push(state));
  const { port } = new URL(member.address);

  const renewed = certificates.renewed('renewed-by-signal');
  await writeFile(cert, renewed.cert);
  await writeFile(key, renewed.key);
  process.kill(member.pid, 'SIGHUP');
  await until(() => /TLS certificates reloaded/.test(member.log), 'the line of the signal');

  assert.is(await presentedBy(Number(port)), 'CN=renewed-by-signal');
  await client.create('/after', '');
  assert.equal(states, []);
  await member.kill('SIGTERM');
});

test.run();
