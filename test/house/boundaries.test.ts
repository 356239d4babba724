import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { codeOf, importsOf, moduleOf, sourcesOf, type Import } from './imports.js';

/** What each module may import beside itself. `plugins/cli` alone may import other plugins. */
const MAY_IMPORT: Record<string, readonly string[]> = {
  'core/runtime': [],
  'core/protocol': [],
  'core/zab': [],
  'core/data': ['core/protocol'],
  'core/transport': ['core/runtime'],
  'core/storage': ['core/runtime'],
  'core/server': ['core/runtime', 'core/protocol', 'core/data', 'core/zab', 'core/storage', 'core/transport'],
  'core/client': ['core/protocol', 'core/transport', 'core/runtime'],
  'core/recipes': ['core/client', 'core/runtime'],
  'core/testing': [
    'core/runtime',
    'core/protocol',
    'core/data',
    'core/zab',
    'core/storage',
    'core/transport',
    'core/server',
    'core/client',
    'core/recipes',
  ],
  framework: ['core/client', 'core/recipes', 'core/server', 'core/storage', 'core/runtime'],
  'framework/testing': ['framework', 'core/testing', 'core/client', 'core/runtime'],
};

const PLUGIN_MAY_IMPORT = [
  'core/runtime',
  'core/protocol',
  'core/transport',
  'core/client',
  'core/recipes',
  'core/server',
  'core/storage',
  'framework',
];

function mayImport(from: string, to: string): boolean {
  if (from === to) return true;
  if (from === 'plugins/cli') return to.startsWith('plugins/') || PLUGIN_MAY_IMPORT.includes(to);
  if (from.startsWith('plugins/')) return PLUGIN_MAY_IMPORT.includes(to);
  return MAY_IMPORT[from]?.includes(to) ?? false;
}

const own = ['core', 'framework', 'plugins'].flatMap(sourcesOf).flatMap(importsOf);
const show = (imports: readonly Import[]): string[] => imports.map(({ from, to }) => `${from} imports ${to}`);

test('every module is named in the rule of imports', () => {
  const modules = [...new Set(sourcesOf('core').map(moduleOf))];
  assert.equal(
    modules.filter((module) => MAY_IMPORT[module] === undefined),
    [],
  );
  assert.ok(own.length > 20, 'the reader of imports found next to nothing');
});

test('imports point down, as the rule of imports says', () => {
  const upward = own.filter(({ from, to, isOwn }) => isOwn && !mayImport(moduleOf(from), moduleOf(to)));
  assert.equal(show(upward), []);
});

test('a module is entered by its entry point', () => {
  const DOORS = /^(?:core\/[a-z]+|plugins\/[a-z]+|framework(?:\/testing)?)\/(?:index|listener)\.ts$/;
  const deep = own.filter(
    ({ from, to, isOwn }) => isOwn && moduleOf(from) !== moduleOf(to) && !DOORS.test(to),
  );
  assert.equal(show(deep), []);
});

/** Layers of `core/server`, and what each may import beside itself. */
const SERVER_LAYERS: Record<string, readonly string[]> = {
  configuration: [],
  metrics: [],
  state: ['configuration', 'metrics'],
  peers: ['configuration', 'metrics'],
  pipeline: ['state', 'configuration', 'metrics'],
  clients: ['pipeline', 'state', 'configuration', 'metrics'],
  member: ['clients', 'pipeline', 'peers', 'state', 'configuration', 'metrics'],
  process: ['member', 'clients', 'peers', 'state', 'configuration', 'metrics'],
};

function serverLayerOf(file: string): string | null {
  return /^core\/server\/([a-z]+)\//.exec(file)?.[1] ?? null;
}

const betweenServerLayers = own.filter(({ from, to }) => {
  const layers = [serverLayerOf(from), serverLayerOf(to)];
  return !layers.includes(null) && layers[0] !== layers[1];
});

test('every file of core/server belongs to a layer', () => {
  const others = sourcesOf('core/server').filter((file) => !((serverLayerOf(file) ?? '') in SERVER_LAYERS));
  assert.equal(others, ['core/server/index.ts']);
});

test('a layer of core/server imports only the layers below it', () => {
  assert.ok(betweenServerLayers.length > 50, 'the reader of imports found next to nothing');
  const upward = betweenServerLayers.filter(
    ({ from, to }) => !SERVER_LAYERS[serverLayerOf(from)!]?.includes(serverLayerOf(to)!),
  );
  assert.equal(show(upward), []);
});

test('a layer of core/server is entered by its entry point', () => {
  const deep = betweenServerLayers.filter(({ to }) => !/^core\/server\/[a-z]+\/index\.ts$/.test(to));
  assert.equal(show(deep), []);
});

test('the pipeline of a member knows no connection', () => {
  const CONNECTION = /\b(?:Client)?Connection\b|\bReplySlot\b/;
  const pipeline = sourcesOf('core/server').filter((file) => serverLayerOf(file) === 'pipeline');
  assert.ok(pipeline.length > 5);
  assert.equal(
    pipeline.filter((file) => CONNECTION.test(codeOf(file))),
    [],
  );
  const transport = own.filter(
    ({ from, to }) => pipeline.includes(from) && moduleOf(to) === 'core/transport',
  );
  assert.equal(show(transport), []);
});

test('no folder of core/server holds more than fifteen source files', () => {
  const counts = new Map<string, number>();
  for (const file of sourcesOf('core/server')) {
    const folder = file.slice(0, file.lastIndexOf('/'));
    counts.set(folder, (counts.get(folder) ?? 0) + 1);
  }
  assert.equal(
    [...counts].filter(([, count]) => count > 15),
    [],
  );
});

test('no file of the product imports another in a circle', () => {
  const edges = new Map<string, string[]>();
  for (const { from, to, isOwn, isTypeOnly } of own) {
    if (isOwn && !isTypeOnly) edges.set(from, [...(edges.get(from) ?? []), to]);
  }
  const done = new Set<string>();
  const circles: string[] = [];
  const visit = (file: string, trail: readonly string[]): void => {
    if (trail.includes(file)) circles.push([...trail.slice(trail.indexOf(file)), file].join(' → '));
    if (done.has(file) || trail.includes(file)) return;
    for (const next of edges.get(file) ?? []) visit(next, [...trail, file]);
    done.add(file);
  };
  for (const file of edges.keys()) visit(file, []);
  assert.equal(circles, []);
});

test('examples import only the package, as a user would', () => {
  const foreign = sourcesOf('examples')
    .flatMap(importsOf)
    .filter(
      ({ from, to, isOwn }) =>
        !(isOwn
          ? to.startsWith('examples/') && moduleOf(from) === 'examples'
          : /^(?:quorate(?:\/|$)|node:)/.test(to)),
    );
  assert.equal(show(foreign), []);
});

test.run();
