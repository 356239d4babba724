/** During an outage every method that takes a signal settles when the signal aborts, whatever was used before. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Client } from '../../../core/client/index.js';
import {
  Barrier,
  Counter,
  DoubleBarrier,
  FairLock,
  GroupMembership,
  KeptNode,
  LeaderLatch,
  MultiLock,
  NodeCache,
  ReadWriteLock,
  RunLedger,
  Semaphore,
  ServiceDirectory,
  ServiceRegistry,
  ShardAssignment,
  SharedValue,
  TreeCache,
  TryLock,
  WorkQueue,
  type ValueCodec,
} from '../../../core/recipes/index.js';
import type { FaultyLine } from '../../../core/testing/index.js';
import { RecipeWorld } from './recipe-world.js';

interface Cancellable {
  readonly signal: AbortSignal;
}
type Call = (client: Client, options: Cancellable) => Promise<unknown>;

/** Longer than any pause between two tries, far shorter than the outage. */
const ABORT_AFTER_MS = 3000;
const SETTLED_WITHIN_MS = 100;
const STREAM_ENDED = 'the stream ended';
const NEVER = (): Promise<never> => new Promise(() => undefined);

const codec: ValueCodec<string> = {
  encode: (value) => new TextEncoder().encode(value),
  decode: (bytes) => new TextDecoder().decode(bytes),
};
const shared = (client: Client): SharedValue<string> => new SharedValue(client, 'v', { seed: '', codec });
const queue = (client: Client): WorkQueue => new WorkQueue(client, 'q');
const shards = (client: Client): ShardAssignment => new ShardAssignment(client, 's', NEVER, { shards: 4 });
const next = async (stream: AsyncIterable<unknown>): Promise<unknown> => {
  for await (const item of stream) return item;
  return STREAM_ENDED;
};

const CALLS: Readonly<Record<string, Call>> = {
  'Client.connected': (client, options) => client.connected(options),
  'Client.create': (client, options) => client.create('/a', null, options),
  'Client.create with parents': (client, options) =>
    client.create('/a/b/c', null, { ...options, createParents: true }),
  'Client.delete': (client, options) => client.delete('/a', options),
  'Client.exists': (client, options) => client.exists('/a', options),
  'Client.getData': (client, options) => client.getData('/a', options),
  'Client.setData': (client, options) => client.setData('/a', '', options),
  'Client.getChildren': (client, options) => client.getChildren('/a', options),
  'Client.getAcl': (client, options) => client.getAcl('/a', options),
  'Client.multi': (client, options) => client.multi([{ type: 'create', path: '/a' }], options),
  'Client.sync': (client, options) => client.sync('/', options),
  'Client.getEphemerals': (client, options) => client.getEphemerals('/', options),
  'Client.countDescendants': (client, options) => client.countDescendants('/', options),
  'Client.whoAmI': (client, options) => client.whoAmI(options),
  'Client.addAuth': (client, options) => client.addAuth('digest', 'a:b', options),
  'Client.watch': (client, options) => next(client.watch('/a', options)),
  'Counter.get': (client, options) => new Counter(client, 'c').get(options),
  'Counter.add': (client, options) => new Counter(client, 'c').add(1n, options),
  'Counter.set': (client, options) => new Counter(client, 'c').set(1n, options),
  'Counter.values': (client, options) => next(new Counter(client, 'c').values(options)),
  'SharedValue.get': (client, options) => shared(client).get(options),
  'SharedValue.set': (client, options) => shared(client).set('x', options),
  'SharedValue.update': (client, options) => shared(client).update(() => 'x', options),
  'SharedValue.trySet': (client, options) =>
    shared(client).trySet({ value: '', version: 0, czxid: 0n }, 'x', options),
  'Barrier.passed': (client, options) => new Barrier(client, 'b').passed(options),
  'DoubleBarrier.enter': (client, options) => new DoubleBarrier(client, 'd', { parties: 2 }).enter(options),
  'NodeCache.ready': (client, options) => new NodeCache(client, '/a').start().ready(options),
  'NodeCache.changes': (client, options) => next(new NodeCache(client, '/a').start().changes(options)),
  'TreeCache.ready': (client, options) => new TreeCache(client, '/a').start().ready(options),
  'TreeCache.changes': (client, options) => next(new TreeCache(client, '/a').start().changes(options)),
  'ServiceDirectory.ready': (client, options) => new ServiceDirectory(client, 's').start().ready(options),
  'ServiceDirectory.changes': (client, options) =>
    next(new ServiceDirectory(client, 's').start().changes(options)),
  'ServiceRegistry.register': (client, options) =>
    new ServiceRegistry(client).register({ name: 's', address: 'h', port: 1 }, options),
  'ServiceRegistry.instances': (client, options) => new ServiceRegistry(client).instances('s', options),
  'ServiceRegistry.names': (client, options) => new ServiceRegistry(client).names(options),
  'GroupMembership.ready': (client, options) => new GroupMembership(client, '/g').start().ready(options),
  'LeaderLatch.participants': (client, options) => new LeaderLatch(client, 'l').participants(options),
  'LeaderLatch.leader': (client, options) => new LeaderLatch(client, 'l').leader(options),
  'LeaderLatch.leaderships': (client, options) =>
    next(new LeaderLatch(client, 'l').start().leaderships(options)),
  'KeptNode.ready': (client, options) =>
    new KeptNode(client, { path: '/k', data: null, isSequential: false }).start().ready(options),
  'RunLedger.lastDue': (client, options) => new RunLedger(client, 'r').lastDue(options),
  'RunLedger.history': (client, options) => new RunLedger(client, 'r').history(options),
  'ShardAssignment.ready': (client, options) => shards(client).start().ready(options),
  'ShardAssignment.owners': (client, options) => shards(client).owners(options),
  'FairLock.acquire': (client, options) => new FairLock(client, 'f').acquire(options),
  'FairLock.tryAcquire': (client, options) => new FairLock(client, 'f').tryAcquire(options),
  'FairLock.run': (client, options) => new FairLock(client, 'f').run(NEVER, options),
  'FairLock.explain': (client, options) => new FairLock(client, 'f').explain(options),
  'ReadWriteLock.read.acquire': (client, options) => new ReadWriteLock(client, 'rw').read.acquire(options),
  'ReadWriteLock.write.acquire': (client, options) => new ReadWriteLock(client, 'rw').write.acquire(options),
  'ReadWriteLock.explain': (client, options) => new ReadWriteLock(client, 'rw').explain(options),
  'Semaphore.acquire': (client, options) => new Semaphore(client, 'p', { permits: 2 }).acquire(options),
  'Semaphore.tryAcquire': (client, options) => new Semaphore(client, 'p', { permits: 2 }).tryAcquire(options),
  'Semaphore.explain': (client, options) => new Semaphore(client, 'p', { permits: 2 }).explain(options),
  'TryLock.acquire': (client, options) => new TryLock(client, 't').acquire(options),
  'TryLock.tryAcquire': (client, options) => new TryLock(client, 't').tryAcquire(options),
  'TryLock.owner': (client, options) => new TryLock(client, 't').owner(options),
  'MultiLock.acquire': (client, options) =>
    new MultiLock(client, [new FairLock(client, 'm')]).acquire(options),
  'MultiLock.tryAcquire': (client, options) =>
    new MultiLock(client, [new FairLock(client, 'm')]).tryAcquire(options),
  'WorkQueue.enqueue': (client, options) => queue(client).enqueue(1, options),
  'WorkQueue.enqueue with children': (client, options) =>
    queue(client).enqueue(1, { ...options, children: [new WorkQueue(client, 'other').draft(2)] }),
  'WorkQueue.enqueueAll': (client, options) => queue(client).enqueueAll([1, 2], options),
  'WorkQueue.enqueueDraft': (client, options) => {
    const own = queue(client);
    return own.enqueueDraft(own.draft(1), options);
  },
  'WorkQueue.result': (client, options) => queue(client).result('job-1', options),
  'WorkQueue.status': (client, options) => queue(client).status('job-1', options),
  'WorkQueue.list': (client, options) => queue(client).list(options),
  'WorkQueue.cancel': (client, options) => queue(client).cancel('job-1', options),
  'WorkQueue.pause': (client, options) => queue(client).pause(options),
  'WorkQueue.resume': (client, options) => queue(client).resume(options),
  'WorkQueue.events': (client, options) => next(queue(client).events(options)),
  'WorkQueue.counts': (client, options) => queue(client).counts(options),
  'WorkQueue.deadLetters': (client, options) => queue(client).deadLetters(options),
  'WorkQueue.deadLetter': (client, options) => queue(client).deadLetter('job-1', options),
  'WorkQueue.revive': (client, options) => queue(client).revive('job-1', options),
  'WorkQueue.reviveAll': (client, options) => queue(client).reviveAll(options),
  'WorkQueue.removeDeadLetter': (client, options) => queue(client).removeDeadLetter('job-1', options),
};

/** The two ways in which servers do not answer: no connection is to be had, or an open one brings nothing. */
const OUTAGES = {
  'without a connection': (line: FaultyLine) => line.cutOff(),
  'on a connection that brings nothing': (line: FaultyLine) => line.pause(),
} as const;

async function expectAbort(
  world: RecipeWorld,
  call: (options: Cancellable) => Promise<unknown>,
): Promise<void> {
  const abort = new AbortController();
  let outcome: { readonly value: unknown } | null = null;
  const settle = (value: unknown): void => void (outcome = { value });
  call({ signal: abort.signal }).then(settle, settle);
  await world.sleep(ABORT_AFTER_MS);
  assert.is(outcome, null, 'it settled before it was aborted');
  const reason = new Error('enough');
  abort.abort(reason);
  await world.sleep(SETTLED_WITHIN_MS);
  assert.ok(outcome !== null, 'it still waits');
  const { value } = outcome as { readonly value: unknown };
  assert.ok(value === reason || value === STREAM_ENDED, String(value));
}

for (const [when, begin] of Object.entries(OUTAGES)) {
  for (const [name, call] of Object.entries(CALLS)) {
    // It waits for nothing but the connection.
    if (name === 'Client.connected' && begin === OUTAGES['on a connection that brings nothing']) continue;
    test(`${name} settles when its signal aborts ${when}`, () =>
      RecipeWorld.play(async (world) => {
        const { client, line } = await world.join();
        begin(line);
        await expectAbort(world, (options) => call(client, options));
        line.rejoin();
      }));
  }

  test(`DoubleBarrier.leave settles when its signal aborts ${when}`, () =>
    RecipeWorld.play(async (world) => {
      const { client, line } = await world.join();
      const barrier = new DoubleBarrier(client, 'd', { parties: 1 });
      await barrier.enter();
      begin(line);
      await expectAbort(world, (options) => barrier.leave(options));
      line.rejoin();
    }));

  test(`ReadWriteLock.downgrade settles when its signal aborts ${when}`, () =>
    RecipeWorld.play(async (world) => {
      const { client, line } = await world.join();
      const lock = new ReadWriteLock(client, 'rw');
      const held = await lock.write.acquire();
      begin(line);
      await expectAbort(world, (options) => lock.downgrade(held, options));
      line.rejoin();
    }));

  test(`a queue that was used before settles an enqueue when its signal aborts ${when}`, () =>
    RecipeWorld.play(async (world) => {
      const { client, line } = await world.join();
      const used = queue(client);
      await used.enqueue(1);
      begin(line);
      await expectAbort(world, (options) => used.enqueue(2, options));
      line.rejoin();
    }));
}

test.run();
