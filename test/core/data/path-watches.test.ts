import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { PathWatches, WatchMode } from '../../../core/data/path-watches.js';

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

test('what is taken back leaves nothing behind', () => {
  const watches = new PathWatches<string>();
  watches.add('w', '/a', standard | persistent);

  assert.ok(watches.remove('w', '/a', standard));
  assert.not(watches.remove('w', '/a', standard));
  assert.ok(watches.remove('w', '/a', standard | persistent));

  assert.is(watches.size, 0);
  assert.is(watches.watchersAt('/a'), undefined);
});

test.run();
