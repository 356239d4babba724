import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  defineQueue,
  LeaderOnly,
  Queues,
  Service,
  Services,
  Worker,
  type Constructor,
  type Job,
  type LeaderContext,
} from '../../../framework/index.js';
import { TestFleet, type TestTimeoutError } from '../../../framework/testing/index.js';

const texts = defineQueue<string>({ name: 'texts' });

function worker(handle: (job: Job<string>) => unknown): Constructor {
  @Worker({ queue: texts })
  class TextWorker {
    handle(job: Job<string>): unknown {
      return handle(job);
    }
  }
  return TextWorker;
}

/** A job that stays for as long as it may, and notes who leads. */
function leading(leaders: string[], name: string): Constructor {
  @LeaderOnly({ name: 'lead' })
  class Lead {
    async run({ signal }: LeaderContext): Promise<void> {
      leaders.push(name);
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
      leaders.splice(leaders.indexOf(name), 1);
    }
  }
  return Lead;
}

async function timeoutOf(waiting: Promise<unknown>): Promise<TestTimeoutError> {
  const error = await waiting.then(
    () => undefined,
    (reason: TestTimeoutError) => reason,
  );
  assert.is(error?.code, 'TEST_TIMEOUT', String(error));
  return error!;
}

for (const members of [1, 3]) {
  test(`with ${members} members, jobs are handled and answered while time stands still`, async () => {
    await using fleet = await TestFleet.start({ members });
    await fleet.application({ declare: [worker((job) => job.data.toUpperCase())] });
    const shop = await fleet.application({ declare: [] });
    const before = fleet.clock.now();
    const queue = shop.get(Queues).of(texts);

    const id = await queue.enqueue('hello');
    const result = await fleet.wait(queue.result(id));

    assert.is(result, 'HELLO');
    assert.ok(fleet.clock.now() - before < 1000, `${fleet.clock.now() - before} ms went by`);
  });
}

test('advance moves time by as much as it says, and what falls due happens', async () => {
  await using fleet = await TestFleet.start();
  const runs: Date[] = [];
  @LeaderOnly({ name: 'tick', every: '1m' })
  class Tick {
    run({ occurrence }: LeaderContext): void {
      runs.push(occurrence.scheduledAt);
    }
  }
  await fleet.application({ declare: [Tick] });
  await fleet.until(() => runs.length === 1);
  const before = fleet.clock.now();

  await fleet.advance(3 * 60_000);

  assert.is(fleet.clock.now() - before, 3 * 60_000);
  assert.is(runs.length, 4);
});

test('until asks a condition that answers by a promise, again and again', async () => {
  await using fleet = await TestFleet.start();
  const app = await fleet.application({ declare: [worker(() => fleet.sleep(1500))] });
  const queue = app.get(Queues).of(texts);
  await queue.enqueue('slow');
  const before = fleet.clock.now();

  await fleet.until(async () => (await queue.counts()).jobs === 0);

  assert.ok(fleet.clock.now() - before >= 1500);
});

test('several waits at once share the time, and each ends at its own moment', async () => {
  await using fleet = await TestFleet.start();
  const ends: [string, number][] = [];
  const start = fleet.clock.now();
  const note = (name: string) => (): number => ends.push([name, fleet.clock.now() - start]);

  await Promise.all([
    fleet.advance(500).then(note('advance')),
    fleet.until(() => fleet.clock.now() - start >= 200, { maxMs: 1000 }).then(note('until')),
    fleet.wait(fleet.sleep(300)).then(note('wait')),
  ]);

  const sorted = ends.map(([name]) => name);
  assert.equal(sorted.at(-1), 'advance');
  assert.equal(
    ends.find(([name]) => name === 'wait'),
    ['wait', 300],
  );
  assert.equal(ends.at(-1), ['advance', 500]);
});

test('applications start at the same time', async () => {
  await using fleet = await TestFleet.start();
  const apps = await Promise.all([1, 2, 3].map(() => fleet.application({ declare: [] })));
  assert.equal(
    apps.map(({ name, state }) => `${name} ${state}`),
    ['app-1 running', 'app-2 running', 'app-3 running'],
  );
});

test('a wait in vain says for what, how everybody is, and what is pending', async () => {
  await using fleet = await TestFleet.start({ members: 3 });
  const app = await fleet.application({ declare: [], id: 'shop' });
  fleet.crashMember(2);
  app.pause();
  let paid = 0;

  const sync = await timeoutOf(fleet.until(() => paid === 1, { maxMs: 100 }));
  const asynchronous = await timeoutOf(
    fleet.until(async () => paid === 1, { maxMs: 100, what: 'a payment' }),
  );
  const promise = await timeoutOf(fleet.wait(new Promise(() => undefined), { maxMs: 100 }));
  const stuck = await timeoutOf(fleet.until(() => new Promise(() => undefined), { maxMs: 100 }));
  paid = 1;

  assert.match(sync.message, /^waited 100 ms of virtual time in vain for \(\) => paid === 1\n/);
  assert.match(sync.message, /members: m1 \w+, m2 down, m3 \w+\n/);
  assert.match(sync.message, /application shop: paused; /);
  assert.match(sync.message, /pending: .*in \d+ ms/);
  assert.is(sync.message.split('\n').length, 4, 'a pending timer is named in a few words');
  assert.match(asynchronous.message, /in vain for a payment\n/);
  assert.match(promise.message, /in vain for a promise\n/);
  assert.match(stuck.message, /in vain for \(\) => new Promise/);
});

test('what a condition throws ends the wait', async () => {
  await using fleet = await TestFleet.start();
  const failing = fleet.until(() => {
    throw new Error('odd');
  });
  assert.match(String(await failing.catch((error: unknown) => error)), /odd/);
  await fleet.advance(10);
});

test('expireSession ends the session, and the application goes on with the next', async () => {
  await using fleet = await TestFleet.start({ members: 3 });
  @Service({ name: 'billing', address: '127.0.0.1', port: 80 })
  class Billing {}
  const app = await fleet.application({ declare: [Billing] });
  const other = await fleet.application({ declare: [] });
  const { id } = app.client.session;

  await app.expireSession();

  assert.is.not(app.client.session.id, id);
  assert.is(
    app.eventsOf('connection').some(({ state }) => state === 'lost'),
    true,
  );
  await fleet.until(async () => (await other.get(Services).find('billing')).length === 1);
});

test('a partition costs the leadership, and healing brings the application back', async () => {
  await using fleet = await TestFleet.start();
  const leaders: string[] = [];
  const first = await fleet.application({ declare: [leading(leaders, 'first')] });
  await fleet.until(() => leaders.length === 1);
  await fleet.application({ declare: [leading(leaders, 'second')] });

  first.partition();
  await fleet.until(() => leaders.join() === 'second');
  assert.is(first.client.state, 'lost');

  first.heal();
  await fleet.until(() => first.client.state === 'connected');
  await fleet.advance(60_000);
  assert.equal(leaders, ['second']);
});

test('an application cut off from one member goes to another, with its session', async () => {
  await using fleet = await TestFleet.start({ members: 3 });
  const app = await fleet.application({ declare: [] });
  const { id } = app.client.session;
  for (const member of [1, 2]) {
    app.partition({ members: [member] });
    await fleet.advance(20_000);
  }
  assert.is(app.client.state, 'connected');
  assert.is(app.client.session.id, id);
});

test('a paused application notices nothing, and late what it has missed', async () => {
  await using fleet = await TestFleet.start();
  const leaders: string[] = [];
  const first = await fleet.application({ declare: [leading(leaders, 'first')] });
  await fleet.until(() => leaders.length === 1);
  await fleet.application({ declare: [leading(leaders, 'second')] });

  first.pause();
  assert.is(first.state, 'paused');
  await fleet.until(() => leaders.includes('second'));
  // Nobody can tell a process that stands still: this is what the fence is for.
  assert.equal(leaders, ['first', 'second']);

  first.resume();
  await fleet.until(() => leaders.length === 1);
  assert.equal(leaders, ['second']);
});

test("a crashed worker's job is given to another after its session has expired", async () => {
  await using fleet = await TestFleet.start();
  const handled: string[] = [];
  const never = (): Promise<never> => new Promise(() => undefined);
  const crashing = await fleet.application({ declare: [worker(() => (handled.push('crashing'), never()))] });
  const queue = crashing.get(Queues).of(texts);
  await queue.enqueue('job');
  await fleet.until(() => handled.length === 1);
  await fleet.application({ declare: [worker(() => handled.push('other'))] });

  crashing.crash();

  assert.is(crashing.state, 'crashed');
  await fleet.advance(1000);
  assert.equal(handled, ['crashing']);
  await fleet.until(() => handled.length === 2);
  assert.equal(handled, ['crashing', 'other']);
});

test('an application that is stopped says goodbye: its registration is gone at once', async () => {
  await using fleet = await TestFleet.start();
  @Service({ name: 'billing', address: '127.0.0.1', port: 80 })
  class Billing {}
  const billing = await fleet.application({ declare: [Billing] });
  const shop = await fleet.application({ declare: [] });
  const before = fleet.clock.now();

  await billing.stop();

  assert.is(billing.state, 'stopped');
  assert.equal(await shop.get(Services).find('billing'), []);
  assert.ok(fleet.clock.now() - before < 1000);
});

test('three members lose one and carry on; it comes back with what it has missed', async () => {
  await using fleet = await TestFleet.start({ members: 3 });
  const crashed = fleet.leader!;
  const client = await fleet.client({ members: [1, 2, 3].filter((id) => id !== crashed) });

  fleet.crashMember(crashed);
  await fleet.until(() => fleet.leader !== undefined && client.state === 'connected');
  await fleet.wait(client.create('/a'));
  assert.is.not(fleet.leader, crashed);

  await fleet.restartMember(crashed);
  assert.is(fleet.members[crashed - 1]!.isServing, true);
  const there = await fleet.client({ members: [crashed] });
  await there.sync('/a');
  assert.ok(await there.exists('/a'));
});

test('the only member comes back with what was written', async () => {
  await using fleet = await TestFleet.start();
  const client = await fleet.client();
  await client.create('/a', 'kept');

  fleet.crashMember(1);
  await fleet.restartMember(1);

  await fleet.until(() => client.state === 'connected');
  assert.ok(await client.exists('/a'));
});

test('a member can stand still, or be cut off, and the quorum goes on without it', async () => {
  await using fleet = await TestFleet.start({ members: 3 });
  const paused = fleet.leader!;
  const client = await fleet.client({ members: [1, 2, 3].filter((id) => id !== paused) });
  fleet.pauseMember(paused);
  await fleet.until(() => fleet.leader !== undefined && fleet.leader !== paused);
  await fleet.until(() => client.state === 'connected');
  await fleet.wait(client.create('/a'));
  fleet.resumeMember(paused);
  await fleet.until(() => fleet.members.every(({ isServing }) => isServing));

  const cutOff = fleet.leader!;
  fleet.partitionMember(cutOff);
  await fleet.until(() => fleet.leader !== undefined && fleet.leader !== cutOff);
  fleet.heal();
  await fleet.until(() => fleet.members.every(({ isServing }) => isServing));
});

test('without a quorum nobody serves, until a member is restarted', async () => {
  await using fleet = await TestFleet.start({ members: 3 });
  const app = await fleet.application({ declare: [] });
  for (const id of [1, 2, 3]) fleet.crashMember(id);
  await fleet.until(() => app.client.state !== 'connected');
  await fleet.restartMember(1);
  assert.is(fleet.members[0]!.isServing, false);
  await fleet.restartMember(2);
  await fleet.until(() => app.client.state === 'connected');
});

test('several fleets exist at once, each with a time of its own', async () => {
  await using one = await TestFleet.start();
  await using two = await TestFleet.start({ seed: 2 });
  const before = two.clock.now();
  const [clientOfOne, clientOfTwo] = [await one.client(), await two.client()];
  await Promise.all([one.advance(60_000), clientOfTwo.create('/two')]);
  assert.is(two.clock.now(), before);
  assert.is(await clientOfOne.exists('/two'), null);
});

test('an application that cannot start says why, and leaves nothing behind', async () => {
  await using fleet = await TestFleet.start();
  const hooks = {
    connected: (): never => {
      throw new Error('no money');
    },
  };
  const failed = await fleet.application({ declare: [], hooks }).catch((error: unknown) => error);
  assert.match(String(failed), /no money/);
  assert.is(fleet.applications[0]!.state, 'stopped');
  assert.throws(() => fleet.applications[0]!.application, /cannot be asked of app-1/);
});

test('what an application tells and logs is kept, and still reaches its own listeners', async () => {
  await using fleet = await TestFleet.start();
  const seen: string[] = [];
  const app = await fleet.application({ declare: [], hooks: { event: ({ type }) => seen.push(type) } });
  await app.stop();
  assert.equal(
    app.eventsOf('state').map(({ state }) => state),
    ['starting', 'running', 'draining', 'stopped'],
  );
  assert.equal(
    app.events.map(({ type }) => type),
    seen,
  );
  assert.ok(
    app.log.some(({ message, fields }) => message === 'application' && fields['application'] === 'app-1'),
  );
});

test('the same seed tells the same story', async () => {
  const story = async (): Promise<string> => {
    await using fleet = await TestFleet.start({ members: 3, seed: 42, line: { latencyMs: 1, jitterMs: 5 } });
    const app = await fleet.application({ declare: [] });
    await app.expireSession();
    return `${fleet.leader} ${app.client.session.id} ${fleet.clock.now()}`;
  };
  assert.is(await story(), await story());
});

test('closing twice, with an application crashed, one cut off and one paused, ends', async () => {
  const fleet = await TestFleet.start({ members: 3 });
  const [crashed, cutOff, paused] = await Promise.all(
    [1, 2, 3].map(() => fleet.application({ declare: [] })),
  );
  crashed!.crash();
  cutOff!.partition();
  paused!.pause();
  fleet.crashMember(fleet.leader!);
  await fleet.close();
  await fleet.close();
  assert.equal(
    fleet.applications.map(({ state }) => state),
    ['crashed', 'stopped', 'stopped'],
  );
});

test.run();
