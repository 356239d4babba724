import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { codeOf, importsOf, sourcesOf } from './imports.js';

const PURE_MODULES = ['core/protocol', 'core/data', 'core/zab'];
const BROWSER_ROOMS = ['core/runtime', 'core/protocol', 'core/client'];

/** What would let time, chance or the world into a module whose every result must follow from its inputs. */
const IMPURE: Record<string, RegExp> = {
  'a promise': /\b(?:async|await|Promise)\b/,
  'a clock': /\bDate\b|\bperformance\b/,
  'a random source': /\bMath\.random\b|\bcrypto\b/,
  'a timer': /\b(?:setTimeout|setInterval|setImmediate|queueMicrotask)\b/,
  'the process': /\bprocess\.|\bconsole\./,
};

/** Time and chance reach the rest through ports; only these files may touch the platform's own. */
const PLATFORM_FILES = ['core/runtime/system-clock.ts', 'core/runtime/system-random.ts'];

for (const module of PURE_MODULES) {
  test(`${module} is pure: values in, values out`, () => {
    const found: string[] = [];
    for (const file of sourcesOf(module)) {
      const code = codeOf(file);
      for (const [what, pattern] of Object.entries(IMPURE)) {
        const match = pattern.exec(code);
        if (match !== null) found.push(`${file} uses ${what}: ${match[0]}`);
      }
      for (const { to, isOwn } of importsOf(file)) if (!isOwn) found.push(`${file} imports ${to}`);
    }
    assert.equal(found, []);
  });
}

test('rooms that run in a browser import nothing of Node', () => {
  const found = BROWSER_ROOMS.flatMap(sourcesOf)
    .flatMap(importsOf)
    .filter(({ to }) => to.startsWith('node:'));
  assert.equal(found, []);
});

test('time and chance come through their ports, outside the files that are those ports', () => {
  const DIRECT = /\bDate\.now\b|\bnew Date\(\)|\bMath\.random\b|\b(?:setTimeout|setInterval)\(/;
  const found = ['core', 'framework']
    .flatMap(sourcesOf)
    .filter((file) => !PLATFORM_FILES.includes(file) && DIRECT.test(codeOf(file)));
  assert.equal(found, []);
});

test.run();
