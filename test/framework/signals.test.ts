/** During an outage every method of the framework that takes a signal settles when the signal aborts. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Client } from '../../core/client/index.js';
import { LeaderJobs } from '../../framework/leader-jobs.js';
import { Locks } from '../../framework/locks.js';
import { Queues } from '../../framework/queues.js';
import { Services } from '../../framework/services.js';
import { RecipeWorld } from '../core/recipes/recipe-world.js';

interface Cancellable {
  readonly signal: AbortSignal;
}

const nothing = (): void => undefined;
const CALLS: Readonly<Record<string, (client: Client, options: Cancellable) => Promise<unknown>>> = {
  'Locks.run': (client, options) => new Locks(client).run('a', nothing, options),
  'Locks.run for reading': (client, options) =>
    new Locks(client).run('a', nothing, { ...options, mode: 'read' }),
  'Locks.run with permits': (client, options) =>
    new Locks(client).run('a', nothing, { ...options, permits: 2 }),
  'Locks.explain': (client, options) => new Locks(client).explain('a', options),
  'LeaderJobs.history': (client, options) => new LeaderJobs(client).history('a', options),
  'LeaderJobs.candidates': (client, options) => new LeaderJobs(client).candidates('a', options),
  'Services.find': (client, options) => new Services(client).find('a', options),
  'Services.pick': (client, options) => new Services(client).pick('a', options),
  'Services.use': (client, options) => new Services(client).use('a', nothing, options),
  'Services.fetch': (client, options) => new Services(client).fetch('a', '/', options),
  'Services.names': (client, options) => new Services(client).names(options),
  'Queue.enqueue': (client, options) => new Queues(client).of('a').enqueue(1, options),
  'Queue.result': (client, options) => new Queues(client).of('a').result('job-1', options),
};

for (const [name, call] of Object.entries(CALLS)) {
  test(`${name} settles when its signal aborts in an outage`, () =>
    RecipeWorld.play(async (world) => {
      const { client, line } = await world.join();
      line.cutOff();
      const abort = new AbortController();
      const outcomes: unknown[] = [];
      const settle = (outcome: unknown): void => void outcomes.push(outcome);
      call(client, { signal: abort.signal }).then(settle, settle);
      await world.sleep(3000);
      assert.equal(outcomes, [], 'it settled before it was aborted');
      const reason = new Error('enough');
      abort.abort(reason);
      await world.sleep(100);
      assert.is(outcomes[0], reason);
    }));
}

test.run();
