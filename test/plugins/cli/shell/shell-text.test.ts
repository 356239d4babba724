import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { NoAuthError, NoNodeError, SessionExpiredError } from '../../../../core/client/index.js';
import { formatAcl, formatData, formatStat, parseAcl } from '../../../../plugins/cli/shell/format.js';
import { formatQuota, parseQuota } from '../../../../plugins/cli/shell/quota-text.js';
import { ShellError, describeError } from '../../../../plugins/cli/shell/shell-error.js';

test('a Stat is shown as ZooKeeper shows it: ids as unsigned hex, times in words', () => {
  process.env.TZ = 'UTC';
  const stat = {
    czxid: 0x1_0000_0002n,
    mzxid: 0x1_0000_0003n,
    pzxid: 0x1_0000_0004n,
    ctime: 0,
    mtime: Date.UTC(2024, 1, 29, 23, 59, 58, 700),
    version: 1,
    cversion: -1,
    aversion: 2,
    ephemeralOwner: -0x0100_0000_0000_0000n,
    dataLength: 7,
    numChildren: 3,
  };

  assert.equal(formatStat(stat).split('\n'), [
    'cZxid = 0x100000002',
    'ctime = Thu Jan 01 00:00:00 UTC 1970',
    'mZxid = 0x100000003',
    'mtime = Thu Feb 29 23:59:58 UTC 2024',
    'pZxid = 0x100000004',
    'cversion = -1',
    'dataVersion = 1',
    'aclVersion = 2',
    'ephemeralOwner = 0xff00000000000000',
    'dataLength = 7',
    'numChildren = 3',
  ]);
});

test('data is shown as text, and null data as null', () => {
  assert.is(formatData(new TextEncoder().encode('größe')), 'größe');
  assert.is(formatData(new Uint8Array(0)), '');
  assert.is(formatData(null), 'null');
});

test('an ACL is read and shown with its permissions as letters', () => {
  const acl = parseAcl('world:anyone:r,digest:alice:abc=:cdrwa,ip:::1:w');

  assert.equal(acl, [
    { perms: 1, id: { scheme: 'world', id: 'anyone' } },
    { perms: 31, id: { scheme: 'digest', id: 'alice:abc=' } },
    { perms: 2, id: { scheme: 'ip', id: '::1' } },
  ]);
  assert.is(formatAcl(acl), "'world,'anyone\n: r\n'digest,'alice:abc=\n: cdrwa\n'ip,'::1\n: w");
});

test('an ACL that is written wrong is refused, not cut short', () => {
  assert.throws(() => parseAcl('world:anyone'), /world:anyone does not have the form scheme:id:perm/);
  assert.throws(() => parseAcl('world:anyone:r,'), /does not have the form/);
  assert.throws(() => parseAcl('world:anyone:rx'), /Unknown perm type: x/);
});

test('quotas are written with hard limits behind the odd equals sign, and read with or without them', () => {
  const quota = { count: 5, bytes: -1, countHardLimit: 10, byteHardLimit: -1 };

  assert.is(formatQuota(quota), 'count=5,bytes=-1=;byteHardLimit=-1;countHardLimit=10');
  assert.equal(parseQuota(formatQuota(quota)), quota);
  assert.equal(parseQuota('count=5,bytes=7'), { ...quota, bytes: 7, countHardLimit: -1 });
  assert.equal(parseQuota('nonsense'), { count: -1, bytes: -1, countHardLimit: -1, byteHardLimit: -1 });
});

test('errors are told in the sentences of ZooKeeper’s shell, with the path', () => {
  assert.is(describeError(new NoNodeError({ path: '/a' })), 'Node does not exist: /a');
  assert.is(describeError(new NoAuthError({ path: '/a' })), 'Insufficient permission : /a');
});

test('errors without such a sentence tell their own message', () => {
  const expired = new SessionExpiredError();
  assert.is(describeError(expired), expired.message);
  assert.is(describeError(new ShellError('as it is')), 'as it is');
  assert.is(describeError('a string'), 'a string');
});

test.run();
