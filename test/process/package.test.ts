import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { compileAndRun, snippetsOf } from '../docs/snippet.js';
import { projectRoot } from '../house/imports.js';

const run = promisify(execFile);
const scratch = mkdtempSync(join(tmpdir(), 'quorate-package-'));

test.after(() => rmSync(scratch, { recursive: true, force: true }));

test('the packed package holds the product and nothing else, and runs its example in an empty project', async () => {
  // `--ignore-scripts`: the build that is under test is the one to pack.
  const packed = await run('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', scratch], {
    cwd: projectRoot,
  });
  const [{ filename, files }] = JSON.parse(packed.stdout) as [
    { filename: string; files: readonly { path: string }[] },
  ];
  const paths = files.map(({ path }) => path);
  assert.ok(paths.includes('dist/framework/index.js'));
  assert.ok(paths.includes('dist/framework/index.d.ts'));
  assert.ok(paths.includes('LICENSE'));
  assert.equal(
    paths.filter((path) => /^dist\/(?!core|framework|plugins)|\.test\.|tsbuildinfo/.test(path)),
    [],
  );

  const project = join(scratch, 'project');
  mkdirSync(join(project, 'node_modules', '@types'), { recursive: true });
  writeFileSync(
    join(project, 'package.json'),
    JSON.stringify({ name: 'app', private: true, type: 'module' }),
  );
  await run('npm', ['install', '--prefer-offline', '--no-audit', '--no-fund', join(scratch, filename)], {
    cwd: project,
  });
  const types = join(project, 'node_modules', '@types');
  mkdirSync(types, { recursive: true });
  symlinkSync(join(projectRoot, 'node_modules', '@types', 'node'), join(types, 'node'));
  const [example] = snippetsOf('README.md');
  assert.is(await compileAndRun(project, example!), 'hello, world\n');

  const { stdout } = await run(join(project, 'node_modules', '.bin', 'quorate'), ['--version']);
  const { version } = JSON.parse(readFileSync(join(projectRoot, 'package.json'), 'utf8')) as {
    version: string;
  };
  assert.is(stdout.trim(), version);
});

test.run();
