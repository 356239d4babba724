import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { connect } from '../../../framework/index.js';
import { type Served, serve } from '../../../core/server/index.js';
import {
  endLine,
  headLine,
  parseExport,
  znodeLine,
  type MovedZnode,
} from '../../../plugins/cli/transfer/export-format.js';
import { readSubtree } from '../../../plugins/cli/transfer/read-subtree.js';
import { writeSubtree } from '../../../plugins/cli/transfer/write-subtree.js';
import { ZooKeeperListener } from '../../../plugins/zookeeper/index.js';

const QUORATE = fileURLToPath(new URL('../../../plugins/cli/quorate.js', import.meta.url));
const OPEN = [{ perms: 31, id: { scheme: 'world', id: 'anyone' } }];
const SHUT = [{ perms: 19, id: { scheme: 'world', id: 'anyone' } }];
const BINARY = Uint8Array.of(0, 0xff, 0xfe, 0x80);
const HEAD = { root: '/c', ensemble: null, zxid: '0x100000001' };

const test = suite<{ member: Served; directory: string }>('export and import');

test.before(async (context) => {
  context.directory = mkdtempSync(join(tmpdir(), 'quorate-transfer-'));
  const data = join(context.directory, 'data');
  context.member = await serve({ data, port: 0, listeners: [new ZooKeeperListener({ port: 0 })] });
});

test.after(async ({ member, directory }) => {
  await member.close();
  rmSync(directory, { recursive: true });
});

function znode(path: string, rest: Partial<MovedZnode> = {}): MovedZnode {
  return { path, data: new TextEncoder().encode(path), acl: OPEN, lifetime: null, ...rest };
}

const SUBTREE: readonly MovedZnode[] = [
  znode('/c', { data: null }),
  znode('/c/empty', { data: new Uint8Array(0) }),
  znode('/c/binary', { data: BINARY }),
  znode('/c/text', { data: new TextEncoder().encode('\ufeffline\nline\u2028"') }),
  znode('/c/box', { lifetime: 'container' }),
  znode('/c/ttl', { lifetime: 86_400_000, acl: SHUT }),
];

function textOf(znodes: readonly MovedZnode[], head = HEAD): string {
  return [headLine(head), ...znodes.map(znodeLine), endLine(znodes.length)].join('');
}

test('an export keeps null, empty, text and binary data, ACLs, containers and times to live', () => {
  const parsed = parseExport(textOf(SUBTREE), 'file');
  assert.is(parsed.root, '/c');
  assert.equal(
    parsed.znodes.map(({ data, ...rest }) => ({ ...rest, data: data && [...data] })),
    SUBTREE.map(({ data, ...rest }) => ({ ...rest, data: data && [...data] })),
  );
  assert.ok(
    textOf(SUBTREE).split('\n').length === SUBTREE.length + 3,
    'a line for each, and one for head and end',
  );
});

const [FIRST] = SUBTREE as [MovedZnode];
const REFUSED: readonly (readonly [what: string, text: string, why: RegExp])[] = [
  ['an export that was cut off', textOf(SUBTREE).split('\n').slice(0, -3).join('\n'), /not complete/],
  ['an export with a line left out', textOf(SUBTREE).split('\n').toSpliced(3, 1).join('\n'), /not complete/],
  ['a text that is no export', '{"a":1}\n', /line 1: .*no.* export/],
  [
    'a line that is no JSON',
    textOf(SUBTREE).replace('{"path":"/c/empty"', '{path'),
    /line 3: it is no JSON object/,
  ],
  ['a znode without its parent', textOf([FIRST, znode('/c/a/b')]), /line 3: \/c\/a\/b has no parent/],
  ['a znode outside of the subtree', textOf([FIRST, znode('/d')]), /line 3: \/d has no parent/],
  [
    'a znode that is there twice',
    textOf([FIRST, znode('/c/a'), znode('/c/a')]),
    /line 4: \/c\/a is there twice/,
  ],
  [
    'what belongs to the servers',
    textOf([znode('/zookeeper')], { ...HEAD, root: '/zookeeper' }),
    /belongs to the servers/,
  ],
  ['a znode without an ACL', textOf([{ ...FIRST, acl: [] }]), /ACL of \/c/],
  ['a negative time to live', textOf([{ ...FIRST, lifetime: -5 }]), /time to live/],
  ['a path with an empty segment', textOf([FIRST, znode('/c//a')]), /line 3: it has no path/],
];

for (const [what, text, why] of REFUSED) {
  test(`an import refuses ${what} by name and line`, () => {
    assert.throws(
      () => parseExport(text, 'file'),
      (error: Error & { code: string }) => {
        return (
          error.code === 'IMPORT_REFUSED' &&
          why.test(error.message) &&
          /Nothing was changed/.test(error.message)
        );
      },
    );
  });
}

test('an import creates a subtree, refuses one that is there, merges into it, and replaces it', async ({
  member,
}) => {
  await using client = await connect(member.address);
  const all = { root: '/c', znodes: SUBTREE };
  assert.equal(await writeSubtree(client, all, 'create'), { created: 6, changed: 0, deleted: 0, left: 0 });
  const refused = await writeSubtree(client, all, 'create').catch((error: { code: string }) => error.code);
  assert.is(refused, 'IMPORT_REFUSED');
  await client.create('/c/other/below', 'x', { createParents: true });
  await client.create('/c/held', 'x', { mode: 'ephemeral' });
  await client.setData('/c/binary', 'changed');

  assert.equal(await writeSubtree(client, all, 'merge'), { created: 0, changed: 6, deleted: 0, left: 0 });
  assert.equal((await client.getData('/c/binary')).data, BINARY);
  assert.ok(await client.exists('/c/other/below'));
  assert.equal((await client.getAcl('/c/ttl')).acl, SHUT);

  assert.equal(await writeSubtree(client, all, 'replace'), { created: 0, changed: 6, deleted: 2, left: 1 });
  assert.is(await client.exists('/c/other'), null);
  assert.ok(await client.exists('/c/held'), 'an ephemeral znode is the hold of a session');
  assert.is((await client.getData('/c')).data, null);
});

test('an import refuses a parent that is missing and a znode that a session owns, and changes nothing', async ({
  member,
}) => {
  await using client = await connect(member.address);
  const codeOf = (paths: readonly string[]): Promise<unknown> =>
    writeSubtree(client, { root: paths[0]!, znodes: paths.map((path) => znode(path)) }, 'merge').catch(
      (error: { code: string }) => error.code,
    );
  assert.is(await codeOf(['/missing/a']), 'IMPORT_REFUSED');
  await client.create('/e');
  await client.create('/e/held', null, { mode: 'ephemeral' });
  assert.is(await codeOf(['/e', '/e/held']), 'IMPORT_REFUSED');
  assert.is((await client.getData('/e')).data, null);
});

test('an export refuses an ACL that is shown to it without the digests', async ({ member }) => {
  await using client = await connect(member.address);
  const acl = [
    { perms: 1, id: { scheme: 'world', id: 'anyone' } },
    { perms: 31, id: { scheme: 'digest', id: 'u:hash' } },
  ];
  await client.create('/secret', 'x', { acl });
  const paths: string[] = [];
  const code = await (async () => {
    for await (const { path } of readSubtree(client, '/secret')) paths.push(path);
  })().catch((error: { code: string }) => error.code);
  assert.equal([code, paths], ['EXPORT_REFUSED', []]);
});

test('the commands move a subtree from a member of ours, and over ZooKeeper\u2019s protocol', async ({
  member,
  directory,
}) => {
  const run = (...words: readonly string[]): Promise<{ stdout: string; stderr: string }> =>
    promisify(execFile)(process.execPath, [QUORATE, ...words]);
  await using client = await connect(member.address);
  await client.create('/moved', null);
  await client.create('/moved/box', 'x', { mode: 'container' });
  await client.create('/moved/held', 'x', { mode: 'ephemeral' });
  const file = join(directory, 'export');

  await run('export', '/moved', '--connect', member.address, '--output', file);
  assert.is((await stat(file)).mode & 0o777, 0o600);
  const lines = (await readFile(file, 'utf8')).split('\n');
  assert.match(lines[2]!, /"path":"\/moved\/box".*"container":true/);
  assert.match(lines[3]!, /"end":true,"znodes":2/);

  const zookeeper = `zk://${member.otherAddresses[0]!.replace(/^.*\/\//, '')}`;
  const plain = await run('export', '/moved', '--connect', zookeeper);
  assert.match(plain.stderr, /containers and times to live become persistent/);
  await client.delete('/moved/held');
  await client.delete('/moved/box');
  await writeFile(file, plain.stdout);
  const { stdout } = await run('import', '--replace', file, '--connect', zookeeper);
  assert.match(stdout, /Imported \/moved: 1 created, 1 changed, 0 deleted/);
  assert.ok(await client.exists('/moved/box'));
});

test.run();
