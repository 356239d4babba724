import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type Change, type WatchedNode, type WatchedTree, WatchTable } from '../../../core/data/index.js';
import {
  type Acl,
  OPEN_ACL,
  type SetWatches2Request,
  type WatchEvent,
  WatchEventType,
  WatcherType,
} from '../../../core/protocol/index.js';

const { created, deleted, dataChanged } = WatchEventType;
const NO_READ: readonly Acl[] = [{ perms: 0, id: { scheme: 'world', id: 'anyone' } }];

function mayRead(acl: readonly Acl[]): boolean {
  return acl !== NO_READ;
}

function change(type: Change['type'], path: string, acls: Partial<Change> = {}): Change {
  return { type, path, acl: OPEN_ACL, parentAcl: OPEN_ACL, ...acls };
}

/** What watchers heard, as `watcher type path`, in order. */
function heard(table: WatchTable<string>, ...changes: Change[]): string[] {
  const events: string[] = [];
  for (const each of changes) {
    table.trigger(
      each,
      (_, acl) => mayRead(acl),
      (watcher, event) => events.push(`${watcher} ${nameOfType(event)} ${event.path}`),
    );
  }
  return events;
}

function nameOfType(event: WatchEvent): string {
  return Object.entries(WatchEventType).find(([, type]) => type === event.type)![0];
}

function tree(nodes: Record<string, Partial<WatchedNode>>): WatchedTree {
  return {
    watchedNode(path) {
      const node = nodes[path];
      return node && { mzxid: 1n, pzxid: 1n, acl: OPEN_ACL, ...node };
    },
  };
}

function rearm(
  table: WatchTable<string>,
  lists: Partial<SetWatches2Request>,
  nodes: Record<string, Partial<WatchedNode>>,
): string[] {
  const request = {
    relativeZxid: 10n,
    dataWatches: [],
    existWatches: [],
    childWatches: [],
    persistentWatches: [],
    persistentRecursiveWatches: [],
    ...lists,
  };
  return table.rearm('w', request, tree(nodes), mayRead).map((event) => `${nameOfType(event)} ${event.path}`);
}

test('a one-shot watch of a znode hears of the next change and of no other', () => {
  const table = new WatchTable<string>();
  table.addData('w', '/a');

  assert.equal(heard(table, change(dataChanged, '/a'), change(dataChanged, '/a')), ['w dataChanged /a']);
  assert.is(table.watchCount, 0);
});

test('a watch set while a znode was missing hears of its creation', () => {
  const table = new WatchTable<string>();
  table.addData('w', '/a');

  assert.equal(heard(table, change(created, '/a'), change(deleted, '/a')), ['w created /a']);
});

test('a watch of children hears of a child that comes or goes, not of what happens below or to its data', () => {
  const table = new WatchTable<string>();
  for (const happened of [change(created, '/a/b'), change(deleted, '/a/b')]) {
    table.addChild('w', '/a');
    assert.equal(heard(table, happened), ['w childrenChanged /a']);
  }

  table.addChild('w', '/a');
  const unrelated = [change(dataChanged, '/a/b'), change(created, '/a/b/c'), change(dataChanged, '/a')];
  assert.equal(heard(table, ...unrelated), []);
});

test('the parent of a top-level znode is the root', () => {
  const table = new WatchTable<string>();
  table.addChild('w', '/');

  assert.equal(heard(table, change(created, '/a')), ['w childrenChanged /']);
});

test('who watches both data and children of a deleted znode hears of it once, and both watches are gone', () => {
  const table = new WatchTable<string>();
  table.addData('w', '/a');
  table.addChild('w', '/a');
  table.addChild('other', '/a');

  assert.equal(heard(table, change(deleted, '/a')), ['w deleted /a', 'other deleted /a']);
  assert.is(table.watchCount, 0);
});

test('the znode itself comes before its parent’s children', () => {
  const table = new WatchTable<string>();
  table.addChild('w', '/');
  table.addChild('w', '/a');
  table.addData('w', '/a');

  assert.equal(heard(table, change(deleted, '/a')), ['w deleted /a', 'w childrenChanged /']);
});

test('registering twice is registering once', () => {
  const table = new WatchTable<string>();
  table.addData('w', '/a');
  table.addData('w', '/a');

  assert.is(table.watchCount, 1);
  assert.equal(heard(table, change(dataChanged, '/a')), ['w dataChanged /a']);
});

test('a persistent watch hears of everything at its path, again and again', () => {
  const table = new WatchTable<string>();
  table.addPersistent('w', '/a', false);

  const changes = [
    change(created, '/a'),
    change(dataChanged, '/a'),
    change(created, '/a/b'),
    change(created, '/a/b/c'),
    change(deleted, '/a/b'),
    change(deleted, '/a'),
    change(created, '/a'),
  ];

  assert.equal(heard(table, ...changes), [
    'w created /a',
    'w dataChanged /a',
    'w childrenChanged /a',
    'w childrenChanged /a',
    'w deleted /a',
    'w created /a',
  ]);
});

test('a recursive watch hears of every znode below it, and never that children changed', () => {
  const table = new WatchTable<string>();
  table.addPersistent('w', '/a', true);

  const changes = [
    change(created, '/a'),
    change(created, '/a/b'),
    change(created, '/a/b/c'),
    change(dataChanged, '/a/b/c'),
    change(deleted, '/a/b/c'),
    change(created, '/ab'),
  ];

  assert.equal(heard(table, ...changes), [
    'w created /a',
    'w created /a/b',
    'w created /a/b/c',
    'w dataChanged /a/b/c',
    'w deleted /a/b/c',
  ]);
});

test('a recursive watch of the root hears of everything', () => {
  const table = new WatchTable<string>();
  table.addPersistent('w', '/', true);

  assert.equal(heard(table, change(created, '/a/b'), change(dataChanged, '/')), [
    'w created /a/b',
    'w dataChanged /',
  ]);
});

test('one-shot, persistent and recursive watches of one watcher give one event, and only the one-shot goes', () => {
  const table = new WatchTable<string>();
  table.addData('w', '/a/b');
  table.addPersistent('w', '/a/b', false);
  table.addPersistent('w', '/a/b', true);
  table.addPersistent('w', '/a', true);

  assert.equal(heard(table, change(dataChanged, '/a/b')), ['w dataChanged /a/b']);
  assert.not(table.check('w', '/a/b', WatcherType.data));
  assert.ok(table.check('w', '/a/b', WatcherType.persistent));
  assert.ok(table.check('w', '/a/b', WatcherType.persistentRecursive));
});

test('who may not read the znode hears nothing, and its one-shot watch is consumed all the same', () => {
  const table = new WatchTable<string>();
  table.addData('w', '/a');
  table.addChild('w', '/');

  assert.equal(heard(table, change(deleted, '/a', { acl: NO_READ })), ['w childrenChanged /']);
  assert.is(table.watchCount, 0);
});

test('that children changed is decided by the parent’s ACL', () => {
  const table = new WatchTable<string>();
  table.addData('w', '/a');
  table.addChild('w', '/');

  assert.equal(heard(table, change(created, '/a', { parentAcl: NO_READ })), ['w created /a']);
  assert.is(table.watchCount, 0);
});

test('all watchers of an event get the same object, so that it can be encoded once', () => {
  const table = new WatchTable<string>();
  const events = new Set<WatchEvent>();
  for (const watcher of ['v', 'w', 'x']) table.addData(watcher, '/a');

  table.trigger(
    change(dataChanged, '/a'),
    () => true,
    (_, event) => events.add(event),
  );

  assert.is(events.size, 1);
});

test('a watcher may go while it is being notified', () => {
  const table = new WatchTable<string>();
  for (const watcher of ['v', 'w']) table.addPersistent(watcher, '/a', false);
  const notified: string[] = [];

  table.trigger(
    change(dataChanged, '/a'),
    () => true,
    (watcher) => {
      notified.push(watcher);
      table.removeAll(watcher);
    },
  );

  assert.equal(notified, ['v', 'w']);
  assert.is(table.watchCount, 0);
});

test('the watches of a closed connection are gone, and nobody else’s', () => {
  const table = new WatchTable<string>();
  for (const watcher of ['v', 'w']) {
    table.addData(watcher, '/a');
    table.addChild(watcher, '/');
    table.addPersistent(watcher, '/b', false);
    table.addPersistent(watcher, '/', true);
  }

  table.removeAll('v');

  assert.is(table.watchCount, 5);
  assert.equal(heard(table, change(deleted, '/a')), ['w deleted /a', 'w childrenChanged /']);
});

test('each type of watch is found and taken back by its own type only', () => {
  const { children, data, persistent, persistentRecursive, any } = WatcherType;
  const register: [type: number, add: (table: WatchTable<string>) => void][] = [
    [children, (table) => table.addChild('w', '/a')],
    [data, (table) => table.addData('w', '/a')],
    [persistent, (table) => table.addPersistent('w', '/a', false)],
    [persistentRecursive, (table) => table.addPersistent('w', '/a', true)],
  ];
  for (const [registered, add] of register) {
    for (const asked of [children, data, persistent, persistentRecursive, any]) {
      const table = new WatchTable<string>();
      add(table);
      const matches = asked === registered || asked === any;

      assert.is(table.check('w', '/a', asked), matches);
      assert.not(table.check('w', '/a/b', asked));
      assert.not(table.check('other', '/a', asked));
      assert.is(table.remove('w', '/a', asked), matches);
      assert.is(table.watchCount === 0, matches);
      assert.not(table.remove('w', '/a', asked) && matches);
    }
  }
});

test('removing a one-shot watch leaves the persistent ones at the same path', () => {
  const table = new WatchTable<string>();
  table.addData('w', '/a');
  table.addPersistent('w', '/a', false);

  assert.ok(table.remove('w', '/a', WatcherType.data));

  assert.equal(heard(table, change(dataChanged, '/a')), ['w dataChanged /a']);
  assert.ok(table.check('w', '/a', WatcherType.persistent));
});

test('a type that has no name matches nothing', () => {
  const table = new WatchTable<string>();
  table.addData('w', '/a');

  assert.not(table.check('w', '/a', 9));
  assert.not(table.remove('w', '/a', 9));
});

test('after a reconnection a data watch hears at once of a znode that went or changed, else it waits on', () => {
  const table = new WatchTable<string>();
  const nodes = { '/below': { mzxid: 9n }, '/same': { mzxid: 10n }, '/above': { mzxid: 11n } };

  const events = rearm(table, { dataWatches: ['/missing', '/below', '/same', '/above'] }, nodes);

  assert.equal(events, ['deleted /missing', 'dataChanged /above']);
  assert.is(table.watchCount, 2);
  assert.equal(heard(table, change(dataChanged, '/same')), ['w dataChanged /same']);
});

test('after a reconnection a watch for existence hears at once of a znode that is there, else it waits on', () => {
  const table = new WatchTable<string>();

  assert.equal(rearm(table, { existWatches: ['/missing', '/there'] }, { '/there': {} }), ['created /there']);
  assert.is(table.watchCount, 1);
  assert.equal(heard(table, change(created, '/missing')), ['w created /missing']);
});

test('after a reconnection a child watch hears at once of a znode that went or whose children changed', () => {
  const table = new WatchTable<string>();
  const nodes = { '/same': { pzxid: 10n, mzxid: 99n }, '/above': { pzxid: 11n } };

  const events = rearm(table, { childWatches: ['/missing', '/same', '/above'] }, nodes);

  assert.equal(events, ['deleted /missing', 'childrenChanged /above']);
  assert.equal(heard(table, change(created, '/same/x')), ['w childrenChanged /same']);
});

test('after a reconnection persistent watches are taken up, and what they missed is not told', () => {
  const table = new WatchTable<string>();

  const events = rearm(
    table,
    { persistentWatches: ['/a'], persistentRecursiveWatches: ['/b'] },
    { '/b': { mzxid: 99n } },
  );

  assert.equal(events, []);
  assert.equal(heard(table, change(created, '/a/x'), change(created, '/b/x/y')), [
    'w childrenChanged /a',
    'w created /b/x/y',
  ]);
});

test('after a reconnection a deleted znode is told of for each watch of it, as in ZooKeeper', () => {
  const table = new WatchTable<string>();

  const told = rearm(table, { dataWatches: ['/a'], childWatches: ['/a'] }, {});

  assert.equal(told, ['deleted /a', 'deleted /a']);
});

test('after a reconnection nothing is told of a znode that may no longer be read', () => {
  const table = new WatchTable<string>();
  const lists = { dataWatches: ['/a'], existWatches: ['/a'], childWatches: ['/a'] };

  assert.equal(rearm(table, lists, { '/a': { mzxid: 99n, pzxid: 99n, acl: NO_READ } }), []);
  assert.is(table.watchCount, 0);
});

test.run();
