import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ShellBench, until } from './embedded-shell.js';

const test = suite<{ bench: ShellBench }>('watches of the shell');

test.before.each(async (context) => {
  context.bench = await ShellBench.start();
});

test.after.each(async ({ bench }) => {
  await bench[Symbol.asyncDispose]();
});

function watchEvent(type: string, path: string): RegExp {
  return new RegExp(
    `^\\nWATCHER::\\n\\nWatchedEvent state:SyncConnected type:${type} path:${path} zxid: \\d+$`,
  );
}

test('a watch is printed when it fires, and only once', async ({ bench }) => {
  await bench.say('create /a 1');
  await bench.say('get -w /a');

  await bench.other.setData('/a', '2');

  assert.match(await bench.heard('WATCHER'), watchEvent('NodeDataChanged', '/a'));
  await bench.other.setData('/a', '3');
  await bench.say('sync /');
  assert.is(await bench.say('get /a'), '3');
});

test('a watch set twice is printed once', async ({ bench }) => {
  await bench.say('ls -w /');
  await bench.say('ls -w /');

  await bench.other.create('/a');

  await bench.heard('NodeChildrenChanged path:/');
  assert.is(await bench.say('sync /'), 'Sync is OK');
});

test('stat watches for a znode that is not there yet', async ({ bench }) => {
  assert.is(await bench.say('stat -w /later'), 'Node does not exist: /later');

  await bench.other.create('/later');

  assert.match(await bench.heard('WATCHER'), watchEvent('NodeCreated', '/later'));
});

test('ls -R -w watches the children of every znode below', async ({ bench }) => {
  await bench.say('create /a');
  await bench.say('create /a/b');
  await bench.say('ls -R -w /a');

  await bench.other.create('/a/b/c');

  assert.match(await bench.heard('WATCHER'), watchEvent('NodeChildrenChanged', '/a/b'));
});

test('a read that failed leaves no watch behind', async ({ bench }) => {
  assert.is(await bench.say('get -w /a'), 'Node does not exist: /a');

  assert.is(await bench.say('removewatches /a'), 'No such watcher for /a');
});

test('addWatch tells of everything below until it is taken back', async ({ bench }) => {
  await bench.say('create /a');
  await bench.say('addWatch /a');

  await bench.other.create('/a/b');
  assert.match(await bench.heard('WATCHER'), watchEvent('NodeCreated', '/a/b'));
  await bench.other.setData('/a/b', 'x');
  assert.match(await bench.heard('WATCHER'), watchEvent('NodeDataChanged', '/a/b'));

  assert.is(await bench.say('removewatches /a'), '');
  await bench.other.delete('/a/b');
  assert.is(await bench.say('sync /'), 'Sync is OK');
});

test('addWatch -m PERSISTENT tells of one znode and its children', async ({ bench }) => {
  await bench.say('create /a');
  await bench.say('addWatch -m persistent /a');

  await bench.other.create('/a/b');

  assert.match(await bench.heard('WATCHER'), watchEvent('NodeChildrenChanged', '/a'));
  assert.match(await bench.say('addWatch -m sometimes /a'), /Unknown mode SOMETIMES/);
});

test('removewatches takes back the kind that it is asked for', async ({ bench }) => {
  await bench.say('create /a');
  await bench.say('get -w /a');
  await bench.say('ls -w /a');

  assert.is(await bench.say('removewatches -c /a'), '');
  assert.is(await bench.say('removewatches -c /a'), 'No such watcher for /a');

  await bench.other.create('/a/b');
  await bench.other.setData('/a', 'x');
  assert.match(await bench.heard('WATCHER'), watchEvent('NodeDataChanged', '/a'));
});

test('printwatches off keeps events from being shown', async ({ bench }) => {
  await bench.say('ls -w /');
  assert.is(await bench.say('printwatches'), 'printwatches is on');

  await bench.say('printwatches off');
  await bench.other.create('/a');

  assert.is(await bench.say('sync /'), 'Sync is OK');
  assert.is(await bench.say('printwatches'), 'printwatches is off');
});

test('changes of the connection’s state are events too, if somebody sits there', async () => {
  const bench = await ShellBench.start({ showsStates: true });
  try {
    assert.match(bench.output.take(), /state:SyncConnected type:None path:null/);

    assert.match(await bench.say('close'), /state:Closed type:None path:null/);
  } finally {
    await bench[Symbol.asyncDispose]();
  }
});

test('a command gives up when no server is in reach for long', async () => {
  const bench = await ShellBench.start({ patienceMs: 100 });
  try {
    await bench.other.close();
    await bench.member.close();
    await until(() => bench.shell.client!.state !== 'connected');

    assert.match(await bench.say('ls /'), /No server answered for 100 ms/);
  } finally {
    await bench[Symbol.asyncDispose]();
  }
});

test.run();
