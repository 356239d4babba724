import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createHash } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { connect, type Client } from '../../../core/client/index.js';
import { ErrorCode, OpCode } from '../../../core/protocol/index.js';
import { silentLogger } from '../../../core/runtime/index.js';
import type { ServeOptions } from '../../../core/server/index.js';
import type { RawClient } from '../../core/server/raw-client.js';
import { Certificates } from '../../certificates/certificates.js';
import { serveOverTcp, until, type ServedOverTcp } from './served.js';
import { ask, open } from './tcp-client.js';

const certificates = new Certificates();
const folder = mkdtempSync(join(tmpdir(), 'quorate-require-auth-'));
test.after(() => {
  certificates[Symbol.dispose]();
  rmSync(folder, { recursive: true });
});

const authUsersFile = join(folder, 'users');
const saslUsersFile = join(folder, 'sasl-users');
writeFileSync(authUsersFile, 'shop:secret\n');
writeFileSync(saslUsersFile, 'bob:bobsecret\n');
const superDigest = 'super:xQJmxLMiHGwaqBvst5y6rkB6HQs=';
const shop = [{ scheme: 'digest', auth: 'shop:secret' }];

function serveGuarded(options: Partial<ServeOptions> = {}): Promise<ServedOverTcp> {
  return serveOverTcp({
    requireAuth: true,
    authUsersFile,
    saslUsersFile,
    superDigest,
    logger: silentLogger,
    ...options,
  });
}

async function failureOf(connecting: Promise<Client>): Promise<string> {
  return connecting.then(
    async (client) => {
      await client.close();
      return 'accepted';
    },
    ({ code }: { code: string }) => code,
  );
}

function authPacket(client: RawClient, auth: string): ReturnType<RawClient['send']> {
  return client.send(OpCode.auth, { type: 0, scheme: 'digest', auth: Buffer.from(auth) });
}

test('a client without an identity is refused at once, and one with an accepted identity is served', async () => {
  await using served = await serveGuarded();
  const quiet = { logger: silentLogger };
  const { address } = served.member;
  assert.is(await failureOf(connect(address, quiet)), 'SESSION_CLOSED_REQUIRE_SASL_AUTH');
  const wrong = [{ scheme: 'digest', auth: 'shop:guessed' }];
  assert.is(await failureOf(connect(address, { ...quiet, auth: wrong })), 'AUTH_FAILED');
  for (const auth of [shop, [{ scheme: 'digest', auth: 'super:admin' }]]) {
    await using client = await connect(address, { ...quiet, auth, acl: 'creator' });
    await client.create(`/of-${auth[0]!.auth.split(':')[0]}`, '');
  }
});

test("ZooKeeper's clients get nothing but authentication before they have an accepted identity", async () => {
  await using served = await serveGuarded();
  for (const [op, body] of [
    [OpCode.getData, { path: '/', watch: false }],
    [OpCode.create, { path: '/x', data: null, acl: [], flags: 0, ttlMs: 0 }],
    [OpCode.whoAmI, {}],
    [OpCode.ping, {}],
    [OpCode.closeSession, {}],
  ] as const) {
    const client = await open(served.port, 10_000);
    const reply = await client.send(op, body);
    assert.equal([reply.err, reply.zxid], [ErrorCode.sessionClosedRequireSaslAuth, 0n], `operation ${op}`);
    await client.closed;
  }
  const client = await open(served.port, 10_000);
  assert.is((await authPacket(client, 'shop:secret')).err, ErrorCode.ok);
  assert.is((await client.getData('/')).err, ErrorCode.ok);
  client.connection.terminate();
  const guessing = await open(served.port, 10_000);
  assert.is((await authPacket(guessing, 'shop:guessed')).err, ErrorCode.authFailed);
  await guessing.closed;
});

test('a session that was created for a client without an identity ends with its refusal', async () => {
  await using served = await serveGuarded();
  await using admin = await connect(served.member.address, { auth: shop, logger: silentLogger });
  const sessions = (): number => served.member.health().sessions;
  const stranger = await open(served.port, 30_000);
  await until('the session', () => sessions() === 2);
  await stranger.getData('/');
  await stranger.closed;
  await until('its end', () => sessions() === 1);
  await admin.exists('/');
});

test('a connection that never proves an identity is closed in time', async () => {
  await using served = await serveGuarded({ handshakeMs: 200 });
  const stranger = await open(served.port, 30_000);
  await stranger.closed;
});

test('SASL DIGEST-MD5 proves an identity that ACLs know, and a wrong answer ends the connection', async () => {
  await using served = await serveGuarded();
  const client = await open(served.port, 10_000);
  const first = await client.send(OpCode.sasl, { token: new Uint8Array() });
  const nonce = /nonce="([^"]+)"/.exec(Buffer.from(first.body!.token!).toString())![1]!;
  assert.equal([first.err, first.zxid], [ErrorCode.ok, 0n]);
  const answered = await client.send(OpCode.sasl, { token: answerTo(nonce, 'bobsecret') });
  assert.match(Buffer.from(answered.body!.token!).toString(), /^rspauth=[0-9a-f]{32}$/);
  const who = await client.send(OpCode.whoAmI, {});
  assert.equal(
    who.body!.clientInfo.filter(({ scheme }) => scheme === 'sasl'),
    [{ scheme: 'sasl', user: 'bob' }],
  );
  const again = await client.send(OpCode.sasl, { token: new Uint8Array() });
  assert.is(again.err, ErrorCode.sessionClosedRequireSaslAuth);
  await client.closed;

  const guessing = await open(served.port, 10_000);
  const challenge = await guessing.send(OpCode.sasl, { token: new Uint8Array() });
  const other = /nonce="([^"]+)"/.exec(Buffer.from(challenge.body!.token!).toString())![1]!;
  assert.is.not(other, nonce);
  const refused = await guessing.send(OpCode.sasl, { token: answerTo(nonce, 'bobsecret') });
  assert.is(refused.err, ErrorCode.sessionClosedRequireSaslAuth);
  await guessing.closed;
});

test('without required authentication, SASL is refused as such, and is off without its list of users', async () => {
  await using served = await serveOverTcp({ saslUsersFile, logger: silentLogger });
  const guessing = await open(served.port, 10_000);
  const challenge = await guessing.send(OpCode.sasl, { token: new Uint8Array() });
  const [, nonce] = /nonce="([^"]+)"/.exec(Buffer.from(challenge.body!.token!).toString())!;
  assert.is(
    (await guessing.send(OpCode.sasl, { token: answerTo(nonce!, 'guessed') })).err,
    ErrorCode.authFailed,
  );
  await guessing.closed;

  await using off = await serveOverTcp({ logger: silentLogger });
  const client = await open(off.port, 10_000);
  assert.is((await client.send(OpCode.sasl, { token: new Uint8Array() })).err, ErrorCode.authFailed);
  await client.closed;
});

test('a verified certificate is an accepted identity', async () => {
  const { server, client: own, ca } = certificates;
  await using served = await serveGuarded({
    tlsCert: server.certFile,
    tlsKey: server.keyFile,
    tlsCa: ca.certFile,
  });
  const { address } = served.member;
  const trusting = { ca: ca.cert };
  assert.is(
    await failureOf(connect(address, { tls: trusting, logger: silentLogger })),
    'SESSION_CLOSED_REQUIRE_SASL_AUTH',
  );
  const tls = { ...trusting, cert: own.cert, key: own.key };
  await using client = await connect(address, { tls, logger: silentLogger });
  await client.create('/mine', '');
});

test('over HTTP and by four-letter words, nobody unknown learns more than that the member lives', async () => {
  await using served = await serveGuarded();
  const http = served.member.address.replace('ws:', 'http:');
  const statusOf = async (path: string, headers: Record<string, string> = {}): Promise<unknown> =>
    (await fetch(`${http}${path}`, { headers })).json();
  assert.equal(await statusOf('/livez'), { alive: true });
  assert.equal(await statusOf('/readyz'), { ready: true });
  const basic = (text: string): Record<string, string> => ({
    authorization: `Basic ${Buffer.from(text).toString('base64')}`,
  });
  assert.equal(await statusOf('/readyz', basic('shop:guessed')), { ready: true });
  assert.is(((await statusOf('/readyz', basic('shop:secret'))) as { zxid: string }).zxid.slice(0, 2), '0x');
  assert.is(await ask(served.port, 'ruok'), 'imok');
  assert.match(await ask(served.port, 'srvr'), /not in the whitelist/);
});

test('only the administrator changes quotas where authentication is required', async () => {
  await using served = await serveGuarded();
  const { address } = served.member;
  await using client = await connect(address, { auth: shop, logger: silentLogger });
  const refused = await client.create('/zookeeper/quota/shop', '').then(
    () => 'created',
    ({ code }: { code: string }) => code,
  );
  assert.is(refused, 'NO_AUTH');
  const auth = [{ scheme: 'digest', auth: 'super:admin' }];
  await using admin = await connect(address, { auth, logger: silentLogger });
  await admin.create('/zookeeper/quota/shop', '');
  for (const attempt of [
    client.setData('/zookeeper/quota/shop', 'x'),
    client.delete('/zookeeper/quota/shop'),
    client.setAcl('/zookeeper/quota/shop', [{ perms: 31, id: { scheme: 'world', id: 'anyone' } }]),
    client.multi([{ type: 'delete', path: '/zookeeper/quota/shop' }]).catch(({ cause }: Error) => {
      throw cause;
    }),
  ])
    assert.is(
      await attempt.then(
        () => 'done',
        ({ code }: { code: string }) => code,
      ),
      'NO_AUTH',
    );
  await admin.delete('/zookeeper/quota/shop');
});

test('required authentication that nobody could pass, and a list without effect, are refused at the start', async () => {
  const refusal = (options: Partial<ServeOptions>): Promise<string> =>
    serveOverTcp({ logger: silentLogger, ...options }).then(
      (served) => served[Symbol.asyncDispose]().then(() => 'accepted'),
      ({ message }: Error) => message,
    );
  assert.match(await refusal({ requireAuth: true }), /Option requireAuth: nobody could prove an identity/);
  assert.match(
    await refusal({ authUsersFile }),
    /Option authUsersFile: it has no effect without requireAuth/,
  );
  const missing = join(folder, 'none');
  assert.match(await refusal({ requireAuth: true, authUsersFile: missing }), /authUsersFile: .*ENOENT/);
});

test('lists of users are read again on request, and what cannot be used changes nothing', async () => {
  const own = join(folder, 'own-users');
  writeFileSync(own, 'shop:secret\n');
  await using served = await serveGuarded({ authUsersFile: own });
  const attempt = (auth: string): Promise<string> =>
    failureOf(connect(served.member.address, { auth: [{ scheme: 'digest', auth }], logger: silentLogger }));
  writeFileSync(own, 'broken');
  await served.member.reload();
  assert.is(await attempt('shop:secret'), 'accepted');
  writeFileSync(own, 'shop:changed\n');
  await served.member.reload();
  assert.equal([await attempt('shop:secret'), await attempt('shop:changed')], ['AUTH_FAILED', 'accepted']);
});

/** What bob answers to a challenge, with this password. */
function answerTo(nonce: string, password: string): Uint8Array {
  const md5 = (content: Buffer | string): Buffer => createHash('md5').update(content).digest();
  const first = md5(Buffer.concat([md5(`bob:zk-sasl-md5:${password}`), Buffer.from(`:${nonce}:c`)])).toString(
    'hex',
  );
  const second = md5('AUTHENTICATE:zookeeper/zk-sasl-md5').toString('hex');
  const response = md5(`${first}:${nonce}:00000001:c:auth:${second}`).toString('hex');
  return Buffer.from(
    `username="bob",realm="zk-sasl-md5",nonce="${nonce}",cnonce="c",nc=00000001,` +
      `digest-uri="zookeeper/zk-sasl-md5",response=${response}`,
  );
}

test.run();
