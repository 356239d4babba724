import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { bundleClient } from './bundle.js';

test('the bundle for the browser holds nothing of Node', async () => {
  const { code, imports } = await bundleClient();
  assert.equal(
    imports.filter((path) => path.startsWith('node:') || /^(?:ws|events|fs|net|crypto)$/.test(path)),
    [],
  );
  assert.not.match(code, /\bnode:/);
  assert.not.match(code, /\brequire\(/);
});

test('the bundle for the browser stays small', async () => {
  const { code } = await bundleClient();
  assert.ok(code.length < 200_000, `${code.length} bytes before minification`);
});

test.run();
