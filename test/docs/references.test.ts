import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { environmentName, SETTINGS } from '../../plugins/cli/serve-settings.js';
import { readSource } from '../house/imports.js';
import { disagreement, documentedRows, membersOf } from './sources.js';

const OPTIONS = 'framework/OPTIONS.md';
const METRICS = 'core/server/METRICS.md';

/** A section of the page, and the declarations whose members it documents. */
const DOCUMENTED: Readonly<Record<string, readonly (readonly [file: string, declaration: string])[]>> = {
  ApplicationOptions: [['framework/application-options.ts', 'ApplicationOptions']],
  ApplicationHooks: [['framework/application-options.ts', 'ApplicationHooks']],
  ConnectOptions: [
    ['core/client/connect.ts', 'ClientOptions'],
    ['core/client/connect.ts', 'ConnectOptions'],
  ],
  '@Config': [
    ['framework/decorators/config.ts', 'ConfigOptions'],
    ['framework/config/layers.ts', 'LayerOptions'],
  ],
  '@Service': [['framework/decorators/service.ts', 'ServiceOptions']],
  '@LeaderOnly': [
    ['framework/decorators/leader-only.ts', 'CommonOptions'],
    ['framework/decorators/leader-only.ts', 'ByInterval'],
    ['framework/decorators/leader-only.ts', 'ByCalendar'],
  ],
  '@Sharded': [['framework/decorators/sharded.ts', 'ShardedOptions']],
  Modules: [['framework/module.ts', 'ModuleOptions']],
  '@Locked': [['framework/decorators/locked.ts', 'LockedOptions']],
  '@Worker': [['framework/decorators/worker.ts', 'WorkerOptions']],
  WorkQueueOptions: [['core/recipes/queue/work-queue.ts', 'WorkQueueOptions']],
  JobOptions: [['core/recipes/queue/job-draft.ts', 'JobOptions']],
  ConsumeOptions: [
    ['core/recipes/queue/consume-options.ts', 'ConsumeOptions'],
    ['core/recipes/queue/job-batches.ts', 'JobBatchOptions'],
  ],
  ShardAssignmentOptions: [['core/recipes/shards/shard-assignment.ts', 'ShardAssignmentOptions']],
  AcquireOptions: [
    ['core/recipes/contention/hold.ts', 'AcquireOptions'],
    ['core/recipes/contention/hold.ts', 'TryAcquireOptions'],
  ],
  LockOptions: [['core/recipes/locks/fair-lock.ts', 'LockOptions']],
  ServiceRequest: [['framework/service-call.ts', 'ServiceRequest']],
  PickOptions: [['framework/services.ts', 'PickOptions']],
  TreeCacheOptions: [['core/recipes/cache/tree-cache.ts', 'TreeCacheOptions']],
};

for (const [section, declarations] of Object.entries(DOCUMENTED)) {
  test(`every option of ${section} is in the reference, and nothing else`, () => {
    const declared = declarations.flatMap(([file, declaration]) => membersOf(file, declaration));
    assert.ok(declared.length > 0);
    expectAgreement(declared, rowsOf(OPTIONS, section), OPTIONS);
  });
}

test('every setting of a member is in the reference with its flag and its variable', () => {
  const rows = documentedRows(OPTIONS, 'quorate serve');
  const names = SETTINGS.map(({ name }) => name as string);
  expectAgreement(
    names,
    rows.map(([name]) => name!),
    OPTIONS,
  );
  for (const { name, flag } of SETTINGS) {
    const [, shownFlag, variable] = rows.find(([documented]) => documented === name)!;
    assert.is(shownFlag, `\`${flag.split(' ')[0]}\``);
    assert.is(variable, `\`${environmentName(name)}\``);
  }
});

test('every option of a member that only programs can set is in the reference', () => {
  const settable = new Set(SETTINGS.map(({ name }) => name as string));
  const inPrograms = membersOf('core/server/server-options.ts', 'ServerOptions');
  expectAgreement(
    inPrograms.filter((name) => !settable.has(name)),
    rowsOf(OPTIONS, 'ServerOptions'),
    OPTIONS,
  );
});

test('every event of an application is in the reference with its fields, and no line outlived its event', () => {
  const page = 'framework/EVENTS.md';
  const union = /type ApplicationEvent =([\s\S]*?)\n\nexport/.exec(readSource('framework/events.ts'))![1]!;
  const events = union
    .replaceAll(/\/\*[\s\S]*?\*\//g, '')
    .split(/^ {2}\| /m)
    .slice(1)
    .map((text) => ({
      type: /type: '([^']+)'/.exec(text)?.[1],
      fields: [...text.matchAll(/readonly (\w+)\??:/g)].map((match) => match[1]!).slice(1),
    }));
  assert.ok(events.length > 15 && events.every(({ type }) => type !== undefined));
  const rows = documentedRows(page);
  expectAgreement(
    events.map(({ type }) => type!),
    rows.map(([type]) => type!),
    page,
  );
  for (const { type, fields } of events) {
    const shown = rows.find(([documented]) => documented === type)![2]!;
    expectAgreement(
      fields,
      [...shown.matchAll(/`([^`]+)`/g)].map((match) => match[1]!),
      `${page}, ${type}`,
    );
  }
});

test('every field of what a member says over HTTP is in the reference', () => {
  expectAgreement(
    membersOf('core/server/health.ts', 'MemberHealth'),
    rowsOf(METRICS, '/livez and /readyz'),
    METRICS,
  );
});

test('every line of mntr is in the reference', () => {
  const source = readSource('plugins/zookeeper/listener/words/monitor-word.ts');
  const [, server, leader] = /function ofServer([\s\S]*?)^}[\s\S]*?function ofLeader([\s\S]*?)^}/m.exec(
    source,
  )!;
  const keys = [server!, leader!].flatMap((body) =>
    [...body.slice(body.lastIndexOf('return {')).matchAll(/^ {4}(?:\.\.\..*\{ )?([a-z_]+):/gm)].map(
      (match) => match[1]!,
    ),
  );
  assert.ok(keys.length > 25);
  expectAgreement(keys, rowsOf(METRICS, 'mntr'), METRICS);
});

function rowsOf(page: string, section: string): readonly string[] {
  return documentedRows(page, section).map(([name]) => name!);
}

function expectAgreement(declared: readonly string[], documented: readonly string[], page: string): void {
  assert.equal(
    disagreement(declared, documented),
    { undocumented: [], outlived: [] },
    `put what is missing into ${page}, and take out what is there no more`,
  );
  assert.is(new Set(documented).size, documented.length, `${page} has a line twice`);
}

test.run();
