import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { programsOf, statedSettings } from '../../docs/pages.js';
import { FreshProject, type CompilerOptions } from './fresh-project.js';

let project: FreshProject;

test.before(async () => {
  project = await FreshProject.make();
});
test.after(() => project.remove());

test('the package holds the product, its pages and its examples, and nothing else', () => {
  for (const file of ['dist/framework/index.js', 'dist/framework/index.d.ts', 'LICENSE', 'README.md'])
    assert.ok(project.files.includes(file), file);
  const allowed = [
    /^dist\/(?:core|framework|plugins)\/.*\.(?:js|d\.ts)$/,
    /^(?:core|framework|plugins)\/.*\.md$/,
    /^examples\/.*\.ts$/,
    /^test\/(?:conformance\/\w+\.md|bench\/RESULTS\.md|bench\/pictures\/[\w-]+\.svg)$/,
    /^(?:README|ARCHITECTURE|CHANGELOG|SECURITY)\.md$/,
    /^(?:LICENSE|package\.json)$/,
  ];
  assert.equal(
    project.files.filter((file) => !allowed.some((pattern) => pattern.test(file))),
    [],
  );
  assert.equal(
    project.files.filter((file) => file.includes('.test.')),
    [],
  );
});

test('the package has no source maps, and no file that names one', () => {
  const named = project.files.filter(
    (file) => /\.(?:js|d\.ts)$/.test(file) && /^\/\/# sourceMappingURL=/m.test(project.read(file)),
  );
  assert.equal(named, []);
});

const MODULES: Readonly<Record<string, CompilerOptions>> = {
  nodenext: { module: 'NodeNext' },
  node16: { module: 'Node16' },
  bundler: { module: 'ESNext', moduleResolution: 'bundler' },
};

for (const [name, module] of Object.entries(MODULES)) {
  test(`the README's lines compile and say hello with module ${name}, without types and with every library checked`, async () => {
    const [lines] = programsOf('README.md');
    const settings = { ...statedSettings(), ...module, skipLibCheck: false };
    const compiled = await project.compile(`hello-${name}`, { hello: lines!.source }, settings);
    const { stdout, stderr } = await project.run(compiled('hello'));
    assert.is(stdout, 'hello, world\n');
    assert.is(stderr, '');
  });
}

test('every entry point compiles with every library checked, without "types": ["node"]', async () => {
  const entries = ['quorate', 'quorate/client', 'quorate/server', 'quorate/testing'];
  const plugins = ['quorate/plugins/pino', 'quorate/plugins/zookeeper'];
  const source = [...entries, ...plugins]
    .map(
      (entry, index) =>
        `import * as entry${index} from '${entry}';\nconsole.log(Object.keys(entry${index}).length > 0);`,
    )
    .join('\n');
  const compiled = await project.compile(
    'entries',
    { entries: source },
    { ...statedSettings(), skipLibCheck: false },
  );
  const { stdout } = await project.run(compiled('entries'));
  assert.is(stdout, 'true\n'.repeat(entries.length + plugins.length));
});

test('a handler that throws is reported on standard error at once', async () => {
  const [lines] = programsOf('README.md');
  const source = lines!.source
    .replace(/return `hello.*/, "throw new Error('a bug');")
    .replace(
      /console\.log\(await greetings\.result\((.*)\)\);/,
      '$1;\nawait new Promise((resolve) => app.on("job-failed", resolve));',
    );
  const compiled = await project.compile('bug', { bug: source }, statedSettings());
  const { stdout, stderr } = await project.run(compiled('bug'));
  assert.is(stdout, '');
  assert.match(
    stderr,
    /^\[quorate\] warning: A job failed; it is retried queue=greetings id=job-\S+ attempt=1 retryInMs=\d+/,
  );
  assert.match(stderr, /\n {4}Error: a bug\n {4}at Greeter\.handle/);
  assert.not.match(stderr, 'node_modules/quorate');
});

test('the installed command knows its version', async () => {
  const { version } = JSON.parse(project.read('package.json')) as { version: string };
  const command = join(project.directory, 'node_modules', 'quorate', 'dist', 'plugins', 'cli', 'quorate.js');
  const { stdout } = await project.run(command, {}, ['--version']);
  assert.is(stdout.trim(), version);
});

test.run();
