import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ShellBench } from './embedded-shell.js';

const test = suite<{ bench: ShellBench }>('commands of the shell');

test.before.each(async (context) => {
  context.bench = await ShellBench.start();
});

test.after.each(async ({ bench }) => {
  await bench[Symbol.asyncDispose]();
});

test('create makes each kind of znode and says what it is called', async ({ bench }) => {
  assert.is(await bench.say('create /test laogong'), 'Created /test');
  assert.is(await bench.say('create -e /e x'), 'Created /e');
  assert.match(await bench.say('create -s /test'), /^Created \/test\d{10}$/);
  assert.match(await bench.say('create -e -s /test'), /^Created \/test\d{10}$/);
  assert.is(await bench.say('create -c /container'), 'Created /container');
  assert.is(await bench.say('create -t 60000 /ttl'), 'Created /ttl');
  assert.match(await bench.say('create -s -t 60000 /ttl-'), /^Created \/ttl-\d{10}$/);

  const session = bench.shell.client!.session.id;
  assert.is((await bench.other.exists('/e'))!.ephemeralOwner, session);
  assert.is((await bench.other.getData('/container')).data, null);
});

test('create takes data in quotes, and an ACL behind it', async ({ bench }) => {
  await bench.say('create /a "two words" world:anyone:r');

  assert.is(await bench.say('get /a'), 'two words');
  assert.is(await bench.say('getAcl /a'), "'world,'anyone\n: r");
  assert.is(await bench.say('set /a x'), 'Insufficient permission : /a');
});

test('flags of create that do not go together are refused', async ({ bench }) => {
  assert.match(await bench.say('create -c -s /a'), /-c cannot be combined with -s or -e/);
  assert.match(await bench.say('create -c -t 5 /a'), /TTLs cannot be used with Container/);
  assert.match(await bench.say('create -e -t 5 /a'), /TTLs cannot be used with Ephemeral/);
  assert.match(await bench.say('create -t 0 /a'), /-t argument must be an integer from 1/);
  assert.is(await bench.other.exists('/a'), null);
});

test('errors of a server come in the sentences of ZooKeeper’s shell', async ({ bench }) => {
  await bench.say('create /a 1');
  await bench.say('create /a/b 2');
  await bench.say('create -e /e');

  assert.is(await bench.say('create /a x'), 'Node already exists: /a');
  assert.is(await bench.say('create /no/where'), 'Node does not exist: /no/where');
  assert.is(await bench.say('create /e/child'), 'Ephemerals cannot have children: /e/child');
  assert.is(await bench.say('get /none'), 'Node does not exist: /none');
  assert.is(await bench.say('stat /none'), 'Node does not exist: /none');
  assert.is(await bench.say('ls /none'), 'Node does not exist: /none');
  assert.is(await bench.say('delete /a'), 'Node not empty: /a');
  assert.is(await bench.say('delete -v 9 /a/b'), 'version No is not valid : /a/b');
  assert.is(await bench.say('set -v 9 /a x'), 'version No is not valid : /a');
  assert.match(await bench.say('create /x y nobody:knows:r'), /^Acl is not valid : \/x/);
  assert.match(await bench.say('get relative'), /^Arguments are not valid : relative\n.*slash/);
});

test('ls lists in order; with -s it shows the Stat, with -R everything below', async ({ bench }) => {
  for (const path of ['/b', '/a', '/a/d', '/a/c', '/a/c/e']) await bench.say(`create ${path}`);

  assert.is(await bench.say('ls /'), '[a, b, zookeeper]');
  assert.is(await bench.say('ls /b'), '[]');
  assert.match(await bench.say('ls -s /a'), /^\[c, d\]\ncZxid = 0x[\s\S]*\nnumChildren = 2$/);
  assert.is(await bench.say('ls -R /a'), '/a\n/a/c\n/a/c/e\n/a/d');
  assert.match(await bench.say('ls -R /'), /^\/\n\/a\n/);
});

test('get and set read and write data, with versions and Stats if asked', async ({ bench }) => {
  await bench.say('create /a');

  assert.is(await bench.say('get /a'), 'null');
  assert.is(await bench.say('set /a new'), '');
  assert.is(await bench.say('get /a'), 'new');
  assert.match(await bench.say('get -s /a'), /^new\ncZxid[\s\S]*dataVersion = 1\n/);
  assert.match(await bench.say('set -s -v 1 /a -5'), /dataVersion = 2\n/);
  assert.is(await bench.say('get /a'), '-5');
  assert.match(await bench.say('stat /a'), /^cZxid[\s\S]*dataLength = 2\nnumChildren = 0$/);
});

test('delete takes one znode, deleteall everything below it too, in batches', async ({ bench }) => {
  for (const path of ['/a', '/a/b', '/a/b/c', '/a/d', '/e']) await bench.say(`create ${path}`);

  assert.is(await bench.say('delete /e'), '');
  assert.is(await bench.say('deleteall /a -b 2'), '');

  assert.is(await bench.say('ls /'), '[zookeeper]');
  assert.is(await bench.say('deleteall /a'), 'Node does not exist: /a');
});

test('deleteall says so when something could not be deleted', async ({ bench }) => {
  await bench.say('create /a x world:anyone:r');
  await bench.other.create('/b');
  await bench.say('create /b/c');
  await bench.say('setAcl /b world:anyone:r');

  assert.is(await bench.say('deleteall /b'), 'Failed to delete some node(s) in the subtree!');
});

test('an identity that was added decides what may be read', async ({ bench }) => {
  assert.is(await bench.say('addauth digest alice:secret'), '');
  await bench.say('create /mine hidden auth::cdrwa');
  assert.match(await bench.say('whoami'), /^Auth scheme: User\n[\s\S]*digest: alice/);
  assert.match(await bench.say('getAcl -s /mine'), /^'digest,'alice:.+=\n: cdrwa\ncZxid/);

  await bench.say('connect');

  assert.is(await bench.say('get /mine'), 'Insufficient permission : /mine');
});

test('setAcl changes one znode, or with -R all below it', async ({ bench }) => {
  for (const path of ['/a', '/a/b', '/a/b/c']) await bench.say(`create ${path}`);

  assert.match(await bench.say('setAcl -s /a world:anyone:cdrwa'), /aclVersion = 1\n/);
  assert.is(await bench.say('setAcl -v 7 /a world:anyone:r'), 'version No is not valid : /a');
  assert.is(await bench.say('setAcl -R /a world:anyone:r'), '');

  for (const path of ['/a', '/a/b', '/a/b/c']) {
    assert.is(await bench.say(`getAcl ${path}`), "'world,'anyone\n: r");
  }
});

test('ephemerals of this session and descendants are counted and listed', async ({ bench }) => {
  await bench.say('create /p');
  await bench.say('create -e /p/b');
  await bench.say('create -e /p/a');
  await bench.say('create -e /q');
  await bench.other.create('/p/theirs', null, { mode: 'ephemeral' });

  assert.is(await bench.say('getEphemerals'), '[/p/a, /p/b, /q]');
  assert.is(await bench.say('getEphemerals /p'), '[/p/a, /p/b]');
  assert.is(await bench.say('getAllChildrenNumber /p'), '3');
  assert.is(await bench.say('sync /'), 'Sync is OK');
});

test('a quota is set, shown, changed, lifted in part and taken away', async ({ bench }) => {
  await bench.say('create /q');
  await bench.say('create /q/a hello');

  assert.is(await bench.say('setquota -n 5 /q'), '');
  assert.is(await bench.say('setquota -B 1000 /q'), '');
  assert.is(
    await bench.say('listquota /q'),
    [
      'absolute path is /zookeeper/quota/q/zookeeper_limits',
      'Output quota for /q count=5,bytes=-1=;byteHardLimit=1000;countHardLimit=-1',
      'Output stat for /q count=2,bytes=5',
    ].join('\n'),
  );
  await bench.say('delquota -n /q');
  assert.match(await bench.say('listquota /q'), /count=-1,bytes=-1=;byteHardLimit=1000/);
  await bench.say('delquota /q');
  assert.match(await bench.say('listquota /q'), /quota for \/q does not exist\./);
  assert.is(await bench.say('ls /zookeeper/quota'), '[]');
});

test('quotas do not nest, and need a znode', async ({ bench }) => {
  for (const path of ['/q', '/q/a', '/q/a/b']) await bench.say(`create ${path}`);
  await bench.say('setquota -n 5 /q/a');

  assert.is(await bench.say('setquota -n 5 /q'), '/q has a child /q/a which has a quota');
  assert.is(await bench.say('setquota -n 5 /q/a/b'), '/q/a/b has a parent /q/a which has a quota');
  assert.is(await bench.say('setquota -n 5 /none'), '/none does not exist.');
  assert.match(await bench.say('setquota -n 5 /zookeeper/quota/q'), /cannot set a quota under the path/);
  assert.match(await bench.say('setquota /q'), /^setquota -n/);
  assert.match(await bench.say('setquota -n many /q'), /-n argument must be an integer/);
});

test('an unknown command tells the usage of all of them', async ({ bench }) => {
  const said = await bench.say('frobnicate /a');

  assert.match(said, /\tcreate \[-s\] \[-e\]/);
  assert.match(said, /Command not found: frobnicate$/);
  assert.is(await bench.shell.executeLine('frobnicate'), false);
});

test('help and version need no server', async ({ bench }) => {
  await bench.say('close');

  assert.match(await bench.say('help'), /\tls \[-s\] \[-w\] \[-R\] path/);
  assert.is(await bench.say('version'), 'Quorate CLI version: 1.2.3');
  assert.is(await bench.say('ls /'), 'Not connected');
});

test('close ends the session, and connect begins another', async ({ bench }) => {
  await bench.say('create -e /e');

  await bench.say('close');

  assert.is(await bench.other.exists('/e'), null);
  assert.is(await bench.say('connect'), '');
  assert.is(await bench.say('ls /'), '[zookeeper]');
});

test('history shows the commands by number, and redo carries one out again', async ({ bench }) => {
  await bench.say('create -s /a');
  await bench.say('ls /');
  await bench.say('   ');

  assert.is(await bench.say('history'), '0 - create -s /a\n1 - ls /\n2 - history');
  assert.match(await bench.say('redo 0'), /^Created \/a0000000001$/);
  assert.match(await bench.say('history'), /3 - create -s \/a\n4 - history$/);
});

test('redo does nothing for a number that is none, or for itself', async ({ bench }) => {
  assert.is(await bench.say('redo'), 'redo cmdno');
  assert.is(await bench.say('redo x'), 'redo cmdno');
  assert.is(await bench.say('redo 2'), 'Command index out of range');
  assert.is(await bench.say('redo 0'), 'No redoing redos');
});

test('whatever is typed, the shell says something and goes on', async ({ bench }) => {
  for (const line of ['"', 'create', 'get -', 'get -z /', 'set /', '\u0000', 'ls /\u0000', "'' ''", '-']) {
    assert.is(await bench.shell.executeLine(line), false, line);
    assert.ok(bench.output.take().length > 0, line);
  }
  assert.is(await bench.say('ls /'), '[zookeeper]');
});

test.run();
