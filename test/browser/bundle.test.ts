import { createContext, runInContext } from 'node:vm';
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

test('in a browser nobody speaks zk://, which is said at once', async () => {
  const { code } = await bundleClient();
  const browser = createContext({ TextEncoder, TextDecoder, AbortController, performance, queueMicrotask });
  runInContext(code, browser);
  const said = String(
    runInContext(`try { quorate.createClient('zk://a:2181') } catch (error) { error.message }`, browser),
  );
  assert.match(said, /no transport speaks "zk", only ws, wss/);
});

test('the bundle for the browser stays small', async () => {
  const { code } = await bundleClient();
  assert.ok(code.length < 200_000, `${code.length} bytes before minification`);
});

test.run();
