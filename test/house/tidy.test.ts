import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { codeOf, projectRoot, readSource, sourcesOf } from './imports.js';

const product = ['core', 'framework', 'plugins'].flatMap(sourcesOf);
const everything = [...product, ...sourcesOf('test'), ...sourcesOf('examples')];

test('the top level holds the five folders and the named files, and nothing else', () => {
  if (!existsSync(join(projectRoot, '.git'))) return;
  const tracked = execFileSync('git', ['ls-files'], { cwd: projectRoot, encoding: 'utf8' })
    .trim()
    .split('\n');
  const top = new Set(tracked.map((file) => file.split('/')[0]!).filter((name) => !name.startsWith('.')));
  const allowed = ['core', 'framework', 'plugins', 'test', 'examples', 'package.json', 'package-lock.json'];
  const papers = ['tsconfig.json', 'README.md', 'ARCHITECTURE.md', 'CHANGELOG.md', 'SECURITY.md', 'LICENSE'];
  assert.equal(
    [...top].filter((name) => ![...allowed, ...papers].includes(name)),
    [],
  );
});

test('no source file of the product is longer than one subject deserves', () => {
  const long = product
    .map((file) => ({ file, lines: readSource(file).split('\n').length }))
    .filter(({ lines }) => lines > 450);
  assert.equal(long, []);
});

test('files are named in kebab case, and no folder is named for a kind of thing', () => {
  const KINDS = /\/(?:utils?|helpers?|types|interfaces|common|misc|lib)(?:\/|\.ts$)/;
  // test/types holds the tests of the types.
  const named = everything.filter((file) => !file.startsWith('test/types/'));
  const badName = named.filter((file) => !/^[a-z0-9/.-]+\.ts$/.test(file) || KINDS.test(file));
  assert.equal(badName, []);
});

test('no source file has a default export, an any, or a silenced check', () => {
  const found = everything.filter((file) => {
    const text = readSource(file);
    const code = codeOf(file);
    return (
      /^export default\b/m.test(code) ||
      /(?::|<|\bas)\s*any\b/.test(code) ||
      /@ts-(?:ignore|nocheck|expect-error)\b/.test(text.replace(/'[^'\n]*'|\/@ts-[^\n]*/g, ''))
    );
  });
  assert.equal(
    found.filter((file) => !file.startsWith('test/types/')),
    [],
  );
});

test('no source declares a name that a transform to CommonJS breaks', () => {
  const RESERVED =
    /^(?:export )?(?:async )?(?:function|const|let|class) (?:require|exports|__dirname|__filename)\b/m;
  assert.equal(
    product.filter((file) => RESERVED.test(codeOf(file))),
    [],
  );
});

test('nothing is left for another day: no unfinished marks in the sources', () => {
  const MARKS = /\b(?:TODO|FIXME|XXX|HACK)\b|not implemented/i;
  const found = product.filter((file) => MARKS.test(readSource(file)));
  assert.equal(found, []);
});

test('the package names what it ships, and the version stands in the changelog', () => {
  const manifest = JSON.parse(readFileSync(join(projectRoot, 'package.json'), 'utf8')) as { version: string };
  const changelog = readFileSync(join(projectRoot, 'CHANGELOG.md'), 'utf8');
  assert.ok(changelog.includes(`## ${manifest.version}`) || changelog.includes('## Unreleased'));
});

test.run();
