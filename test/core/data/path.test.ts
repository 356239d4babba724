import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { invalidPathReason, nameOf, parentOf } from '../../../core/data/index.js';

test('ordinary paths are valid', () => {
  const valid = [
    '/',
    '/a',
    '/a/b',
    '/a.b',
    '/...',
    '/.a',
    '/a.',
    '/a/..b',
    '/zoo keeper',
    '/ä/€/字',
    '/\u00a0',
    '/\uffef',
  ];
  for (const path of valid) assert.is(invalidPathReason(path), null, path);
});

test('a path starts with a slash and does not end with one', () => {
  assert.match(invalidPathReason('')!, /empty/);
  assert.match(invalidPathReason('a')!, /start/);
  assert.match(invalidPathReason('a/b')!, /start/);
  assert.match(invalidPathReason('/a/')!, /ends/);
  assert.match(invalidPathReason('//')!, /ends/);
});

test('no segment is empty or relative, and the reason says where', () => {
  assert.match(invalidPathReason('/a//b')!, /empty segment at position 3/);
  assert.match(invalidPathReason('//a')!, /empty segment at position 1/);
  for (const path of ['/.', '/..', '/a/./b', '/a/../b', '/a/b/..']) {
    assert.match(invalidPathReason(path)!, /relative/, path);
  }
});

test('control characters, surrogates, private use and specials are refused by name', () => {
  const refused = [0x0, 0x1, 0x1f, 0x7f, 0x9f, 0xd800, 0xdfff, 0xe000, 0xf8ff, 0xfff0, 0xffff];
  for (const unit of refused) {
    const hex = unit.toString(16).toUpperCase().padStart(4, '0');
    assert.match(
      invalidPathReason(`/a${String.fromCharCode(unit)}b`)!,
      new RegExp(`U\\+${hex} at position 2`),
    );
  }
  for (const unit of [0x20, 0x7e, 0xa0, 0xd7ff, 0xf900, 0xffef]) {
    assert.is(invalidPathReason(`/a${String.fromCharCode(unit)}b`), null);
  }
});

test('an emoji, which takes two surrogates, is refused as ZooKeeper refuses it', () => {
  assert.match(invalidPathReason('/🙂')!, /U\+D83D/);
});

test('a path comes apart into parent and name', () => {
  assert.is(parentOf('/a/b/c'), '/a/b');
  assert.is(parentOf('/a'), '/');
  assert.is(parentOf('/'), '/');
  assert.is(nameOf('/a/b/c'), 'c');
  assert.is(nameOf('/a'), 'a');
  assert.is(nameOf('/'), '');
});

test('the parent of a path is that of this path, whatever path was looked at before', () => {
  const parents: readonly (readonly [string, string])[] = [
    ['/a/b', '/a'],
    ['/ab/c', '/ab'],
    ['/a/c', '/a'],
    ['/a/b/c', '/a/b'],
    ['/b/b/c', '/b/b'],
    ['/b/b', '/b'],
    ['/b', '/'],
  ];
  for (const [before] of parents) {
    for (const [path, parent] of parents) {
      parentOf(before);
      assert.is(parentOf(path), parent);
    }
  }
});

test.run();
