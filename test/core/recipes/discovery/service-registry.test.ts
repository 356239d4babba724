import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { InvalidInstanceError, InvalidNameError, ServiceRegistry } from '../../../../core/recipes/index.js';
import { breakEverywhere, RecipeWorld, SESSION_TIMEOUT_MS } from '../recipe-world.js';

test('an instance is found by its name, with what it registered, until it is taken back', async () => {
  await RecipeWorld.play(async (world) => {
    const [one, two] = [await world.join(), await world.join()];
    const registry = new ServiceRegistry(one.client);
    const registration = await registry.register({
      name: 'billing',
      id: 'billing-1',
      address: '10.0.0.1',
      port: 8080,
      payload: { zone: 'a' },
    });
    const finder = new ServiceRegistry(two.client);

    assert.equal(await finder.instances('billing'), [registration.instance]);
    assert.is(registration.instance.registrationTimeUTC, world.clock.wall());
    assert.equal(await finder.names(), ['billing']);
    const { children } = await two.client.getChildren('/services/billing');
    assert.match(children[0]!, /^billing-1-\d{10}$/);
    await registration.update({ zone: 'b' });
    assert.equal((await finder.instances('billing'))[0]?.payload, { zone: 'b' });

    await registration.unregister();
    await registration.unregister();
    assert.equal(await finder.instances('billing'), []);
    assert.equal(await finder.instances('unknown'), []);
  });
});

test('a directory is kept up to date and tells what changes', async () => {
  await RecipeWorld.play(async (world) => {
    const [one, two] = [await world.join(), await world.join()];
    const registry = new ServiceRegistry(one.client);
    const directory = new ServiceRegistry(two.client).directory<number>('billing');
    const told: string[] = [];
    void (async () => {
      for await (const { type, instance } of directory.changes())
        told.push(`${type} ${instance.id} ${instance.payload}`);
    })();
    await directory.ready();

    const first = await registry.register({ name: 'billing', id: 'x', payload: 1 });
    await registry.register({ name: 'billing', id: 'y', payload: 2 });
    await first.update(3);
    await world.until(() => directory.instances()[0]?.payload === 3);
    assert.equal(
      directory.instances().map(({ id }) => id),
      ['x', 'y'],
    );
    await first.unregister();
    await world.until(() => directory.instances().length === 1);

    await world.sleep(10);
    assert.equal(told, ['added x 1', 'added y 2', 'changed x 3', 'removed x 3']);
    await registry.close();
    await world.until(() => directory.instances().length === 0);
    await directory.close();
  });
});

test('a registration survives the loss of the connection at each of its steps, and is never there twice', async () => {
  const breaks = await breakEverywhere(async (world, { client }, plan) => {
    const finder = new ServiceRegistry((await world.join()).client);
    plan();
    const registry = new ServiceRegistry(client);
    const registration = await registry.register({ name: 'billing', id: 'x', payload: 1 });
    assert.is((await finder.instances('billing')).length, 1);
    await registration.update(2);
    await world.sleep(3000);
    assert.equal(
      (await finder.instances('billing')).map(({ payload }) => payload),
      [2],
    );
    assert.is((await client.getChildren('/services/billing')).children.length, 1);
    await registry.close();
    assert.equal((await client.getChildren('/services/billing')).children, []);
  });
  assert.ok(breaks >= 8, `only ${breaks} breaks`);
});

test('after a lost session the registration is there again; for a reader it is one instance all the time', async () => {
  await RecipeWorld.play(async (world) => {
    const [one, two] = [await world.join(), await world.join()];
    const registry = new ServiceRegistry(one.client);
    const registration = await registry.register({ name: 'billing', id: 'x', payload: 1 });
    const directory = new ServiceRegistry(two.client).directory('billing');
    await directory.ready();
    const seen: number[] = [];
    void (async () => {
      for await (const _ of directory.changes()) seen.push(directory.instances().length);
    })();
    const { epoch } = one.client.session;

    // The client gives its session up by its own timer, before the servers do.
    one.line.cutOff();
    await world.until(() => one.client.state === 'lost');
    assert.not.ok(registration.isRegistered);
    one.line.rejoin();
    await world.until(() => registration.isRegistered && one.client.session.epoch > epoch);
    assert.is((await two.client.getChildren('/services/billing')).children.length, 2);
    await world.until(async () => (await two.client.getChildren('/services/billing')).children.length === 1);
    await world.sleep(1000);

    assert.equal(
      seen.filter((count) => count !== 1),
      [],
    );
    assert.equal(directory.instances(), [registration.instance]);
  });
});

test('instances last known stay through an outage', async () => {
  await RecipeWorld.play(async (world) => {
    const [one, two] = [await world.join(), await world.join()];
    await new ServiceRegistry(one.client).register({ name: 'billing', id: 'x' });
    const directory = new ServiceRegistry(two.client).directory('billing');
    await directory.ready();

    two.line.cutOff();
    await world.sleep(5 * SESSION_TIMEOUT_MS);

    assert.is(directory.instances().length, 1);
    assert.is(directory.state, 'started');
  });
});

test("Curator's own instances are found; what is no record is left out", async () => {
  await RecipeWorld.play(async (world) => {
    const { client } = await world.join();
    const record =
      '{"name":"billing","id":"java-1","address":"10.0.0.9","port":9090,"sslPort":null,' +
      '"payload":{"@class":"com.acme.Payload","zone":"c"},"registrationTimeUTC":1700000000000,' +
      '"serviceType":"DYNAMIC","uriSpec":null,"enabled":true}';
    await client.create('/services/billing/java-1', record, { createParents: true });
    await client.create('/services/billing/broken', 'no record');

    const instances = await new ServiceRegistry(client).instances<{ zone: string }>('billing');

    assert.is(instances.length, 1);
    assert.is(instances[0]?.id, 'java-1');
    assert.is(instances[0]?.port, 9090);
    assert.is(instances[0]?.payload?.zone, 'c');
  });
});

test('what cannot be registered is refused, and nothing stays behind', async () => {
  await RecipeWorld.play(async (world) => {
    const { client } = await world.join();
    const registry = new ServiceRegistry(client);
    const refusal = (instance: Parameters<typeof registry.register>[0]): Promise<unknown> =>
      registry.register(instance).catch((error: unknown) => error);
    await registry.register({ name: 'billing', id: 'x' });

    assert.instance(await refusal({ name: 'billing', id: 'x' }), InvalidInstanceError);
    assert.instance(await refusal({ name: 'billing', port: 70_000 }), InvalidInstanceError);
    assert.instance(await refusal({ name: 'billing', payload: 1n }), InvalidInstanceError);
    assert.instance(await refusal({ name: 'a/b' }), InvalidNameError);
    assert.instance(await refusal({ name: 'billing', id: '..' }), InvalidNameError);
    assert.is((await registry.instances('billing')).length, 1);
    await registry.close();
    assert.is(((await refusal({ name: 'billing' })) as { code: string }).code, 'RECIPE_STATE');
  });
});

test('a registration that is given up while the servers are out of reach does not appear later', async () => {
  await RecipeWorld.play(async (world) => {
    const [one, two] = [await world.join(), await world.join()];
    const registry = new ServiceRegistry(one.client);
    const giveUp = new AbortController();
    one.line.cutOff();
    const outcome = registry.register({ name: 'billing' }, { signal: giveUp.signal }).then(
      () => 'registered',
      (error: unknown) => error,
    );
    await world.sleep(100);

    giveUp.abort('enough');
    assert.is(await outcome, 'enough');
    one.line.rejoin();
    await world.sleep(SESSION_TIMEOUT_MS);

    assert.equal(await new ServiceRegistry(two.client).instances('billing'), []);
  });
});

test.run();
