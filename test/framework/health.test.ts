import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  Application,
  Config,
  LeaderOnly,
  Service,
  Sharded,
  Worker,
  type OwnedShard,
  type Plugin,
} from '../../framework/index.js';
import { onFleet, SESSION_TIMEOUT_MS } from './fleet.js';

@Service({ name: 'invoices' })
class Invoices {}

test(
  'an application without a connection is alive but not ready, and ready again when it is back',
  onFleet(async (fleet) => {
    const machine = await fleet.run({ declare: [Invoices] });
    const { application } = machine;
    const unhealthy = async () =>
      (await application.health()).checks.filter((check) => !check.isHealthy).map(({ name }) => name);
    assert.ok((await application.health()).isReady);

    machine.cut();
    await fleet.until(() => application.client.state === 'suspended');
    assert.equal(await unhealthy(), ['connection']);
    assert.ok((await application.health()).isLive);
    machine.heal();
    await fleet.until(() => application.client.state === 'connected');
    assert.equal(await unhealthy(), []);

    await fleet.wait(application.stop());
    const { isLive, isReady } = await application.health();
    assert.not.ok(isLive || isReady);
  }),
);

@Config({ name: 'billing' })
class Billing {
  currency = 'EUR';
}

@LeaderOnly({ name: 'books' })
class Books {
  run(): void {}
}

@Sharded({ name: 'feeds', shards: 2 })
class Feeds {
  async run({ signal }: OwnedShard): Promise<void> {
    await new Promise((resolve) => signal.addEventListener('abort', resolve));
  }
}

@Worker({ queue: 'mails' })
class Mails {
  handle(): void {}
}

const EVERYTHING = [Billing, Invoices, Books, Feeds, Mails];

const everybody = (perms: number) => [{ perms, id: { scheme: 'world', id: 'anyone' } }];
const ALL = everybody(31);
const READ_ONLY = everybody(17);

/** What is wrong with whom. */
async function complaints(application: Application): Promise<Record<string, string | undefined>> {
  const { checks } = await application.health();
  const wrong = checks.filter(({ isHealthy }) => !isHealthy);
  return Object.fromEntries(wrong.map(({ name, detail }) => [name, detail]));
}

test(
  'an application is ready when every one of its runners is, and says of which it is not true yet',
  onFleet(async (fleet) => {
    let atFirst: Record<string, string | undefined> = {};
    const { application, ...machine } = await fleet
      .run({
        declare: EVERYTHING,
        hooks: { connected: async (starting) => void (atFirst = await complaints(starting)) },
      })
      .then((started) => ({
        application: started.application,
        cut: () => started.cut(),
        heal: () => started.heal(),
      }));
    const notStarted = {
      state: 'starting',
      configuration: 'billing is not started yet',
      services: 'invoices is not started yet',
      'leader jobs': 'books is not started yet',
      shards: 'feeds is not started yet',
      workers: 'mails is not started yet',
    };
    assert.equal(atFirst, notStarted);
    await fleet.settle();
    assert.equal(await complaints(application), {});

    machine.cut();
    await fleet.until(() => application.client.state === 'lost');
    assert.equal(await complaints(application), {
      connection: 'lost',
      services: 'invoices is to be registered in a new session',
      'leader jobs': 'books does not stand for election yet',
      shards: 'feeds does not take part in the division yet',
      workers: 'mails takes no jobs yet',
    });
    machine.heal();
    await fleet.time.advance(2 * SESSION_TIMEOUT_MS);
    assert.equal(await complaints(application), {});
  }),
);

test(
  'an application whose runners are refused by the servers is alive, not ready, and ready when they are let in',
  onFleet(async (fleet) => {
    const client = await fleet.client();
    const roots = ['/leaders', '/shards', '/queues'];
    for (const path of roots) await fleet.wait(client.create(path, null, { acl: READ_ONLY }));
    const { application } = await fleet.run({ declare: EVERYTHING });
    await fleet.time.advance(1000);

    assert.equal(await complaints(application), {
      'leader jobs': 'books does not stand for election yet',
      shards: 'feeds does not take part in the division yet',
      workers: 'mails takes no jobs yet',
    });
    assert.ok((await application.health()).isLive);

    for (const path of roots) await fleet.wait(client.setAcl(path, ALL));
    await fleet.time.advance(120_000);
    assert.equal(await complaints(application), {});
  }),
);

test(
  'a leader that leaves the leadership to others for a while, because its job failed, does not make the application unready',
  onFleet(async (fleet) => {
    @LeaderOnly({ name: 'books' })
    class Failing {
      run(): never {
        throw new Error('no books');
      }
    }
    const machine = await fleet.run({ declare: [Failing] });
    await fleet.until(() => machine.eventsOf('run-failed').length === 1);
    await fleet.time.advance(500);

    assert.equal(await complaints(machine.application), {});
  }),
);

test(
  'configuration that may not be read makes the application unready, until it may be read again',
  onFleet(async (fleet) => {
    const client = await fleet.client();
    await fleet.wait(client.create('/config/billing', '{"currency":"USD"}', { createParents: true }));
    const machine = await fleet.run({ declare: [Billing] });
    const { application } = machine;
    assert.equal(await complaints(application), {});

    await fleet.wait(client.setAcl('/config/billing', everybody(18)));
    // Nobody hears of changes to what he may not read, but it is read anew in the next session.
    machine.cut();
    await fleet.until(() => application.client.state === 'lost');
    machine.heal();
    await fleet.time.advance(SESSION_TIMEOUT_MS);

    assert.equal(await complaints(application), {
      configuration: 'billing changes of billing are not followed for now',
    });
    assert.is(application.get(Billing).currency, 'USD');

    await fleet.wait(client.setData('/config/billing', '{"currency":"EUR"}'));
    await fleet.wait(client.setAcl('/config/billing', ALL));
    await fleet.until(() => application.get(Billing).currency === 'EUR');
    assert.equal(await complaints(application), {});
    await fleet.wait(client.setData('/config/billing', '{"currency":"GBP"}'));
    await fleet.until(() => application.get(Billing).currency === 'GBP');
  }),
);

test(
  'a check of a plugin that does not answer makes the application unready, is not waited for, and is not asked again',
  onFleet(async (fleet) => {
    let calls = 0;
    let answer: (isHealthy: boolean) => void = () => undefined;
    const check = (): Promise<boolean> => {
      calls++;
      return new Promise((resolve) => (answer = resolve));
    };
    const slow: Plugin = {
      name: 'slow',
      setup: ({ addHealthCheck }) => addHealthCheck({ name: 'slow', check }),
    };
    const { application } = await fleet.run({ declare: [], use: [slow] });

    for (let count = 0; count < 3; count++) {
      const health = fleet.wait(complaints(application));
      assert.equal(await health, { slow: 'does not say within 2000 ms how it is' });
    }
    assert.is(calls, 1);
    answer(true);
    await fleet.settle();

    const asking = complaints(application);
    await fleet.settle();
    answer(true);
    assert.equal(await fleet.wait(asking), {});
    assert.is(calls, 2);
  }),
);

test('livez and readyz answer over HTTP, not ready while the application drains', async () => {
  let whileDraining: readonly number[] = [];
  const ask = async (path: string): Promise<number> =>
    (await fetch(`http://127.0.0.1:${application.healthPort}${path}`)).status;
  const application = await Application.start({
    connect: 'embedded:',
    declare: [],
    health: { port: 0, host: '127.0.0.1' },
    hooks: {
      draining: async () => {
        whileDraining = [await ask('/livez'), await ask('/readyz')];
      },
    },
  });

  assert.equal([await ask('/livez'), await ask('/readyz?x'), await ask('/other')], [200, 200, 404]);
  const answer = await fetch(`http://127.0.0.1:${application.healthPort}/readyz`);
  assert.equal(await answer.json(), await application.health());
  await application.stop();

  assert.equal(whileDraining, [200, 503]);
});

test.run();
