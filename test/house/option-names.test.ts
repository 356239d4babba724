/** Every public call refuses an option of an unknown name: it would have no effect, and nobody would notice. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { createClient, exponentialBackoff, retry, type Client } from '../../core/client/index.js';
import {
  Application,
  Barrier,
  Config,
  connect,
  Counter,
  defineQueue,
  DoubleBarrier,
  FairLock,
  GroupMembership,
  IsolatedHandler,
  KeptNode,
  LeaderJobs,
  LeaderLatch,
  LeaderOnly,
  LeaderSelector,
  Locked,
  Locks,
  module,
  MultiLock,
  NodeCache,
  Queues,
  QuorateError,
  ReadWriteLock,
  RunLedger,
  Semaphore,
  Service,
  ServiceDirectory,
  ServiceRegistry,
  Services,
  ShardAssignment,
  Sharded,
  SharedValue,
  TreeCache,
  TryLock,
  Worker,
  WorkQueue,
  ConfigStore,
  type Constructor,
  type Job,
} from '../../framework/index.js';
import { Embedded, restoreBackup, serve, treatDataDirectory } from '../../core/server/index.js';
import {
  Cluster,
  MemoryDisk,
  SimulatedNetwork,
  SimulatedProcess,
  TestEnsemble,
  TestFleet,
  VirtualClock,
} from '../../framework/testing/index.js';
import { ZooKeeperDialer, ZooKeeperListener } from '../../plugins/zookeeper/index.js';
import { publicOptionCalls } from './public-options.js';

/** Anything but an option, in the place of options. */
const WRONG = { mispelt: 1 } as never;
const nothing = (): void => undefined;
const codec = { encode: () => new Uint8Array(), decode: () => 0 };

/** Calls whose options are those of another call, which they pass on. */
const PASSED_ON = new Map([
  ['Application.run', 'Application.start'],
  ['allChildren', 'Client.getChildren'],
  ['Cluster.play', 'Cluster'],
  ['Locks.fair', 'FairLock'],
  ['Locks.readWrite', 'ReadWriteLock'],
  ['Locks.semaphore', 'Semaphore'],
  ['Locks.try', 'TryLock'],
  ['Queue', 'WorkQueue'],
  ['Queue.draft', 'WorkQueue.draft'],
  ['TestApplication.start', 'Application.start'],
  ['TestApplication.stop', 'Application.stop'],
  ['TestEnsemble.play', 'TestEnsemble'],
  // Made by `WorkQueue.consume`.
  ['QueueConsumer', 'WorkQueue.consume'],
]);
/** Their `options` are a listener of connections, or only a signal that the client gives. */
const INTERNAL = new Set(['FaultyLine.dial', 'FaultyLine.observe', 'SimulatedHost.dial']);

class Plain {
  handle(): void {}
  run(): void {}
  async book(): Promise<void> {}
}

function decorated(decorate: (target: Constructor<Plain>) => void): Promise<Application> {
  const declared = class extends Plain {};
  decorate(declared);
  return Application.start({ connect: 'embedded:', declare: [declared] });
}

function locked(): Promise<Application> {
  class Till {
    async book(): Promise<void> {}
  }
  Locked('till', WRONG)(Till.prototype, 'book', Object.getOwnPropertyDescriptor(Till.prototype, 'book')!);
  Service({ name: 'till' })(Till);
  return Application.start({ connect: 'embedded:', declare: [Till] });
}

type Call = (on: { readonly client: Client; readonly job: Job; readonly fleet: TestFleet }) => unknown;

const CALLS: Readonly<Record<string, Call>> = {
  'Application.start': () => Application.start({ ...(WRONG as object), connect: 'embedded:', declare: [] }),
  'Application.stop': async ({ client }) => {
    await using application = await Application.start({ connect: client, declare: [] });
    await application.stop(WRONG);
  },
  Barrier: ({ client }) => new Barrier(client, 'a', WRONG),
  'Barrier.passed': ({ client }) => new Barrier(client, 'a').passed(WRONG),
  'Client.addAuth': ({ client }) => client.addAuth('digest', 'a:b', WRONG),
  'Client.connected': ({ client }) => client.connected(WRONG),
  'Client.countDescendants': ({ client }) => client.countDescendants('/', WRONG),
  'Client.create': ({ client }) => client.create('/a', null, WRONG),
  'Client.delete': ({ client }) => client.delete('/a', WRONG),
  'Client.exists': ({ client }) => client.exists('/a', WRONG),
  'Client.getAcl': ({ client }) => client.getAcl('/', WRONG),
  'Client.getChildren': ({ client }) => client.getChildren('/', WRONG),
  'Client.getChildrenPage': ({ client }) => client.getChildrenPage('/', WRONG),
  'Client.getData': ({ client }) => client.getData('/', WRONG),
  'Client.getEphemerals': ({ client }) => client.getEphemerals('/', WRONG),
  'Client.multi': ({ client }) => client.multi([], WRONG),
  'Client.setAcl': ({ client }) => client.setAcl('/', [], WRONG),
  'Client.setData': ({ client }) => client.setData('/', null, WRONG),
  'Client.states': ({ client }) => client.states(WRONG),
  'Client.sync': ({ client }) => client.sync('/', WRONG),
  'Client.watch': ({ client }) => client.watch('/', WRONG),
  'Client.whoAmI': ({ client }) => client.whoAmI(WRONG),
  Cluster: () => new Cluster(WRONG),
  'Cluster.client': ({ fleet }) => fleet.cluster.client(WRONG),
  Config: () => decorated(Config({ ...(WRONG as object), name: 'a' })),
  'ConfigStore.write': ({ client }) => new ConfigStore(client).write('a', {}, WRONG),
  Counter: ({ client }) => new Counter(client, 'a', WRONG),
  'Counter.add': ({ client }) => new Counter(client, 'a').add(1n, WRONG),
  'Counter.get': ({ client }) => new Counter(client, 'a').get(WRONG),
  'Counter.set': ({ client }) => new Counter(client, 'a').set(1n, WRONG),
  'Counter.values': ({ client }) => new Counter(client, 'a').values(WRONG),
  DoubleBarrier: ({ client }) => new DoubleBarrier(client, 'a', WRONG),
  'DoubleBarrier.enter': ({ client }) => new DoubleBarrier(client, 'a', { parties: 1 }).enter(WRONG),
  'DoubleBarrier.leave': ({ client }) => new DoubleBarrier(client, 'a', { parties: 1 }).leave(WRONG),
  'Embedded.start': () => Embedded.start(WRONG),
  FairLock: ({ client }) => new FairLock(client, 'a', WRONG),
  'FairLock.explain': ({ client }) => new FairLock(client, 'a').explain(WRONG),
  GroupMembership: ({ client }) => new GroupMembership(client, '/a', WRONG),
  'GroupMembership.changes': ({ client }) => new GroupMembership(client, '/a').changes(WRONG),
  'GroupMembership.ready': ({ client }) => new GroupMembership(client, '/a').ready(WRONG),
  IsolatedHandler: () => new IsolatedHandler('./a.js', WRONG),
  'Job.fail': ({ job }) => job.fail('a', WRONG),
  KeptNode: ({ client }) => new KeptNode(client, WRONG),
  'KeptNode.ready': ({ client }) =>
    new KeptNode(client, { path: '/a', data: null, isSequential: false }).ready(WRONG),
  'LeaderJobs.candidates': ({ client }) => new LeaderJobs(client).candidates('a', WRONG),
  'LeaderJobs.names': ({ client }) => new LeaderJobs(client).names(WRONG),
  'LeaderJobs.history': ({ client }) => new LeaderJobs(client).history('a', WRONG),
  LeaderLatch: ({ client }) => new LeaderLatch(client, 'a', WRONG),
  'LeaderLatch.leader': ({ client }) => new LeaderLatch(client, 'a').leader(WRONG),
  'LeaderLatch.leaderships': ({ client }) => new LeaderLatch(client, 'a').leaderships(WRONG),
  'LeaderLatch.participants': ({ client }) => new LeaderLatch(client, 'a').participants(WRONG),
  LeaderOnly: () => decorated(LeaderOnly({ ...(WRONG as object), name: 'a' })),
  LeaderSelector: ({ client }) => new LeaderSelector(client, 'a', nothing, WRONG),
  'Lock.acquire': ({ client }) => new FairLock(client, 'a').acquire(WRONG),
  'Lock.run': ({ client }) => new FairLock(client, 'a').run(nothing, WRONG),
  'Lock.tryAcquire': ({ client }) => new FairLock(client, 'a').tryAcquire(WRONG),
  Locked: () => locked(),
  'Locks.explain': ({ client }) => new Locks(client).explain('a', WRONG),
  'Locks.names': ({ client }) => new Locks(client).names(WRONG),
  'Locks.run': ({ client }) => new Locks(client).run('a', nothing, WRONG),
  'MultiLock.acquire': ({ client }) => new MultiLock(client, [new FairLock(client, 'a')]).acquire(WRONG),
  'MultiLock.run': ({ client }) => new MultiLock(client, [new FairLock(client, 'a')]).run(nothing, WRONG),
  'MultiLock.tryAcquire': ({ client }) =>
    new MultiLock(client, [new FairLock(client, 'a')]).tryAcquire(WRONG),
  'NodeCache.changes': ({ client }) => new NodeCache(client, '/a').changes(WRONG),
  'NodeCache.ready': ({ client }) => new NodeCache(client, '/a').ready(WRONG),
  'QueueConsumer.drain': async ({ client }) => {
    await using consumer = new WorkQueue(client, 'a').consume(nothing);
    await consumer.drain(WRONG);
  },
  'Queues.names': ({ client }) => new Queues(client).names(WRONG),
  'Queues.of': ({ client }) => new Queues(client).of('a', WRONG),
  ReadWriteLock: ({ client }) => new ReadWriteLock(client, 'a', WRONG),
  'ReadWriteLock.downgrade': ({ client }) => new ReadWriteLock(client, 'a').downgrade(WRONG, WRONG),
  'ReadWriteLock.explain': ({ client }) => new ReadWriteLock(client, 'a').explain(WRONG),
  RunLedger: ({ client }) => new RunLedger(client, 'a', WRONG),
  'RunLedger.history': ({ client }) => new RunLedger(client, 'a').history(WRONG),
  'RunLedger.lastDue': ({ client }) => new RunLedger(client, 'a').lastDue(WRONG),
  Semaphore: ({ client }) => new Semaphore(client, 'a', { ...(WRONG as object), permits: 1 }),
  'Semaphore.explain': ({ client }) => new Semaphore(client, 'a', { permits: 1 }).explain(WRONG),
  Service: () => decorated(Service({ ...(WRONG as object), name: 'a' })),
  ServiceDirectory: ({ client }) => new ServiceDirectory(client, 'a', WRONG),
  'ServiceDirectory.changes': ({ client }) => new ServiceDirectory(client, 'a').changes(WRONG),
  'ServiceDirectory.ready': ({ client }) => new ServiceDirectory(client, 'a').ready(WRONG),
  ServiceRegistry: ({ client }) => new ServiceRegistry(client, WRONG),
  'ServiceRegistry.instances': ({ client }) => new ServiceRegistry(client).instances('a', WRONG),
  'ServiceRegistry.names': ({ client }) => new ServiceRegistry(client).names(WRONG),
  'ServiceRegistry.register': ({ client }) => new ServiceRegistry(client).register({ name: 'a' }, WRONG),
  Services: ({ client }) => new Services(client, WRONG),
  'Services.fetch': ({ client }) => new Services(client).fetch('a', '/', WRONG),
  'Services.find': ({ client }) => new Services(client).find('a', WRONG),
  'Services.names': ({ client }) => new Services(client).names(WRONG),
  'Services.pick': ({ client }) => new Services(client).pick('a', WRONG),
  'Services.use': ({ client }) => new Services(client).use('a', nothing, WRONG),
  'Services.watch': ({ client }) => new Services(client).watch('a', WRONG)[Symbol.asyncIterator]().next(),
  ShardAssignment: ({ client }) =>
    new ShardAssignment(client, 'a', nothing, { ...(WRONG as object), shards: 1 }),
  'ShardAssignment.owners': ({ client }) =>
    new ShardAssignment(client, 'a', nothing, { shards: 1 }).owners(WRONG),
  'ShardAssignment.ready': ({ client }) =>
    new ShardAssignment(client, 'a', nothing, { shards: 1 }).ready(WRONG),
  Sharded: () => decorated(Sharded({ ...(WRONG as object), name: 'a', shards: 1 })),
  SharedValue: ({ client }) => new SharedValue(client, 'a', { ...(WRONG as object), seed: 0, codec }),
  'SharedValue.get': ({ client }) => new SharedValue(client, 'a', { seed: 0, codec }).get(WRONG),
  'SharedValue.set': ({ client }) => new SharedValue(client, 'a', { seed: 0, codec }).set(1, WRONG),
  'SharedValue.trySet': ({ client }) =>
    new SharedValue(client, 'a', { seed: 0, codec }).trySet(WRONG, 1, WRONG),
  'SharedValue.update': ({ client }) =>
    new SharedValue(client, 'a', { seed: 0, codec }).update((value) => value, WRONG),
  'SharedValue.values': ({ client }) =>
    new SharedValue(client, 'a', { seed: 0, codec }).values(WRONG)[Symbol.asyncIterator]().next(),
  SimulatedNetwork: () => new SimulatedNetwork(new VirtualClock(), WRONG),
  SimulatedProcess: () => new SimulatedProcess(new VirtualClock(), WRONG),
  'TestApplication.partition': async ({ fleet }) => {
    const application = await fleet.application({ declare: [] });
    application.partition(WRONG);
  },
  TestEnsemble: () => new TestEnsemble(WRONG),
  'TestEnsemble.client': () => TestEnsemble.play(async (ensemble) => void (await ensemble.client(WRONG))),
  'TestFleet.application': ({ fleet }) => fleet.application({ ...(WRONG as object), declare: [] }),
  'TestFleet.client': ({ fleet }) => fleet.client(WRONG),
  'TestFleet.start': () => TestFleet.start(WRONG),
  'TestFleet.until': ({ fleet }) => fleet.until(() => true, WRONG),
  'TestFleet.wait': ({ fleet }) => fleet.wait(Promise.resolve(), WRONG),
  TreeCache: ({ client }) => new TreeCache(client, '/a', WRONG),
  'TreeCache.changes': ({ client }) => new TreeCache(client, '/a').changes(WRONG),
  'TreeCache.ready': ({ client }) => new TreeCache(client, '/a').ready(WRONG),
  TryLock: ({ client }) => new TryLock(client, 'a', WRONG),
  'TryLock.owner': ({ client }) => new TryLock(client, 'a').owner(WRONG),
  VirtualClock: () => new VirtualClock(WRONG),
  WorkQueue: ({ client }) => new WorkQueue(client, 'a', WRONG),
  'WorkQueue.cancel': ({ client }) => new WorkQueue(client, 'a').cancel('a', WRONG),
  'WorkQueue.consume': ({ client }) => new WorkQueue(client, 'a').consume(nothing, WRONG),
  'WorkQueue.consumeBatches': ({ client }) =>
    new WorkQueue(client, 'a').consumeBatches(nothing, { ...(WRONG as object), batchSize: 1 }),
  'WorkQueue.counts': ({ client }) => new WorkQueue(client, 'a').counts(WRONG),
  'WorkQueue.deadLetter': ({ client }) => new WorkQueue(client, 'a').deadLetter('a', WRONG),
  'WorkQueue.deadLetters': ({ client }) => new WorkQueue(client, 'a').deadLetters(WRONG),
  'WorkQueue.draft': ({ client }) => new WorkQueue(client, 'a').draft(1, WRONG),
  'WorkQueue.enqueue': ({ client }) => new WorkQueue(client, 'a').enqueue(1, WRONG),
  'WorkQueue.enqueueAll': ({ client }) => new WorkQueue(client, 'a').enqueueAll([1], WRONG),
  'WorkQueue.enqueueDraft': ({ client }) => {
    const queue = new WorkQueue(client, 'a');
    return queue.enqueueDraft(queue.draft(1), WRONG);
  },
  'WorkQueue.events': ({ client }) => new WorkQueue(client, 'a').events(WRONG),
  'WorkQueue.list': ({ client }) => new WorkQueue(client, 'a').list(WRONG),
  'WorkQueue.pause': ({ client }) => new WorkQueue(client, 'a').pause(WRONG),
  'WorkQueue.removeDeadLetter': ({ client }) => new WorkQueue(client, 'a').removeDeadLetter('a', WRONG),
  'WorkQueue.result': ({ client }) => new WorkQueue(client, 'a').result('a', WRONG),
  'WorkQueue.resume': ({ client }) => new WorkQueue(client, 'a').resume(WRONG),
  'WorkQueue.revive': ({ client }) => new WorkQueue(client, 'a').revive('a', WRONG),
  'WorkQueue.reviveAll': ({ client }) => new WorkQueue(client, 'a').reviveAll(WRONG),
  'WorkQueue.status': ({ client }) => new WorkQueue(client, 'a').status('a', WRONG),
  Worker: () => decorated(Worker({ ...(WRONG as object), queue: 'a' })),
  ZooKeeperDialer: () => new ZooKeeperDialer(WRONG),
  ZooKeeperListener: () => new ZooKeeperListener({ ...(WRONG as object), port: 0 }),
  connect: () => connect('embedded:', WRONG),
  createClient: () => createClient('ws://127.0.0.1:9', WRONG),
  defineQueue: () => defineQueue({ ...(WRONG as object), name: 'a' }),
  exponentialBackoff: () => exponentialBackoff(WRONG),
  module: () => module(WRONG),
  restoreBackup: () => restoreBackup({ ...(WRONG as object), disk: new MemoryDisk() } as never),
  retry: () => retry(async () => undefined, undefined, WRONG),
  serve: () => serve({ ...(WRONG as object), data: './never-made' }),
  treatDataDirectory: () => treatDataDirectory({ ...(WRONG as object), disk: new MemoryDisk(), folder: 'a' }),
};

/** Objects of options within options. */
const NESTED: Readonly<Record<string, Call>> = {
  'Application.start hooks': () => Application.start({ connect: 'embedded:', declare: [], hooks: WRONG }),
  'Application.start health': () => Application.start({ connect: 'embedded:', declare: [], health: WRONG }),
  'Application.start services': () =>
    Application.start({ connect: 'embedded:', declare: [], services: WRONG }),
  'Application.start lastKnownGood': () =>
    Application.start({ connect: 'embedded:', declare: [], lastKnownGood: WRONG }),
  'Application.start tls': () => Application.start({ connect: 'embedded:', declare: [], tls: WRONG }),
  'Application.start auth': () => Application.start({ connect: 'embedded:', declare: [], auth: [WRONG] }),
  'connect tls': () => connect('wss://127.0.0.1:9', { tls: WRONG }),
  'Service health': () => decorated(Service({ name: 'a', health: WRONG })),
  'LeaderOnly missed': () => decorated(LeaderOnly({ name: 'a', cron: '* * * * *', missed: WRONG })),
  'Worker rateLimit': () => decorated(Worker({ queue: 'a', rateLimit: WRONG })),
  'Worker groupRateLimit': () => decorated(Worker({ queue: 'a', groupRateLimit: WRONG })),
  'Worker batch': () => decorated(Worker({ queue: 'a', batch: WRONG }) as never),
  'Worker isolated': () => decorated(Worker({ queue: 'a', isolated: WRONG }) as never),
  'WorkQueue.consume rateLimit': ({ client }) =>
    new WorkQueue(client, 'a').consume(nothing, { rateLimit: WRONG }),
  'Client.multi check': ({ client }) =>
    client.multi([{ ...(WRONG as object), type: 'check', path: '/' } as never]),
  'ZooKeeperListener tls': () => new ZooKeeperListener({ port: 0, tls: WRONG }),
};

async function refusal(call: () => unknown): Promise<QuorateError> {
  try {
    await call();
  } catch (error) {
    assert.instance(error, QuorateError, `${String(error)} is no typed error`);
    return error as QuorateError;
  }
  return assert.unreachable('it was not refused') as never;
}

test('every public call that takes options is among those that are tried, or passes them on to one', () => {
  const found = publicOptionCalls();
  assert.ok(found.length > 100, `only ${found.length} calls were found in the declarations`);
  const missing = found.filter((name) => !(name in CALLS || PASSED_ON.has(name) || INTERNAL.has(name)));
  assert.equal(missing, [], 'add a row to CALLS for each');
  for (const [name, to] of PASSED_ON) assert.ok(to in CALLS, `${name} passes its options on to ${to}`);
  assert.equal(
    Object.keys(CALLS).filter((name) => !found.includes(name)),
    [],
    'there is no such call',
  );
});

test('every public call refuses an option of an unknown name, and says which there are', async () => {
  const given: Job[] = [];
  await using client = await connect('embedded:');
  await using fleet = await TestFleet.start();
  const queue = new WorkQueue(client, 'jobs');
  await queue.enqueue(1);
  await new Promise<void>((resolve) => {
    queue.consume(
      (job) => {
        given.push(job);
        resolve();
        return new Promise(() => undefined);
      },
      { drainDeadlineMs: 1 },
    );
  });
  for (const [name, call] of Object.entries({ ...CALLS, ...NESTED })) {
    const error = await refusal(() => call({ client, job: given[0]!, fleet })).catch((other: unknown) =>
      assert.unreachable(`${name}: ${String(other)}`),
    );
    assert.match((error as QuorateError).message, /mispelt/, name);
  }
});

test('a misspelt option names the one that is near', async () => {
  await using client = await connect('embedded:');
  const error = await refusal(() => new Locks(client).run('a', nothing, { timeoutms: 5 } as never));
  assert.is(error.code, 'INVALID_ARGUMENT');
  assert.is(
    error.message,
    'Locks.run: each option must be one of signal, timeoutMs, mode, permits, not "timeoutms" (did you mean timeoutMs?)',
  );
});

test.run();
