import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  Config,
  ConfigStore,
  onReload,
  type ConfigRefusedError,
  type ConfigRules,
} from '../../framework/index.js';
import { onFleet, SESSION_TIMEOUT_MS, type Machine } from './fleet.js';

const schema = {
  type: 'object',
  required: ['currency', 'dailyLimit'],
  properties: { currency: { enum: ['EUR', 'USD'] }, dailyLimit: { type: 'number', minimum: 0 } },
  additionalProperties: false,
};

@Config({ name: 'billing', schema })
class BillingConfig {
  currency = 'EUR';
  dailyLimit = 1000;
}

const PATH = '/config/billing';

/** What a machine was told of its configuration, in order. */
function configStory(machine: Machine): string[] {
  return machine.events
    .filter((event) => event.type.startsWith('config-'))
    .map((event) => ('version' in event ? `${event.type} ${event.version}` : event.type));
}

test(
  'without a znode the defaults hold, and the rules for writers are published beside it',
  onFleet(async (fleet) => {
    const machine = await fleet.run({ declare: [BillingConfig] });
    const config = machine.application.get(BillingConfig);

    assert.equal([config.currency, config.dailyLimit], ['EUR', 1000]);
    assert.instance(config, BillingConfig);
    assert.is(machine.eventsOf('config-loaded')[0]?.source, 'defaults');
    const { client } = machine.application;
    const { data } = await fleet.wait(client.getData(`${PATH}.schema`));
    const rules = JSON.parse(new TextDecoder().decode(data)) as ConfigRules;
    assert.equal(rules, { schema, defaults: { currency: 'EUR', dailyLimit: 1000 } });
    assert.is(await fleet.wait(client.exists(PATH)), null);
  }),
);

test(
  'a change of the znode shows in the object that was injected, in every process, and listeners are told',
  onFleet(async (fleet) => {
    const machines = [
      await fleet.run({ declare: [BillingConfig] }),
      await fleet.run({ declare: [BillingConfig] }),
    ];
    const configs = machines.map(({ application }) => application.get(BillingConfig));
    const heard: string[] = [];
    onReload(configs[0]!, (now, before) => heard.push(`${before.dailyLimit} → ${now.dailyLimit}`));

    await fleet.wait(new ConfigStore(await fleet.client()).write('billing', { dailyLimit: 5 }));
    await fleet.until(() => machines.every((machine) => machine.story.includes('config-reloaded')));

    for (const config of configs) assert.equal([config.currency, config.dailyLimit], ['EUR', 5]);
    assert.is(machines[0]!.application.get(BillingConfig), configs[0]);
    assert.equal(heard, ['1000 → 5']);
  }),
);

test(
  'a value that is refused never reaches the application: the last good one stays, with an event and a log line',
  onFleet(async (fleet) => {
    const client = await fleet.client();
    await fleet.wait(client.create(PATH, '{"dailyLimit":7}', { createParents: true }));
    const machine = await fleet.run({ declare: [BillingConfig] });
    const config = machine.application.get(BillingConfig);
    const bad = [
      '{"dailyLimit":-1,"currency":"DM"}',
      '{"dailyLimit":',
      '[]',
      '"text"',
      'null',
      '{"limit":1}',
      `{"dailyLimit":${'['.repeat(50_000)}${']'.repeat(50_000)}}`,
      JSON.stringify({ list: Array.from({ length: 201 }, (_, index) => ({ $config: `c${index}` })) }),
    ];

    for (const [index, text] of bad.entries()) {
      await fleet.wait(client.setData(PATH, text));
      await fleet.until(() => machine.eventsOf('config-refused').length > index);
      assert.is(config.dailyLimit, 7, text);
    }

    const [first, second] = machine.eventsOf('config-refused');
    assert.equal(first, {
      type: 'config-refused',
      name: 'billing',
      path: PATH,
      version: 1,
      violations: [
        '/currency must be equal to one of the allowed values: ["EUR","USD"]',
        '/dailyLimit must be >= 0',
      ],
    });
    assert.match(second!.violations[0]!, /^the value is not JSON: /);
    const line = machine.log.find(({ level }) => level === 'error');
    assert.is(line?.message, 'configuration refused, the last good value stays');
    assert.is(line?.fields['path'], PATH);
    assert.not(machine.story.includes('config-reloaded'));
  }),
);

test(
  'after a refusal the next good value is taken up',
  onFleet(async (fleet) => {
    const client = await fleet.client();
    await fleet.wait(client.create(PATH, '{"dailyLimit":7}', { createParents: true }));
    const machine = await fleet.run({ declare: [BillingConfig] });
    await fleet.wait(client.setData(PATH, '{"dailyLimit":"much"}'));
    await fleet.until(() => machine.story.includes('config-refused'));
    await fleet.wait(client.setData(PATH, '{"dailyLimit":8}'));
    await fleet.until(() => machine.story.includes('config-reloaded'));
    assert.is(machine.application.get(BillingConfig).dailyLimit, 8);
    assert.equal(configStory(machine), ['config-loaded', 'config-refused 1', 'config-reloaded 2']);
  }),
);

test(
  'a znode that is deleted, or emptied, means the defaults again',
  onFleet(async (fleet) => {
    const client = await fleet.client();
    await fleet.wait(client.create(PATH, '{"dailyLimit":7}', { createParents: true }));
    const machine = await fleet.run({ declare: [BillingConfig] });
    const config = machine.application.get(BillingConfig);
    await fleet.wait(client.delete(PATH));
    await fleet.until(() => config.dailyLimit === 1000);
    await fleet.wait(client.create(PATH, '{"dailyLimit":8}'));
    await fleet.until(() => config.dailyLimit === 8);
    await fleet.wait(client.setData(PATH, null));
    await fleet.until(() => config.dailyLimit === 1000);
  }),
);

test(
  'a start is refused when the value is and nothing better is known',
  onFleet(async (fleet) => {
    const client = await fleet.client();
    await fleet.wait(client.create(PATH, '{"dailyLimit":"much"}', { createParents: true }));
    const machine = fleet.machine();
    const error = await fleet.wait(
      machine.start({ declare: [BillingConfig] }).catch((reason: ConfigRefusedError) => reason),
    );
    assert.match(
      (error as Error).message,
      /^the value for \/config\/billing is refused: \/dailyLimit must be number/,
    );
    assert.is(machine.story.at(-1), 'state failed');
  }),
);

test(
  'a change made while the process was out of reach is taken up when it is back, also in a new session',
  onFleet(async (fleet) => {
    const store = new ConfigStore(await fleet.client());
    const machine = await fleet.run({ declare: [BillingConfig] });
    const config = machine.application.get(BillingConfig);

    machine.cut();
    await fleet.wait(store.write('billing', { dailyLimit: 1 }));
    await fleet.time.advance(SESSION_TIMEOUT_MS / 3);
    machine.heal();
    await fleet.until(() => config.dailyLimit === 1);

    machine.cut();
    await fleet.time.advance(3 * SESSION_TIMEOUT_MS);
    await fleet.wait(store.write('billing', { dailyLimit: 2 }));
    machine.heal();
    await fleet.until(() => config.dailyLimit === 2);
    assert.ok(machine.application.client.session.epoch > 1, 'the session was lost in between');

    await fleet.wait(store.write('billing', { dailyLimit: 3 }));
    await fleet.until(() => config.dailyLimit === 3);
  }),
);

test(
  'the store refuses what applications would refuse, and writes nothing',
  onFleet(async (fleet) => {
    const machine = await fleet.run({ declare: [BillingConfig] });
    const store = machine.application.get(ConfigStore);
    for (const value of [{ dailyLimit: -1 }, { limit: 1 }, [], 'text', null, undefined]) {
      const error = await fleet.wait(
        store.write('billing', value).catch((reason: ConfigRefusedError) => reason),
      );
      assert.is((error as ConfigRefusedError).code, 'CONFIG_REFUSED', JSON.stringify(value));
    }
    assert.is(await fleet.wait(store.read('billing')), null);
    assert.equal(await fleet.wait(store.history('billing')), []);
    await fleet.wait(store.write('billing', { dailyLimit: 1 }));
    await fleet.until(() => machine.application.get(BillingConfig).dailyLimit === 1);
  }),
);

test(
  'the store keeps the last twenty values, newest first, and refuses to replace a version that is gone',
  onFleet(async (fleet) => {
    const store = new ConfigStore(await fleet.client());
    for (let limit = 0; limit < 25; limit++) await fleet.wait(store.write('free', { limit }));

    const history = await fleet.wait(store.history('free'));
    assert.equal(
      history.map(({ value }) => value),
      Array.from({ length: 20 }, (_, index) => ({ limit: 24 - index })),
    );
    const { version, value } = (await fleet.wait(store.read('free')))!;
    assert.equal([version, value], [24, { limit: 24 }]);
    const stale = await fleet.wait(
      store.write('free', { limit: 99 }, { version: 3 }).catch((error: { code: string }) => error.code),
    );
    assert.is(stale, 'BAD_VERSION');
    assert.is((await fleet.wait(store.history('free'))).length, 20);
    await fleet.wait(store.write('free', { limit: 99 }, { version }));
  }),
);

test(
  'two stores that write for the first time at the same moment both succeed',
  onFleet(async (fleet) => {
    const stores = [new ConfigStore(await fleet.client()), new ConfigStore(await fleet.client())];
    await fleet.wait(Promise.all(stores.map((store, index) => store.write('new', { index }))));
    assert.is((await fleet.wait(stores[0]!.history('new'))).length, 2);
  }),
);

test.run();
