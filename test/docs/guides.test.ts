import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { execFile } from 'node:child_process';
import { dirname, join, normalize } from 'node:path';
import { promisify } from 'node:util';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { projectRoot } from '../house/imports.js';
import { serveOverTcp } from '../plugins/zookeeper/served.js';
import { APPLICATION_SETTINGS } from './snippet.js';

const GUIDES = [
  'framework/README.md',
  'framework/EVENTS.md',
  'core/recipes/README.md',
  'core/recipes/queue/README.md',
  'core/client/README.md',
  'core/server/README.md',
  'plugins/cli/README.md',
  'plugins/pino/README.md',
  'plugins/zookeeper/README.md',
];
const PAGES = ['README.md', 'ARCHITECTURE.md', 'framework/ERRORS.md', 'framework/OPTIONS.md', ...GUIDES];

// Inside the checkout, so that `quorate` resolves to the package itself.
const scratch = join(projectRoot, 'dist', 'guides');
const run = promisify(execFile);

interface Program {
  readonly name: string;
  readonly source: string;
  /** What the page promises, in a block of text right behind the program. */
  readonly promised: string | undefined;
}

const programs: readonly Program[] = GUIDES.flatMap((page) =>
  [...read(page).matchAll(/^```ts\n([\s\S]*?)^```\n(?:\n```text\n([\s\S]*?)^```$)?/gm)].map(
    (match, index) => ({
      name: `${page.replaceAll(/\W/g, '-')}-${index + 1}`,
      source: match[1]!,
      promised: match[2],
    }),
  ),
);

test.after(() => rmSync(scratch, { recursive: true, force: true }));

test('every program of the guides compiles with the settings that the README asks of an application', async () => {
  mkdirSync(scratch, { recursive: true });
  for (const { name, source } of programs) writeFileSync(join(scratch, `${name}.ts`), source);
  const { compilerOptions } = APPLICATION_SETTINGS;
  writeFileSync(join(scratch, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['*.ts'] }));
  const compiler = join(projectRoot, 'node_modules', 'typescript', 'bin', 'tsc');
  await run(process.execPath, [compiler, '--project', scratch]).catch((error: unknown) => {
    assert.unreachable((error as { stdout?: string }).stdout ?? String(error));
  });
});

test('every program of the guides runs, ends by itself, and prints what the page promises', async () => {
  assert.ok(programs.length > 10);
  await using served = await serveOverTcp();
  for (const { name, promised } of programs) {
    const { stdout } = await run(process.execPath, [join(scratch, 'out', `${name}.js`)], {
      timeout: 60_000,
      cwd: scratch,
      env: { ...process.env, CONNECT: served.member.address },
    });
    if (promised !== undefined) assert.is(stdout, promised, name);
  }
});

test('every link of the documentation leads to something', () => {
  const broken = PAGES.flatMap((page) =>
    linksOf(page)
      .filter((target) => !existsSync(join(projectRoot, target)))
      .map((target) => `${page}: ${target}`),
  );
  assert.equal(broken, []);
});

test('every page that the README leads to is in the packed package', () => {
  const { files } = JSON.parse(read('package.json')) as { files: readonly string[] };
  const missing = [...new Set(PAGES.flatMap(linksOf))].filter(
    (target) =>
      target.endsWith('.md') &&
      /^(?:core|framework|plugins|[^/]+$)/.test(target) &&
      target !== 'README.md' &&
      !files.includes(target) &&
      !files.includes(`${target.split('/')[0]}/**/*.md`),
  );
  assert.equal(missing, [], 'add them to "files" in package.json');
});

/** Where the links of a page lead inside the project. */
function linksOf(page: string): readonly string[] {
  return [...read(page).matchAll(/\]\(([^)#]+)(?:#[^)]*)?\)/g)]
    .map((match) => match[1]!)
    .filter((target) => !/^\w+:/.test(target))
    .map((target) => normalize(join(dirname(page), target)));
}

function read(file: string): string {
  return readFileSync(join(projectRoot, file), 'utf8');
}

test.run();
