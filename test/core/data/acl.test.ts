import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { expandAcl, isAllowed, redactAcl } from '../../../core/data/index.js';
import { type Acl, type Id, OPEN_ACL, Permission } from '../../../core/protocol/index.js';

const { read, write, create, admin, all } = Permission;

function id(text: string): Id {
  const colon = text.indexOf(':');
  return { scheme: text.slice(0, colon), id: text.slice(colon + 1) };
}

function entry(who: string, perms: number = all): Acl {
  return { perms, id: id(who) };
}

const alice = id('digest:alice:hash');

test('an open ACL allows everything to everybody', () => {
  assert.ok(isAllowed(OPEN_ACL, all, []));
});

test('an empty list allows everything', () => {
  assert.ok(isAllowed([], write, []));
});

test('only what is granted is allowed', () => {
  const acl = [entry('world:anyone', read), entry('digest:alice:hash', write)];

  assert.ok(isAllowed(acl, read, []));
  assert.not(isAllowed(acl, write, []));
  assert.ok(isAllowed(acl, write, [alice]));
  assert.not(isAllowed(acl, create, [alice]));
});

test('one wanted bit out of several is enough', () => {
  assert.ok(isAllowed([entry('world:anyone', read)], read | admin, []));
});

test('an identity passes only in its own scheme and spelling', () => {
  const acl = [entry('digest:alice:hash')];

  assert.ok(isAllowed(acl, read, [id('ip:10.0.0.1'), alice]));
  for (const other of ['digest:alice:other', 'sasl:alice:hash', 'digest:Alice:hash', 'world:anyone']) {
    assert.not(isAllowed(acl, read, [id(other)]), other);
  }
});

test('an address passes no entry of another scheme, whatever its text looks like', () => {
  for (const scheme of ['sasl', 'x509', 'digest']) {
    assert.not.ok(isAllowed([entry(`${scheme}:10.0.0.1`)], read, [id('ip:10.0.0.1')]));
    assert.not.ok(isAllowed([entry('ip:10.0.0.1')], read, [id(`${scheme}:10.0.0.1`)]));
  }
  assert.ok(isAllowed([entry('ip:10.0.0.1')], read, [id('ip:10.0.0.1')]));
});

test('a super user passes every list, also one that grants nothing', () => {
  assert.ok(isAllowed([entry('digest:alice:hash', 0)], all, [id('super:')]));
});

test('an address passes where the network contains it', () => {
  const cases: [network: string, address: string, contained: boolean][] = [
    ['10.0.0.1', '10.0.0.1', true],
    ['10.0.0.1', '10.0.0.2', false],
    ['10.0.0.0/8', '10.255.1.2', true],
    ['10.0.0.0/8', '11.0.0.1', false],
    ['192.168.4.0/22', '192.168.7.255', true],
    ['192.168.4.0/22', '192.168.8.0', false],
    ['0.0.0.0/0', '203.0.113.9', true],
    ['10.0.0.128/25', '10.0.0.129', true],
    ['10.0.0.128/25', '10.0.0.127', false],
    ['::1', '0:0:0:0:0:0:0:1', true],
    ['2001:db8::/32', '2001:db8:ffff::1', true],
    ['2001:db8::/32', '2001:db9::1', false],
    ['2001:db8::/33', '2001:db8:8000::1', false],
    ['fe80::/10', 'fe80::1%eth0', true],
    ['::/0', '2001:db8::1', true],
  ];
  for (const [network, address, contained] of cases) {
    const acl = [entry(`ip:${network}`)];
    assert.is(isAllowed(acl, read, [id(`ip:${address}`)]), contained, `${address} in ${network}`);
  }
});

test('an IPv4 address seen through an IPv6 socket is the IPv4 address, on either side', () => {
  assert.ok(isAllowed([entry('ip:10.0.0.0/8')], read, [id('ip:::ffff:10.1.2.3')]));
  assert.ok(isAllowed([entry('ip:::ffff:10.0.0.0/104')], read, [id('ip:10.1.2.3')]));
  assert.ok(isAllowed([entry('ip:::ffff:a01:203')], read, [id('ip:10.1.2.3')]));
});

test('an IPv6 network never contains an IPv4 address, wide as it may be', () => {
  assert.not(isAllowed([entry('ip:::/0')], read, [id('ip:10.1.2.3')]));
  assert.not(isAllowed([entry('ip:::/64')], read, [id('ip:::ffff:10.1.2.3')]));
  assert.not(isAllowed([entry('ip:::ffff:0:0/90')], read, [id('ip:10.1.2.3')]));
  assert.not(isAllowed([entry('ip:0.0.0.0/0')], read, [id('ip:::1')]));
});

test('an address that cannot be read passes nowhere', () => {
  for (const address of ['', 'localhost', '10.0.0', '10.0.0.256', '1::2::3', '12345::']) {
    assert.not(isAllowed([entry('ip:0.0.0.0/0'), entry('ip:::/0')], read, [id(`ip:${address}`)]), address);
  }
});

test('an ACL is stored as given, without exact duplicates', () => {
  const acl = [
    entry('world:anyone', read),
    entry('digest:a:b'),
    entry('world:anyone', read),
    entry('digest:a:b', read),
  ];

  assert.equal(expandAcl(acl, []), [acl[0], acl[1], acl[3]]);
});

test('a digest id is valid if it has one user and one hash, as Java splits it', () => {
  const isValid = (text: string): boolean => expandAcl([entry(`digest:${text}`)], []) !== null;
  for (const text of ['a:b', ':b', 'a:b:', 'a:b::', ':b:']) assert.ok(isValid(text), text);
  for (const text of ['', 'a', 'a:', ':', '::', 'a::', '::b', 'a::b', 'a:b:c'])
    assert.not(isValid(text), text);
});

test('an empty ACL is invalid', () => {
  assert.is(expandAcl([], [alice]), null);
});

test('auth becomes one entry for each identity that was proved', () => {
  const identities = [id('ip:10.0.0.1'), alice, id('super:'), id('x509:CN=bob'), id('sasl:carol')];

  const expanded = expandAcl([entry('auth:ignored', read)], identities);

  assert.equal(expanded, [
    entry('digest:alice:hash', read),
    entry('x509:CN=bob', read),
    entry('sasl:carol', read),
  ]);
});

test('auth is invalid for somebody who is known by an address only', () => {
  assert.is(expandAcl([entry('auth:')], [id('ip:10.0.0.1')]), null);
  assert.is(expandAcl([entry('world:anyone', read), entry('auth:')], []), null);
});

test('what auth becomes is not stored twice', () => {
  const acl = [entry('digest:alice:hash'), entry('auth:'), entry('auth:again')];

  assert.equal(expandAcl(acl, [alice]), [entry('digest:alice:hash')]);
});

test('one entry that is badly written makes the whole ACL invalid', () => {
  const bad = [
    'world:everyone',
    'world:',
    'digest:nocolon',
    'digest:two:colons:here',
    'ip:',
    'ip:localhost',
    'ip:10.0.0.1/33',
    'ip:10.0.0.1/-1',
    'ip:10.0.0.1/8/8',
    'ip:10.0.0.01',
    'ip:1::2::3',
    'ip:1:2:3:4:5:6:7',
    'ip:1:2:3:4:5:6:7:8:9',
    'ip:2001:db8::/129',
    'sasl:',
    'x509:',
    'super:',
    'host:example.org',
    ':',
  ];
  for (const who of bad) assert.is(expandAcl([entry('world:anyone'), entry(who)], [alice]), null, who);
});

test('well-written entries of every scheme are valid', () => {
  const good = [
    'world:anyone',
    'digest:a:b',
    'ip:10.0.0.0/8',
    'ip:2001:db8::/32',
    'ip:::',
    'ip:1:2:3:4:5:6:7:8',
    'ip:::ffff:1.2.3.4',
    'sasl:alice@EXAMPLE.ORG',
    'x509:CN=alice,O=x',
  ];
  for (const who of good) assert.equal(expandAcl([entry(who)], []), [entry(who)], who);
});

test('the hash of a digest is shown as x, and nothing else is touched', () => {
  const acl = [
    entry('digest:alice:hash', read),
    entry('ip:::1'),
    entry('world:anyone'),
    entry('digest:bob:a:b'),
  ];

  assert.equal(redactAcl(acl), [
    entry('digest:alice:x', read),
    entry('ip:::1'),
    entry('world:anyone'),
    entry('digest:bob:x'),
  ]);
});

test.run();
