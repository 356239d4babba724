import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  Config,
  DeclarationError,
  diagnosticsChannel,
  inject,
  module,
  provide,
  Service,
  token,
  type DiagnosticsMessage,
  type Plugin,
} from '../../framework/index.js';
import { onFleet } from './fleet.js';

interface Mailer {
  readonly from: string;
}
const Mailer = token<Mailer>('mailer');

@Config({ name: 'billing' })
class Billing {
  currency = 'EUR';
}

@Service({ name: 'invoices' })
class Invoices {
  constructor(
    @inject(Mailer) readonly mailer: Mailer,
    @inject(Billing) readonly billing: Billing,
  ) {}
}

const mail = module({ provide: [provide(Mailer, { from: 'mail' })] });
const billing = module({ declare: [Billing, Invoices], imports: [mail] });

test(
  'modules put classes and provisions together; one that is reached twice counts once',
  onFleet(async (fleet) => {
    const { application } = await fleet.run({ declare: [billing, module({ imports: [mail, billing] })] });

    assert.is(application.get(Invoices).mailer.from, 'mail');
    assert.is(application.get(Invoices).billing.currency, 'EUR');
  }),
);

test(
  'what the application provides replaces what modules provide, and declared classes too',
  onFleet(async (fleet) => {
    const fake = { currency: 'CHF' };
    const machine = await fleet.run({
      declare: [billing],
      provide: [provide(Mailer, { from: 'test' }), provide(Billing, fake)],
    });

    assert.is(machine.application.get(Invoices).mailer.from, 'test');
    assert.is(machine.application.get(Invoices).billing, fake);
    assert.is(machine.application.get(Billing), fake);
    assert.equal(machine.eventsOf('config-loaded'), []);
  }),
);

test(
  'a service that is replaced needs nothing of what the class would need',
  onFleet(async (fleet) => {
    const fake = new Invoices({ from: 'nowhere' }, new Billing());
    const { application } = await fleet.run({ declare: [Invoices], provide: [provide(Invoices, fake)] });

    assert.is(application.get(Invoices), fake);
  }),
);

test(
  'a plugin declares, provides, hooks, listens, adds to the health, and is undone last',
  onFleet(async (fleet) => {
    const told: string[] = [];
    let isWell = true;
    const plugin: Plugin = {
      name: 'mail',
      declare: [billing],
      hooks: {
        connected: () => void told.push('connected'),
        started: () => void told.push('started'),
        draining: () => void told.push('draining'),
        stopped: () => void told.push('stopped'),
      },
      setup: ({ application, addHealthCheck, onStop }) => {
        told.push(`setup ${application.state}`);
        addHealthCheck({ name: 'mail', check: () => isWell });
        onStop(() => void told.push('undone'));
      },
    };
    const { application } = await fleet.run({
      declare: [],
      use: [plugin],
      hooks: { started: () => void told.push('own started') },
    });

    assert.ok((await application.health()).isReady);
    isWell = false;
    const health = await application.health();
    assert.ok(health.isLive && !health.isReady);
    assert.equal(
      health.checks.filter((check) => !check.isHealthy).map(({ name }) => name),
      ['mail'],
    );
    await fleet.wait(application.stop());

    assert.equal(told, [
      'setup starting',
      'connected',
      'started',
      'own started',
      'draining',
      'undone',
      'stopped',
    ]);
  }),
);

test(
  'a plugin whose setup throws fails the start, and what was set up is undone',
  onFleet(async (fleet) => {
    const told: string[] = [];
    const good: Plugin = { name: 'good', setup: ({ onStop }) => onStop(() => told.push('undone')) };
    const bad: Plugin = {
      name: 'bad',
      setup: () => {
        throw new Error('no license');
      },
    };
    const failure = await fleet.run({ declare: [], use: [good, bad] }).catch((error: unknown) => error);

    assert.match(String(failure), /no license/);
    assert.equal(told, ['undone']);
    assert.instance(
      await fleet.run({ declare: [], use: [good, good] }).catch((error: unknown) => error),
      DeclarationError,
    );
  }),
);

test(
  'events go out on channels of node:diagnostics_channel, by type and all together',
  onFleet(async (fleet) => {
    const loaded: unknown[] = [];
    const types: string[] = [];
    const onLoaded = (message: unknown): void => void loaded.push(message);
    const onAll = (message: unknown): void => void types.push((message as DiagnosticsMessage).event.type);
    subscribe(diagnosticsChannel('config-loaded'), onLoaded);
    subscribe('quorate:*', onAll);
    const machine = await fleet.run({ declare: [Billing] });
    unsubscribe('quorate:config-loaded', onLoaded);
    unsubscribe('quorate:*', onAll);

    assert.equal(loaded, [
      {
        application: machine.id,
        event: { type: 'config-loaded', name: 'billing', source: 'defaults' },
      },
    ]);
    assert.equal(
      types,
      machine.events.map(({ type }) => type),
    );
  }),
);

test.run();
