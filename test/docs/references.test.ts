import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Command } from 'commander';
import { environmentName, SETTINGS } from '../../plugins/cli/serve-settings.js';
import { readSource } from '../house/imports.js';
import { COMMANDS } from './commands.js';
import { disagreement, documentedRows, membersOf } from './sources.js';

const OPTIONS = 'framework/OPTIONS.md';
const METRICS = 'core/server/METRICS.md';

/** A section of the page, and the declarations whose members it documents. */
const DOCUMENTED: Readonly<Record<string, readonly (readonly [file: string, declaration: string])[]>> = {
  ApplicationOptions: [['framework/application-options.ts', 'ApplicationOptions']],
  ApplicationHooks: [['framework/application-options.ts', 'ApplicationHooks']],
  LastKnownGoodOptions: [['framework/config/last-known-good.ts', 'LastKnownGoodOptions']],
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
  SemaphoreOptions: [['core/recipes/locks/semaphore.ts', 'SemaphoreOptions']],
  TryLockOptions: [['core/recipes/locks/try-lock.ts', 'TryLockOptions']],
  RunLockedOptions: [['framework/locks.ts', 'RunLockedOptions']],
  LeaderLatchOptions: [['core/recipes/leader/leader-latch.ts', 'LeaderLatchOptions']],
  LeaderSelectorOptions: [['core/recipes/leader/leader-selector.ts', 'LeaderSelectorOptions']],
  RunLedgerOptions: [['core/recipes/schedule/run-ledger.ts', 'RunLedgerOptions']],
  GroupMembershipOptions: [['core/recipes/membership/group-membership.ts', 'GroupMembershipOptions']],
  BarrierOptions: [['core/recipes/barriers/barrier.ts', 'BarrierOptions']],
  DoubleBarrierOptions: [['core/recipes/barriers/double-barrier.ts', 'DoubleBarrierOptions']],
  CounterOptions: [['core/recipes/shared/counter.ts', 'CounterOptions']],
  SharedValueOptions: [['core/recipes/shared/shared-value.ts', 'SharedValueOptions']],
  KeptNodeOptions: [['core/recipes/nodes/kept-node.ts', 'KeptNodeOptions']],
  SearchOptions: [['framework/service-options.ts', 'SearchOptions']],
  ServicesOptions: [['framework/services.ts', 'ServicesOptions']],
  ServiceRequest: [['framework/service-call.ts', 'ServiceRequest']],
  PickOptions: [['framework/service-options.ts', 'PickOptions']],
  TreeCacheOptions: [['core/recipes/cache/tree-cache.ts', 'TreeCacheOptions']],
  TlsOptions: [['core/transport/tls-options.ts', 'TlsOptions']],
  ExponentialBackoffOptions: [['core/client/retry.ts', 'ExponentialBackoffOptions']],
  RetryOptions: [['core/client/retry.ts', 'RetryOptions']],
  HealthEndpointOptions: [['framework/runtime/health-endpoint.ts', 'HealthEndpointOptions']],
  BatchOptions: [['framework/decorators/worker.ts', 'BatchOptions']],
  IsolatedOptions: [['framework/decorators/worker.ts', 'IsolatedOptions']],
  IsolatedHandlerOptions: [['framework/isolation/isolated-handler.ts', 'IsolatedHandlerOptions']],
  EmbeddedOptions: [['core/server/process/embedded.ts', 'EmbeddedOptions']],
  DoctorOptions: [['core/server/process/doctor.ts', 'DoctorOptions']],
  ZooKeeperListenerOptions: [['plugins/zookeeper/listener/tcp-listener.ts', 'ZooKeeperListenerOptions']],
  ListenerTlsOptions: [['plugins/zookeeper/listener/listener-tls.ts', 'ListenerTlsOptions']],
  ZooKeeperDialerOptions: [['plugins/zookeeper/transport/zookeeper-dialer.ts', 'ZooKeeperDialerOptions']],
};

/** Of the types of options that applications and programs can name, those that are told of under another name. */
const TOLD_ELSEWHERE: Readonly<Record<string, string>> = {
  EnqueueOptions: 'JobOptions',
  LeaderOnlyOptions: '@LeaderOnly',
  ServeOptions: 'quorate serve',
  ServerOptions: 'ServerOptions',
};

const DOORS = [
  'framework/index.ts',
  'core/client/index.ts',
  'core/server/index.ts',
  'plugins/zookeeper/index.ts',
  'plugins/pino/index.ts',
];

/** Commands that ask no ensemble: they work on files. */
const OF_FILES: ReadonlySet<string> = new Set(['doctor', 'restore', 'verify']);

/** Of every command that asks an ensemble something. */
const ENSEMBLE_FLAGS = [
  '--connect',
  '--patience',
  '--auth',
  '--tls-ca',
  '--tls-cert',
  '--tls-key',
  '--tls-server-name',
];

/** The commands that do something, and not those that only lead to them, without `serve`. */
const LEAVES = Object.values(COMMANDS)
  .filter((command) => command.name() !== 'serve')
  .flatMap((command) => leavesOf(command, 'quorate'));

test('every type of options that a door of the package names has a section', () => {
  const named = DOORS.flatMap((door) => [...readSource(door).matchAll(/\b[A-Z]\w*Options\b/g)]).map(
    ([name]) => name,
  );
  const told = new Set([
    ...Object.values(DOCUMENTED)
      .flat()
      .map(([, declaration]) => declaration),
    ...Object.keys(TOLD_ELSEWHERE),
  ]);
  assert.ok(named.length > 40, `only ${named.length} were found`);
  assert.equal([...new Set(named)].filter((name) => !told.has(name)).sort(), []);
});

test('every command is in the reference with its arguments and its flags, and no line outlived its command', () => {
  const declared = [...readSource('plugins/cli/quorate.ts').matchAll(/^  (\w+): async/gm)].map(
    ([, name]) => name!,
  );
  assert.equal(declared.toSorted(), Object.keys(COMMANDS));
  const rows = documentedRows(OPTIONS, 'Commands');
  expectAgreement(
    LEAVES.map(({ usage }) => usage),
    rows.map(([usage]) => usage!),
    OPTIONS,
  );
  for (const { usage, command } of LEAVES) {
    const [, flags] = rows.find(([documented]) => documented === usage)!;
    const isOfEnsemble = !OF_FILES.has(command.name());
    const own = command.options.map(({ long }) => long!);
    if (isOfEnsemble)
      assert.ok(
        ENSEMBLE_FLAGS.every((flag) => own.includes(flag)),
        usage,
      );
    const further = isOfEnsemble ? own.filter((flag) => !ENSEMBLE_FLAGS.includes(flag)) : own;
    const shown = [...flags!.matchAll(/`([^`]+)`/g)].map(([, flag]) => flag!);
    expectAgreement(further, shown, `${OPTIONS}, ${usage}`);
  }
});

test('every flag of a command is in the reference with its default', () => {
  const rows = documentedRows(OPTIONS, 'Flags of commands');
  const options = LEAVES.flatMap(({ command }) => command.options);
  expectAgreement(
    options.map(({ long }) => long!),
    rows.map(([flag]) => flag!),
    OPTIONS,
  );
  for (const { long, defaultValue } of options) {
    if (defaultValue === undefined) continue;
    const [, shown] = rows.find(([flag]) => flag === long)!;
    assert.is(shown!.replaceAll('`', ''), String(defaultValue), long);
  }
});

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
  const inPrograms = membersOf('core/server/configuration/server-options.ts', 'ServerOptions');
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
    [
      ...membersOf('core/server/member/member-health.ts', 'MemberHealth'),
      ...membersOf('core/server/process/serve.ts', 'ProcessHealth'),
    ],
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

function leavesOf(
  command: Command,
  parent: string,
): readonly { readonly usage: string; readonly command: Command }[] {
  const path = `${parent} ${command.name()}`;
  const inner = command.commands.flatMap((each) => leavesOf(each, path));
  if (inner.length > 0 && command.registeredArguments.length === 0) return inner;
  const words = command.registeredArguments.map((argument) => {
    const name = argument.variadic ? `${argument.name()}...` : argument.name();
    return argument.required ? `<${name}>` : `[${name}]`;
  });
  return [{ usage: [path, ...words].join(' '), command }, ...inner];
}

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
