import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { projectRoot, readSource } from '../house/imports.js';
import { disagreement } from './sources.js';

const PAGE = 'ARCHITECTURE.md';

/** Rooms of the first two levels, as the map draws them: the second one is indented. */
function mappedModules(): string[] {
  const [, map] = /## Map of the modules\n+```\n([\s\S]*?)```/.exec(readSource(PAGE))!;
  const modules: string[] = [];
  let parent = '';
  for (const [, indent, name] of map!.matchAll(/^( {2})?([a-z]+)\/ {2,}\S/gm)) {
    if (indent === undefined) parent = name!;
    modules.push(indent === undefined ? name! : `${parent}/${name}`);
  }
  return modules;
}

function foldersIn(path: string): string[] {
  return readdirSync(join(projectRoot, path), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name);
}

test('every module is on the map, and nothing on the map is there no more', () => {
  const whole = ['core', 'framework', 'plugins'];
  const modules = [...whole, 'test', 'examples'];
  for (const top of whole) modules.push(...foldersIn(top).map((name) => `${top}/${name}`));
  // What mirrors the sources needs no line of its own.
  const own = foldersIn('test').filter((name) => !whole.includes(name));
  modules.push(...own.map((name) => `test/${name}`));

  assert.equal(
    disagreement(modules, mappedModules()),
    { undocumented: [], outlived: [] },
    `correct the map of ${PAGE}`,
  );
});

test('every recipe has a folder that the map names', () => {
  const [, line] = /^ {2}recipes\/([\s\S]*?)^ {2}testing\//m.exec(readSource(PAGE))!;
  // What the recipes share among themselves.
  const inner = ['contention', 'streams', 'waiting'];
  const folders = foldersIn('core/recipes').filter((name) => !inner.includes(name));
  assert.equal(
    folders.filter((name) => !new RegExp(`\\b${name}\\b`).test(line!)),
    [],
  );
});

test('every command is named where the plugin that has it is', () => {
  const commands = [...readSource('plugins/cli/quorate.ts').matchAll(/^ {2}(\w+): async/gm)].map(
    ([, name]) => name!,
  );
  const line = /^ {2}cli\/.*$/m.exec(readSource(PAGE))![0];
  assert.ok(commands.length > 5);
  assert.equal(
    commands.filter((name) => !line.includes(`\`${name}\``)),
    [],
  );
});

test.run();
