import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { PathWatches, watchBytes, WatchMode } from '../../../core/data/path-watches.js';

const { standard, persistent, recursive } = WatchMode;

test('pairs of watcher and path are counted, whatever the number of modes', () => {
  const watches = new PathWatches<string>();

  watches.add('w', '/a', standard);
  watches.add('w', '/a', persistent);
  watches.add('w', '/b', standard);
  watches.add('v', '/a', standard);

  assert.is(watches.size, 3);
  assert.is(watches.modesOf('w', '/a'), standard | persistent);
});

test('recursive watches are counted, so that nobody looks at ancestors when there are none', () => {
  const watches = new PathWatches<string>();
  watches.add('w', '/a', recursive);
  watches.add('w', '/a', recursive);
  watches.add('w', '/a', standard);
  watches.add('v', '/', recursive);
  assert.is(watches.recursiveCount, 2);

  watches.remove('w', '/a', recursive);
  assert.is(watches.recursiveCount, 1);

  watches.removeWatcher('v');
  assert.is(watches.recursiveCount, 0);
});

test('nothing is kept of a watcher whose watches are consumed, taken back or gone with it', () => {
  for (const paths of [['/a'], ['/a', '/b'], ['/a', '/b', '/c', '/d']]) {
    const ends: ((watches: PathWatches<string>) => void)[] = [
      (watches) => paths.forEach((path) => watches.consume(path)),
      (watches) => paths.forEach((path) => watches.remove('w', path, standard)),
      (watches) => watches.removeWatcher('w'),
    ];
    for (const end of ends) {
      const watches = new PathWatches<string>();
      for (const path of paths) watches.add('w', path, standard);
      assert.is(watches.watcherCount, 1);
      end(watches);
      assert.equal([watches.watcherCount, watches.size], [0, 0]);
      assert.is(watches.watchersAt('/a'), undefined);
    }
  }
});

test('what is taken back leaves nothing behind', () => {
  const watches = new PathWatches<string>();
  watches.add('w', '/a', standard | persistent);

  assert.ok(watches.remove('w', '/a', standard));
  assert.not(watches.remove('w', '/a', standard));
  assert.ok(watches.remove('w', '/a', standard | persistent));

  assert.is(watches.size, 0);
  assert.is(watches.watchersAt('/a'), undefined);
});

test('the one-shot watches of a path are taken away at once, those that last stay', () => {
  const watches = new PathWatches<string>();
  watches.add('once', '/a', standard);
  watches.add('both', '/a', standard | persistent);
  watches.add('lasting', '/a', recursive);
  watches.add('once', '/b', standard);

  const heard = watches.consume('/a');

  assert.equal([...(heard?.keys() ?? [])], ['once', 'both', 'lasting']);
  assert.equal(
    [...(watches.watchersAt('/a') ?? [])],
    [
      ['both', persistent],
      ['lasting', recursive],
    ],
  );
  assert.is(watches.size, 3);
  assert.is(watches.recursiveCount, 1);
  assert.equal([...watches.pathsOf('once')], ['/b']);
  assert.equal([...watches.pathsOf('both')], ['/a']);
});

test('who heard of a change is a list of its own, whatever comes to the path later', () => {
  const watches = new PathWatches<string>();
  watches.add('w', '/a', standard);

  const heard = watches.consume('/a');
  watches.add('v', '/a', standard);

  assert.equal([...(heard?.keys() ?? [])], ['w']);
  assert.is(watches.size, 1);
  assert.is(watches.consume('/b'), undefined);
});

test('a watcher may wait at one path, at several, and at none again', () => {
  const watches = new PathWatches<string>();
  const paths = (): string[] => [...watches.pathsOf('w')].sort();

  watches.add('w', '/a', standard);
  assert.equal(paths(), ['/a']);
  watches.add('w', '/b', persistent);
  watches.add('w', '/c', standard);
  assert.equal(paths(), ['/a', '/b', '/c']);
  watches.consume('/a');
  watches.remove('w', '/c', standard);
  assert.equal(paths(), ['/b']);
  watches.removeWatcher('w');

  assert.equal(paths(), []);
  assert.is(watches.size, 0);
});

test('many watches of a watcher that is gone are removed a part at a time, and those of others stay', () => {
  const charged = new Map<string, number>();
  const watches = new PathWatches<string>((watcher, bytes) =>
    charged.set(watcher, (charged.get(watcher) ?? 0) + bytes),
  );
  const paths = Array.from({ length: 3_000 }, (_, index) => `/${index}`);
  for (const path of paths) watches.add('gone', path, standard);
  watches.add('stays', '/5', persistent);
  watches.removeWatcher('gone');
  assert.ok(watches.isRemoving);
  assert.is(watches.watcherCount, 1);

  assert.is(watches.removeSome(1_000), 0);
  assert.is(watches.size, 2_001);
  watches.consume('/2000');
  watches.add('new', '/2001', recursive);
  assert.is(watches.removeSome(10_000), 8_000);

  assert.not(watches.isRemoving);
  assert.is(watches.size, 2);
  assert.is(watches.modesOf('stays', '/5'), persistent);
  assert.is(watches.modesOf('new', '/2001'), recursive);
  assert.is(charged.get('gone'), 0);
});

test('what watches take is charged to their watcher once per path, and given back however they go', () => {
  for (const end of ['consume', 'remove', 'removeWatcher'] as const) {
    let bytes = 0;
    const watches = new PathWatches<string>((_watcher, change) => (bytes += change));
    watches.add('w', '/path', standard);
    assert.is(bytes, watchBytes('/path'));
    if (end === 'remove') watches.add('w', '/path', recursive);
    assert.is(bytes, watchBytes('/path'), 'a further mode costs nothing');
    if (end === 'consume') watches.consume('/path');
    else if (end === 'remove') watches.remove('w', '/path', standard | recursive);
    else watches.removeWatcher('w');
    assert.is(bytes, 0, end);
  }
});

test.run();
