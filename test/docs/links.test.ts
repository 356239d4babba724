import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { projectRoot, readSource } from '../house/imports.js';
import { anchorsOf, linksOf } from './pages.js';

/** What `npm pack` would pack, of the sources and the build that are there. */
async function packedFiles(): Promise<readonly string[]> {
  const parameters = ['pack', '--dry-run', '--json', '--ignore-scripts'];
  const { stdout } = await promisify(execFile)('npm', parameters, { cwd: projectRoot, maxBuffer: 2 ** 26 });
  const [packed] = JSON.parse(stdout) as [{ readonly files: readonly { readonly path: string }[] }];
  return packed.files.map(({ path }) => path);
}

test('every relative link of every packed page leads to a packed file, and its anchor to a heading', async () => {
  const files = await packedFiles();
  const pages = files.filter((file) => file.endsWith('.md'));
  assert.ok(pages.length > 10);
  const isPacked = (target: string): boolean =>
    files.includes(target) || files.some((file) => file.startsWith(`${target}/`));
  const broken = pages.flatMap((page) =>
    linksOf(page, readSource(page))
      .filter(({ target, anchor }) => {
        if (!isPacked(target)) return true;
        return anchor !== undefined && target.endsWith('.md') && !anchorsOf(readSource(target)).has(anchor);
      })
      .map(({ target, anchor }) => `${page} → ${target}${anchor === undefined ? '' : `#${anchor}`}`),
  );
  assert.equal(broken, []);
});

test.run();
