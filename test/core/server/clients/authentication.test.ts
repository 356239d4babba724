import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ErrorCode, OpCode } from '../../../../core/protocol/index.js';
import { Accounts } from '../../../../core/server/configuration/accounts.js';
import {
  Authentication,
  identitiesOfAddress,
  withIdentities,
} from '../../../../core/server/clients/authentication.js';
import { World } from '../world.js';

const NO_RULES = { superDigest: null, superUser: null, requireAuth: false };

const digest = (text: string): { type: number; scheme: string; auth: Uint8Array } => ({
  type: 0,
  scheme: 'digest',
  auth: Buffer.from(text),
});

test('a digest identity is the user and the hash of user and password', () => {
  const of = (text: string): unknown =>
    new Authentication(NO_RULES).identities(digest(text))?.map(({ id }) => id);
  assert.equal(of('user:pass'), ['user:smGaoVKd/cQkjm7b88GyorAUz20=']);
  assert.equal(of('super:admin'), ['super:xQJmxLMiHGwaqBvst5y6rkB6HQs=']);
  assert.match(String(of('a:b:c')), /^a:[^:]+$/);
  assert.match(String(of('no colon')), /^no colon:[^:]+$/, 'a user without a password');
  assert.equal(of(''), [':2jmj7l5rSw0yVb/vlWAYkK/YBwk=']);
});

test('a digest without any proof is refused, unlike one with an empty proof', () => {
  assert.is(new Authentication(NO_RULES).identities({ type: 0, scheme: 'digest', auth: null }), null);
});

test('an unknown scheme proves nothing', () => {
  assert.is(
    new Authentication(NO_RULES).identities({ type: 0, scheme: 'world', auth: new Uint8Array() }),
    null,
  );
});

test('an address is an identity without its port', () => {
  assert.equal(identitiesOfAddress('10.0.0.1:4711'), [{ scheme: 'ip', id: '10.0.0.1' }]);
  assert.equal(identitiesOfAddress('[2001:db8::1]:4711'), [{ scheme: 'ip', id: '2001:db8::1' }]);
});

test('an identity that is there already is not added again', () => {
  const present = identitiesOfAddress('10.0.0.1:1');
  assert.is(withIdentities(present, present), present);
  assert.is(withIdentities(present, [{ scheme: 'digest', id: 'a:b' }]).length, 2);
});

test('whoever proves the super identity passes every ACL, and whoAmI shows no hash', async () => {
  await using world = await World.start({ superDigest: 'super:xQJmxLMiHGwaqBvst5y6rkB6HQs=' });
  const [owner, boss] = [await world.open(), await world.open()];
  await world.wait(owner.send(OpCode.auth, digest('user:pass')));
  const mine = [{ perms: 31, id: { scheme: 'auth', id: '' } }];
  await world.wait(owner.send(OpCode.create, { path: '/mine', data: null, acl: mine, flags: 0, ttlMs: 0 }));
  assert.is((await world.wait(boss.setData('/mine', 'x'))).err, ErrorCode.noAuth);

  await world.wait(boss.send(OpCode.auth, digest('super:admin')));

  assert.is((await world.wait(boss.setData('/mine', 'x'))).err, ErrorCode.ok);
  const { body } = await world.wait(boss.send(OpCode.whoAmI, {}));
  assert.equal(
    body!.clientInfo.map(({ scheme, user }) => `${scheme}:${user}`),
    ['ip:memory', 'digest:super', 'super:'],
  );
});

test('identities belong to the connection, not to the session', async () => {
  await using world = await World.start();
  const client = await world.open();
  await world.wait(client.send(OpCode.auth, digest('user:pass')));
  const again = await world.dial();
  await world.wait(again.resume(client));
  const { body } = await world.wait(again.send(OpCode.whoAmI, {}));
  assert.is(body!.clientInfo.length, 1);
});

test('a connection cannot gather identities without end', async () => {
  await using world = await World.start();
  const client = await world.open();
  const errors = new Set<number>();
  for (let count = 0; count < 100 && client.end === null; count++) {
    const reply = client.send(OpCode.auth, digest(`user${count}:pass`)).catch(() => null);
    errors.add((await world.wait(reply))?.err ?? 0);
  }
  assert.equal([...errors], [0, ErrorCode.authFailed]);
});

test('where an identity is required, an address and a digest that anybody can claim are none', () => {
  const accounts = new Accounts();
  const authentication = new Authentication({ ...NO_RULES, requireAuth: true }, accounts);
  const isAccepted = (scheme: string, id: string): boolean => authentication.isAccepted([{ scheme, id }]);
  assert.not(isAccepted('digest', 'ann:hash'));
  assert.not(isAccepted('ip', '127.0.0.1'));
  accounts.digests = new Set(['ann:hash']);
  assert.ok(isAccepted('digest', 'ann:hash'));
  assert.not(isAccepted('digest', 'bob:hash'));
  for (const scheme of ['x509', 'sasl', 'super']) assert.ok(isAccepted(scheme, ''), scheme);
});

test('connections share by an accepted identity, and without one by their address, whatever digests they claim', () => {
  const accounts = new Accounts();
  const authentication = new Authentication(NO_RULES, accounts);
  const address = { scheme: 'ip', id: '10.0.0.1' };
  const claimed = ['ann:hash', 'bob:hash'].map((id) => ({ scheme: 'digest', id }));
  assert.is(authentication.shareKey([]), '');
  for (const identities of [[address], [address, ...claimed]])
    assert.is(authentication.shareKey(identities), 'ip:10.0.0.1');
  assert.is(authentication.shareKey([address, ...claimed, { scheme: 'sasl', id: 'eve' }]), 'sasl:eve');
  accounts.digests = new Set(['bob:hash']);
  assert.is(authentication.shareKey([address, ...claimed]), 'digest:bob:hash');
});

test('the user of SASL or the certificate that superUser names passes every ACL, and nobody else does', () => {
  for (const [superUser, scheme, id] of [
    ['sasl:root', 'sasl', 'root'],
    ['x509:CN=root,O=Acme', 'x509', 'CN=root,O=Acme'],
  ] as const) {
    const authentication = new Authentication({ ...NO_RULES, superUser });
    const isSuper = (...proved: readonly { scheme: string; id: string }[]): boolean =>
      authentication.withRights(proved).some((identity) => identity.scheme === 'super');
    assert.ok(isSuper({ scheme: 'ip', id: '::1' }, { scheme, id }));
    assert.not(isSuper({ scheme: 'digest', id }));
    assert.not(isSuper({ scheme, id: `${id}2` }));
    assert.not(isSuper());
  }
  assert.equal(new Authentication(NO_RULES).withRights([{ scheme: 'sasl', id: 'root' }]).length, 1);
});

test.run();
