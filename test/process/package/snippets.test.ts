/** Every program of the documentation, run from the packed package in a fresh project with the settings that the README states. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { GUIDES, programsOf, statedSettings, usesNode, type Program } from '../../docs/pages.js';
import { serveOverTcp } from '../../plugins/zookeeper/served.js';
import { FreshProject } from './fresh-project.js';

const programs = GUIDES.flatMap(programsOf);
const plain = programs.filter(({ source }) => !usesNode(source));
const onNode = programs.filter(({ source }) => usesNode(source));

let project: FreshProject;
const compiled = new Map<string, string>();

test.before(async () => {
  project = await FreshProject.make();
});
test.after(() => project.remove());

const sourcesOf = (of: readonly Program[]): Record<string, string> =>
  Object.fromEntries(of.map(({ name, source }) => [name, source]));

test('every program of the documentation compiles with the settings that the README states', async () => {
  assert.ok(plain.length > 5 && onNode.length > 2, 'the pages have programs of both kinds');
  const pathOf = await project.compile('plain', sourcesOf(plain), statedSettings());
  for (const { name } of plain) compiled.set(name, pathOf(name));
});

test('every program that uses Node compiles with the types that the README names for it', async () => {
  const pathOf = await project.compile('on-node', sourcesOf(onNode), {
    ...statedSettings(),
    types: ['node'],
  });
  for (const { name } of onNode) compiled.set(name, pathOf(name));
});

for (const { name, page, promised, source } of programs.filter(({ runs }) => runs)) {
  test(`${name} runs, ends by itself, and prints what the page promises`, async () => {
    const program = compiled.get(name);
    assert.ok(program !== undefined, 'it did not compile');
    const needsServer = /\bCONNECT\b/.test(source);
    await using served = needsServer ? await serveOverTcp() : null;
    const environment: Record<string, string> = served === null ? {} : { CONNECT: served.member.address };
    // A reader may run it twice on one server.
    if (served !== null) await project.run(program, environment);
    const { stdout } = await project.run(program, environment);
    if (promised !== undefined) assert.is(stdout, promised);
    if (page === 'framework/testing/README.md') assert.match(stdout, /Passed: +1|pass 1\b[\s\S]*fail 0\b/);
  });
}

test('the program of three engines runs on each of them by its connect string alone', async () => {
  const [, program] = programsOf('README.md');
  await using served = await serveOverTcp();
  const engines = ['embedded:', `${served.member.address}/ws`, `zk://127.0.0.1:${served.port}/zk`];
  const sources = engines.map((engine, index) => [
    `engine${index}`,
    program!.source.replace("'embedded:'", `'${engine}'`),
  ]);
  const pathOf = await project.compile(
    'engines',
    Object.fromEntries(sources) as Record<string, string>,
    statedSettings(),
  );
  for (const [index, engine] of engines.entries())
    assert.is((await project.run(pathOf(`engine${index}`))).stdout, "{ currency: 'USD' }\n", engine);
});

test.run();
