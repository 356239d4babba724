import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  Application,
  Client,
  Config,
  ConfigStore,
  inject,
  LeaderOnly,
  Locks,
  Logger,
  provide,
  Queues,
  Service,
  Services,
  token,
  type DeclarationError,
  type LeaderContext,
} from '../../framework/index.js';
// After the framework's door, which brings the metadata API that tsyringe needs.
import { container } from 'tsyringe';
import { Fleet, onFleet } from './fleet.js';

test(
  'starts in order — configuration, services, registrations, work — and stops in the reverse order',
  onFleet(async (fleet) => {
    const story: string[] = [];
    @Config({ name: 'billing' })
    class BillingConfig {
      currency = 'EUR';
    }
    @Service({ name: 'billing', port: 8080 })
    class Billing {
      constructor(@inject(BillingConfig) config: BillingConfig) {
        story.push(`service built with ${config.currency}`);
      }
      start(): void {
        story.push('service started');
      }
      stop(): void {
        story.push('service stopped');
      }
    }
    @LeaderOnly({ name: 'close-books' })
    class CloseBooks {
      async run({ signal }: LeaderContext): Promise<void> {
        story.push('leading');
        await new Promise((resolve) => signal.addEventListener('abort', resolve));
        story.push('told to stop');
      }
    }

    const { application } = await fleet.run({
      declare: [CloseBooks, Billing, BillingConfig],
      hooks: {
        connected: () => story.push('hook connected'),
        started: () => story.push('hook started'),
        draining: () => story.push('hook draining'),
        stopped: () => story.push('hook stopped'),
        event: (event) => {
          if (event.type === 'state') story.push(event.state);
          else if (event.type !== 'connection') story.push(event.type);
        },
      },
    });
    await fleet.until(() => story.includes('leading'));
    await fleet.wait(application.stop());

    assert.equal(story, [
      'starting',
      'hook connected',
      'config-loaded',
      'service built with EUR',
      'service started',
      'service-registered',
      'hook started',
      'running',
      'leader-acquired',
      'run-started',
      'leading',
      'draining',
      'hook draining',
      'told to stop',
      'run-done',
      'leader-lost',
      'service-unregistered',
      'service stopped',
      'stopped',
      'hook stopped',
    ]);
  }),
);

test(
  'a start that fails half way undoes what was started and rejects with the reason',
  onFleet(async (fleet) => {
    const story: string[] = [];
    @Service({ name: 'first' })
    class First {
      stop(): void {
        story.push('first stopped');
      }
    }
    @Service({ name: 'second' })
    class Second {
      start(): void {
        throw new Error('the port is taken');
      }
      stop(): void {
        story.push('second stopped');
      }
    }
    const machine = fleet.machine();

    const reason = await fleet.wait(
      machine.start({ declare: [First, Second] }).then(
        () => undefined,
        (error: Error) => error,
      ),
    );

    assert.is(reason?.message, 'the port is taken');
    assert.equal(story, ['second stopped', 'first stopped']);
    assert.equal(machine.story, ['state starting', 'connection connected', 'state failed']);
    const client = await fleet.client();
    assert.equal((await fleet.wait(client.getEphemerals())).length, 0);
  }),
);

test(
  'a hook that fails while starting fails the start; one that fails while stopping does not hold it up',
  onFleet(async (fleet) => {
    const broken = fleet.machine();
    const hooks = { connected: () => Promise.reject(new Error('not today')) };
    const reason = await fleet.wait(
      broken.start({ declare: [], hooks }).catch((error: Error) => error.message),
    );
    assert.is(reason, 'not today');
    assert.is(broken.story.at(-1), 'state failed');

    const machine = await fleet.run({
      declare: [],
      hooks: {
        draining: () => {
          throw new Error('careless');
        },
      },
    });
    await fleet.wait(machine.application.stop());
    assert.is(machine.application.state, 'stopped');
    assert.ok(machine.log.some(({ message }) => message === 'a hook of the application failed'));
  }),
);

test(
  'declarations that cannot work start nothing at all',
  onFleet(async (fleet) => {
    class Plain {}
    const machine = fleet.machine();
    const error = await machine.start({ declare: [Plain] }).catch((reason: DeclarationError) => reason);
    assert.is((error as DeclarationError).code, 'DECLARATION_INVALID');
    assert.equal(machine.events, []);
  }),
);

test(
  'everything that is promised can be injected, and there is one instance of each class',
  onFleet(async (fleet) => {
    const Rate = token<number>('Rate');
    class Helper {
      constructor(@inject(Rate) readonly rate: number) {}
    }
    @Service({ name: 'billing' })
    class Billing {
      constructor(
        @inject(Client) readonly client: Client,
        @inject(Logger) readonly logger: Logger,
        @inject(Locks) readonly locks: Locks,
        @inject(Queues) readonly queues: Queues,
        @inject(Services) readonly services: Services,
        @inject(ConfigStore) readonly store: ConfigStore,
        @inject(Helper) readonly helper: Helper,
      ) {}
    }
    const { application } = await fleet.run({ declare: [Billing], provide: [provide(Rate, 0.19)] });
    const billing = application.get(Billing);

    assert.is(billing.client, application.client);
    assert.is(typeof billing.logger.info, 'function');
    assert.instance(billing.locks, Locks);
    assert.instance(billing.queues, Queues);
    assert.instance(billing.services, Services);
    assert.instance(billing.store, ConfigStore);
    assert.is(billing.helper.rate, 0.19);
    assert.is(application.get(Helper), billing.helper);
  }),
);

test(
  'a run by the clock may finish in a drain; the leadership is given back only afterwards',
  onFleet(async (fleet) => {
    let finish = (): void => undefined;
    let isAborted = false;
    @LeaderOnly({ name: 'job', every: '1h' })
    class Job {
      async run({ signal }: LeaderContext): Promise<void> {
        await new Promise<void>((resolve) => (finish = resolve));
        isAborted = signal.aborted;
      }
    }
    const machine = await fleet.run({ declare: [Job], drainDeadlineMs: 8000 });
    await fleet.until(() => machine.story.includes('leader-acquired'));
    await fleet.settle();

    const stopping = machine.application.stop();
    await fleet.time.advance(5000);
    assert.is(machine.application.state, 'draining');
    assert.not(machine.story.includes('leader-lost'));
    finish();
    await fleet.wait(stopping);

    assert.is(isAborted, false);
    assert.equal(machine.story.slice(-3), ['run-done', 'leader-lost', 'state stopped']);
  }),
);

test(
  'what is still in hand at the drain deadline is aborted',
  onFleet(async (fleet) => {
    let abortedAfterMs = 0;
    @LeaderOnly({ name: 'job', every: '1h' })
    class Job {
      async run({ signal }: LeaderContext): Promise<void> {
        await new Promise((resolve) => signal.addEventListener('abort', resolve));
        abortedAfterMs = fleet.clock.now() - stoppedAt;
      }
    }
    const machine = await fleet.run({ declare: [Job], drainDeadlineMs: 8000 });
    await fleet.until(() => machine.story.includes('leader-acquired'));
    await fleet.settle();

    const stoppedAt = fleet.clock.now();
    await fleet.wait(machine.application.stop());

    assert.is(abortedAfterMs, 8000);
    assert.equal(machine.story.slice(-3), ['run-done', 'leader-lost', 'state stopped']);
  }),
);

test(
  'a run that does not listen to its signal does not hold up the stop for ever',
  onFleet(async (fleet) => {
    @LeaderOnly({ name: 'job', every: '1h' })
    class Deaf {
      async run(): Promise<void> {
        await new Promise(() => undefined);
      }
    }
    const machine = await fleet.run({ declare: [Deaf], drainDeadlineMs: 2000 });
    await fleet.until(() => machine.story.includes('leader-acquired'));
    const stoppedAt = fleet.clock.now();
    await fleet.wait(machine.application.stop());
    assert.is(machine.application.state, 'stopped');
    assert.ok(fleet.clock.now() - stoppedAt < 10_000);
    assert.ok(machine.log.some(({ message }) => message.startsWith('a run of a leader job goes on')));
  }),
);

test(
  'stop can be called again, and a second call may bring the deadline forward',
  onFleet(async (fleet) => {
    @LeaderOnly({ name: 'job', every: '1h' })
    class Job {
      async run({ signal }: LeaderContext): Promise<void> {
        await new Promise((resolve) => signal.addEventListener('abort', resolve));
      }
    }
    const machine = await fleet.run({ declare: [Job], drainDeadlineMs: 60_000 });
    await fleet.until(() => machine.story.includes('leader-acquired'));
    const stoppedAt = fleet.clock.now();
    const first = machine.application.stop();
    await fleet.wait(machine.application.stop({ deadlineMs: 0 }));
    await first;
    await machine.application.stop();
    await machine.application.stopped;
    assert.ok(fleet.clock.now() - stoppedAt < 1000);
    assert.is(machine.story.filter((step) => step === 'state stopped').length, 1);
  }),
);

test(
  'a stop while the servers are out of reach ends all the same',
  onFleet(async (fleet) => {
    @Service({ name: 'billing' })
    class Billing {}
    @LeaderOnly({ name: 'job', every: '10s' })
    class Job {
      run(): void {}
    }
    const machine = await fleet.run({ declare: [Billing, Job] });
    await fleet.until(() => machine.story.includes('leader-acquired'));
    machine.cut();
    const stoppedAt = fleet.clock.now();
    await fleet.wait(machine.application.stop({ deadlineMs: 3000 }));
    assert.is(machine.application.state, 'stopped');
    assert.ok(fleet.clock.now() - stoppedAt < 10_000, 'the deadline, and a grace for all steps together');
  }),
);

test(
  'a hook of the start cannot stop the application, but give up the start',
  onFleet(async (fleet) => {
    const machine = fleet.machine();
    const start = machine.start({ declare: [], hooks: { started: (application) => application.stop() } });
    const code = await fleet.wait(start.catch((error: { code: string }) => error.code));
    assert.is(code, 'STILL_STARTING');
    assert.is(machine.story.at(-1), 'state failed');
  }),
);

test(
  'what the host program registered with tsyringe can be injected',
  onFleet(async (fleet) => {
    class Database {
      constructor(readonly url: string) {}
    }
    container.register(Database, { useValue: new Database('of the host') });
    @Service({ name: 'billing' })
    class Billing {
      constructor(@inject(Database) readonly database: Database) {}
    }
    const { application } = await fleet.run({ declare: [Billing] });
    assert.is(application.get(Billing).database.url, 'of the host');
  }),
);

test(
  'without a server the start fails after its timeout and says what to do',
  onFleet(async (fleet) => {
    const machine = fleet.machine();
    machine.cut();
    const error = await fleet.wait(
      machine.start({ declare: [], connectTimeoutMs: 5000 }).catch((reason: Error) => reason),
    );
    assert.match((error as Error).message, /no server answered within 5000 ms \(.+\)\. .*lastKnownGood/);
    assert.is(machine.story.at(-1), 'state failed');
  }),
);

test(
  'it fails, and stops what runs, when its client closes for good',
  onFleet(async (fleet) => {
    const story: string[] = [];
    @Service({ name: 'billing' })
    class Billing {
      stop(): void {
        story.push('service stopped');
      }
    }
    const machine = await fleet.run({ declare: [Billing] });
    await fleet.wait(machine.application.client.close());
    await fleet.wait(machine.application.stopped);
    assert.is(machine.application.state, 'failed');
    assert.equal(story, ['service stopped']);
  }),
);

test('a client given to it stays open when it stops', async () => {
  const fleet = await Fleet.start();
  const client = await fleet.client();
  const application = await fleet.wait(
    Application.start({ connect: client, declare: [], clock: fleet.clock }),
  );
  await fleet.wait(application.stop());
  assert.is(client.state, 'connected');
  await fleet.end();
});

test.run();
