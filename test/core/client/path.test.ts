import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Chroot } from '../../../core/client/chroot.js';
import { BadArgumentsError } from '../../../core/client/index.js';
import { nameOf, parentOf, validatePath } from '../../../core/client/path.js';

for (const path of ['/', '/a', '/a/b', '/a/.b', '/a/b..', '/ä/日本', '/zookeeper/config']) {
  test(`${path} is a path`, () => validatePath(path, 'getData'));
}

const invalid: readonly [path: string, why: RegExp][] = [
  ['', /start with a slash/],
  ['a', /start with a slash/],
  ['/a/', /end with a slash/],
  ['/a//b', /empty segment/],
  ['/a/./b', /segment "\."/],
  ['/..', /segment "\.\."/],
  ['/a\u0000', /U\+0000/],
  ['/a\u0085', /U\+0085/],
  ['/\u{1F600}', /U\+d83d/],
  ['/\uffff', /U\+ffff/],
];

for (const [path, why] of invalid) {
  test(`${JSON.stringify(path)} is no path: ${why.source}`, () => {
    assert.throws(
      () => validatePath(path, 'getData'),
      (error: unknown) =>
        error instanceof BadArgumentsError && why.test(error.message) && error.message.startsWith('getData'),
    );
  });
}

test('something that is no string is refused like any invalid path', () => {
  assert.throws(
    () => validatePath(undefined as unknown as string, 'getData'),
    (error: unknown) => error instanceof BadArgumentsError && /must be a string/.test(error.message),
  );
});

test('a sequential create may end in a slash, since the number follows', () => {
  validatePath('/queue/', 'create', { sequential: true });
  validatePath('/', 'create', { sequential: true });
});

test('a path falls apart into its parent and its name', () => {
  assert.equal(['/', '/a', '/a/b'].map(parentOf), ['/', '/', '/a']);
  assert.equal(['/a', '/a/b', '/a/b-'].map(nameOf), ['a', 'b', 'b-']);
});

test('a chroot is put in front of every path and taken off again', () => {
  const chroot = new Chroot('/app');
  for (const path of ['/', '/a', '/a/b']) assert.is(chroot.toClient(chroot.toServer(path)), path);
  assert.is(chroot.toServer('/'), '/app');
  assert.is(chroot.toServer('/a'), '/app/a');
});

test('what is not below the chroot has no path for the client, also if it begins alike', () => {
  const chroot = new Chroot('/app');
  assert.equal(
    ['/', '/other', '/application'].map((path) => chroot.toClient(path)),
    [null, null, null],
  );
  assert.is(new Chroot('').toClient('/application'), '/application');
});

test.run();
