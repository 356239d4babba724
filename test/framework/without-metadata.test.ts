import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { transformSync } from 'esbuild';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectRoot } from '../house/imports.js';

/** esbuild emits no decorator metadata, nor do the runners that are built on it. */
test('an application that was compiled without decorator metadata runs just the same', () => {
  const source = readFileSync(join(projectRoot, 'examples/config.ts'), 'utf8');
  const { code } = transformSync(source, {
    loader: 'ts',
    format: 'esm',
    target: 'node20',
    tsconfigRaw: { compilerOptions: { experimentalDecorators: true } },
  });
  assert.not.match(code, /design:paramtypes/);
  // Inside the package, so that its own name resolves to it.
  const directory = mkdtempSync(join(projectRoot, 'dist', 'without-metadata-'));
  const program = join(directory, 'config.mjs');
  writeFileSync(program, code);

  const { status, stdout, stderr } = spawnSync(process.execPath, [program], {
    encoding: 'utf8',
    timeout: 20_000,
  });

  rmSync(directory, { recursive: true });
  assert.is(status, 0, stderr);
  assert.match(stdout, /still: 250 EUR a day\n$/);
});

test.run();
