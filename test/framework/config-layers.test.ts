import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  Config,
  ConfigRefusedError,
  ConfigRevisionError,
  ConfigStore,
  onReload,
  schemaOf,
  type Constructor,
} from '../../framework/index.js';
import { onFleet } from './fleet.js';

const smtpSchema = schemaOf({
  type: 'object',
  required: ['host', 'port', 'password'],
  properties: {
    host: { type: 'string' },
    port: { type: 'integer', minimum: 1 },
    password: { type: 'string', secret: true },
  },
  additionalProperties: false,
});

@Config({ name: 'smtp', schema: smtpSchema })
class Smtp {
  host = 'localhost';
  port = 25;
  password = '';
}

@Config({
  name: 'mail',
  schema: schemaOf({
    type: 'object',
    required: ['from', 'server'],
    properties: {
      from: { type: 'string' },
      server: {
        type: 'object',
        required: ['host'],
        properties: { host: { type: 'string' }, port: { type: 'integer' } },
      },
    },
  }),
})
class Mail {
  from = 'nobody';
  server: { host: string; port?: number } = { host: 'none' };
}

test(
  'defaults are below the file, that below the znode, and the environment is above all',
  onFleet(async (fleet) => {
    const directory = await mkdtemp(join(tmpdir(), 'quorate-layers-'));
    const file = join(directory, 'smtp.json');
    await writeFile(file, '{"host":"of the file","port":26,"password":"of the file"}');
    @Config({ name: 'smtp', schema: smtpSchema, file, env: { port: 'SMTP_PORT', password: 'SMTP_PASSWORD' } })
    class Layered {
      host = 'of the class';
      port = 25;
      password = 'of the class';
    }
    const environment = { SMTP_PORT: '27' };
    const machine = await fleet.run({ declare: [Layered], environment });
    const config = machine.application.get(Layered);
    assert.equal(Object.fromEntries(Object.entries(config)), {
      host: 'of the file',
      port: 27,
      password: 'of the file',
    });

    const store = machine.application.get(ConfigStore);
    await fleet.wait(store.write('smtp', { host: 'of the znode', port: 28 }));
    await fleet.until(() => config.host === 'of the znode');
    assert.equal(Object.fromEntries(Object.entries(config)), {
      host: 'of the znode',
      port: 27,
      password: 'of the file',
    });
    const [applied] = await fleet.wait(store.applied('smtp'));
    assert.equal(applied?.overridden, ['port']);
    await rm(directory, { recursive: true });
  }),
);

test(
  'a file or a variable that cannot be read as what it sets fails the start, and names itself',
  onFleet(async (fleet) => {
    const declare = (file?: string): Constructor => {
      @Config({ name: 'smtp', schema: smtpSchema, file, env: { port: 'SMTP_PORT' } })
      class Layered extends Smtp {}
      return Layered;
    };
    const failure = (
      environment: Record<string, string>,
      file?: string,
    ): Promise<Error & { code?: string }> =>
      fleet.wait(
        fleet
          .machine()
          .start({ declare: [declare(file)], environment })
          .then(
            () => new Error('started'),
            (error: Error) => error,
          ),
      );
    const wrong = await failure({ SMTP_PORT: 'twenty' });
    assert.is(wrong.code, 'CONFIG_LAYER_INVALID');
    assert.match(wrong.message, 'SMTP_PORT');
    const directory = await mkdtemp(join(tmpdir(), 'quorate-layers-'));
    const file = join(directory, 'smtp.json');
    await writeFile(file, '[1]');
    assert.is((await failure({}, file)).code, 'CONFIG_LAYER_INVALID');
    assert.is((await failure({ SMTP_PORT: '0' })).code, 'CONFIG_REFUSED');
    await rm(directory, { recursive: true });
  }),
);

test(
  'the rules that are published for writers hold no secret of the class or the file, and let it be missing',
  onFleet(async (fleet) => {
    @Config({
      name: 'shop',
      schema: { type: 'object', properties: { pin: { type: 'string', secret: true } }, required: ['pin'] },
    })
    class Shop {
      pin = 'hunter2';
      name = 'a';
    }
    await fleet.run({ declare: [Shop] });
    const client = await fleet.client();
    const { data } = await fleet.wait(client.getData('/config/shop.schema'));
    const text = new TextDecoder().decode(data);
    assert.not.match(text, /hunter2/);
    assert.equal((JSON.parse(text) as { defaults: unknown }).defaults, { name: 'a' });
    await fleet.wait(new ConfigStore(client).write('shop', { name: 'b' }));
  }),
);

test(
  'what refers to another configuration is reloaded with it, in the same turn',
  onFleet(async (fleet) => {
    const client = await fleet.client();
    const store = new ConfigStore(client);
    await fleet.wait(store.write('smtp', { host: 'one', port: 25, password: 'x' }));
    await fleet.wait(store.write('mail', { from: 'me', server: { host: { $config: 'smtp/host' } } }));
    const machine = await fleet.run({ declare: [Smtp, Mail] });
    const [smtp, mail] = [machine.application.get(Smtp), machine.application.get(Mail)];
    assert.is(mail.server.host, 'one');

    const seen: string[] = [];
    onReload(smtp, () => seen.push(`smtp ${smtp.host} ${mail.server.host}`));
    onReload(mail, () => seen.push(`mail ${smtp.host} ${mail.server.host}`));
    await fleet.wait(store.write('smtp', { host: 'two', port: 25, password: 'x' }));
    await fleet.until(() => seen.length === 2);
    assert.equal(seen, ['smtp two two', 'mail two two']);
  }),
);

test(
  'a configuration that is referred to needs not be declared, and a reference to nothing is refused when written',
  onFleet(async (fleet) => {
    const machine = await fleet.run({ declare: [Mail] });
    const store = machine.application.get(ConfigStore);
    const mail = machine.application.get(Mail);
    const refusal = async (name: string, value: unknown): Promise<string> =>
      fleet.wait(
        store.write(name, value).then(
          () => 'written',
          (error: ConfigRefusedError) => error.message,
        ),
      );
    assert.match(
      await refusal('mail', { from: 'me', server: { $config: 'smtp' } }),
      'refers to smtp, which is not there',
    );
    await fleet.wait(store.write('smtp', { host: 'one', port: 25 }));
    await fleet.wait(store.write('mail', { from: 'me', server: { $config: 'smtp' } }));
    await fleet.until(() => mail.server.host === 'one');
    assert.match(await refusal('smtp', { host: 1 }), 'mail is refused: /server/host must be string');
    assert.match(await refusal('smtp', { host: { $config: 'mail/server/host' } }), 'in a circle');
    await fleet.wait(store.write('smtp', { host: 'two' }));
    await fleet.until(() => mail.server.host === 'two');
    assert.is(machine.eventsOf('config-refused').length, 0);
  }),
);

test(
  'an earlier value can be looked up, compared, and written again',
  onFleet(async (fleet) => {
    const store = new ConfigStore(await fleet.client());
    for (const port of [1, 2, 3]) await fleet.wait(store.write('smtp', { host: 'x', port }));
    const history = await fleet.wait(store.history('smtp'));
    assert.equal(
      history.map(({ revision, value }) => [revision, value]),
      [3, 2, 1].map((port) => [port - 1, { host: 'x', port }]),
    );
    assert.equal(await fleet.wait(store.diff('smtp')), [{ path: '/port', before: 2, after: 3 }]);
    assert.equal(await fleet.wait(store.diff('smtp', 0, 1)), [{ path: '/port', before: 1, after: 2 }]);
    assert.equal((await fleet.wait(store.rollback('smtp'))).value, { host: 'x', port: 2 });
    assert.equal((await fleet.wait(store.rollback('smtp', 0))).value, { host: 'x', port: 1 });
    const unknown = await fleet.wait(store.rollback('smtp', 99).catch((error: unknown) => error));
    assert.instance(unknown, ConfigRevisionError);
    assert.is((await fleet.wait(store.history('smtp'))).length, 5);
  }),
);

test(
  'everybody can see which process uses which version, and which one refused it',
  onFleet(async (fleet) => {
    const client = await fleet.client();
    const store = new ConfigStore(client);
    const machines = [await fleet.run({ declare: [Smtp] }), await fleet.run({ declare: [Smtp] })];
    const states = async (): Promise<unknown[]> =>
      (await store.applied('smtp')).map(({ by, version, state }) => [by, version, state]);
    await fleet.wait(store.write('smtp', { host: 'x', port: 1 }));
    await fleet.until(() => machines.every((machine) => machine.application.get(Smtp).host === 'x'));
    await fleet.settle();
    assert.equal(
      await fleet.wait(states()),
      machines.map(({ id }) => [id, 0, 'applied']),
    );
    await fleet.wait(client.setData('/config/smtp', '{"port":"none"}'));
    await fleet.until(() => machines.every((machine) => machine.eventsOf('config-refused').length === 1));
    await fleet.settle();
    assert.equal(
      await fleet.wait(states()),
      machines.map(({ id }) => [id, 1, 'refused']),
    );
    await fleet.wait(machines[0]!.application.stop());
    assert.is((await fleet.wait(states())).length, 1);
  }),
);

test(
  'a field that only the environment sets may be missing in the znode',
  onFleet(async (fleet) => {
    @Config({
      name: 'vault',
      schema: schemaOf({
        type: 'object',
        required: ['token', 'address'],
        properties: { token: { type: 'string', secret: true }, address: { type: 'string' } },
      }),
      env: { token: 'VAULT_TOKEN' },
    })
    class Vault {
      declare token: string;
      address = 'http://localhost';
    }
    const machine = await fleet.run({ declare: [Vault], environment: { VAULT_TOKEN: 'hush' } });
    const store = machine.application.get(ConfigStore);
    await fleet.wait(store.write('vault', { address: 'http://vault' }));
    const vault = machine.application.get(Vault);
    await fleet.until(() => vault.address === 'http://vault');
    assert.is(vault.token, 'hush');
    assert.not(JSON.stringify(machine.log).includes('hush'), 'secrets are in no log line');
    const refused = await fleet.wait(store.write('vault', { address: 1 }).catch((error: unknown) => error));
    assert.instance(refused, ConfigRefusedError);
  }),
);

test(
  'a reference to what cannot be the name of a configuration is refused, by whoever writes it and by whoever reads it',
  onFleet(async (fleet) => {
    const machine = await fleet.run({ declare: [Mail] });
    const mail = machine.application.get(Mail);
    for (const [name, problem] of [
      [
        'smtp.schema',
        /server refers to smtp\.schema, and 'smtp\.schema' cannot name a configuration: the ending/,
      ],
      ['..', /cannot name a configuration: it must be one segment/],
      ['a\u0001b', /cannot name a configuration: it must be one segment/],
    ] as const) {
      const value = { from: 'me', server: { $config: name } };
      const refusal = await fleet.wait(
        machine.application
          .get(ConfigStore)
          .write('mail', value)
          .then(
            () => 'written',
            (error: ConfigRefusedError) => error.violations.join(),
          ),
      );
      assert.match(refusal, problem);

      const refused = machine.eventsOf('config-refused').length;
      // By a client that knows nothing of the rules.
      const { client } = machine.application;
      await fleet.wait(client.create('/config/mail', JSON.stringify(value), { createParents: true }));
      await fleet.until(() => machine.eventsOf('config-refused').length > refused);

      assert.match(machine.eventsOf('config-refused').at(-1)!.violations.join(), problem);
      assert.is(mail.server.host, 'none');
      await fleet.wait(client.delete('/config/mail'));
      await fleet.settle();
    }
  }),
);

test(
  'an application does not start with a reference to what cannot be the name of a configuration',
  onFleet(async (fleet) => {
    const client = await fleet.client();
    const value = '{"from":"me","server":{"$config":"smtp.schema"}}';
    await fleet.wait(client.create('/config/mail', value, { createParents: true }));

    const failure = await fleet.wait(
      fleet
        .machine()
        .start({ declare: [Mail] })
        .then(
          () => new Error('started'),
          (error: Error) => error,
        ),
    );

    assert.instance(failure, ConfigRefusedError);
    assert.match(failure.message, 'cannot name a configuration');
  }),
);

test.run();
