import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { silentLogger, type LogFields } from '../../../../core/runtime/index.js';
import { GroupMembership, InvalidNameError, type MembershipEvent } from '../../../../core/recipes/index.js';
import { breakEverywhere, RecipeWorld, SESSION_TIMEOUT_MS } from '../recipe-world.js';

const text = (data: Uint8Array | null | undefined): string =>
  new TextDecoder().decode(data ?? new Uint8Array());

/** `type id data`, as they come. */
function collect(group: GroupMembership): string[] {
  const told: string[] = [];
  void (async () => {
    for await (const { type, member } of group.changes())
      told.push(`${type} ${member.id} ${text(member.data)}`);
  })();
  return told;
}

test('members see each other with their data; joins, changes and leaves are told', async () => {
  await RecipeWorld.play(async (world) => {
    const watcher = new GroupMembership((await world.join()).client, '/members/billing').start();
    const told = collect(watcher);
    await watcher.ready();
    const one = new GroupMembership((await world.join()).client, '/members/billing', {
      id: 'one',
      data: '1',
    });
    const two = new GroupMembership((await world.join()).client, '/members/billing', {
      id: 'two',
      data: '2',
    });

    await one.start().ready();
    await two.start().ready();
    await two.setData('2b');
    assert.ok(two.isRegistered);
    assert.equal([...two.members().keys()], ['one', 'two']);
    await one.close();
    await world.until(() => watcher.members().size === 1);

    assert.is(text(watcher.members().get('two')?.data), '2b');
    await world.until(() => told.length === 4);
    assert.equal(told, ['joined one 1', 'joined two 2', 'changed two 2b', 'left one 1']);
    assert.is(watcher.id, null);
  });
});

test('a second member of the same id waits, and warns after two session timeouts', async () => {
  await RecipeWorld.play(async (world) => {
    const warnings: string[] = [];
    const logger = {
      ...silentLogger,
      warn: (message: string, { path }: LogFields = {}) => void warnings.push(`${message} ${String(path)}`),
    };
    const first = new GroupMembership((await world.join()).client, '/m', { id: 'one' }).start();
    await first.ready();
    const second = new GroupMembership((await world.join({ logger })).client, '/m', { id: 'one' }).start();

    await world.sleep(1.5 * SESSION_TIMEOUT_MS);
    assert.equal(warnings, []);
    await world.sleep(SESSION_TIMEOUT_MS);

    assert.not.ok(second.isRegistered);
    assert.equal(warnings, ['An ephemeral znode is taken by another session that lives /m/one']);
    await first.close();
    await second.ready();
  });
});

test('the registration is an ephemeral znode named for the member, as Curator makes it', async () => {
  await RecipeWorld.play(async (world) => {
    const { client } = await world.join();
    const group = new GroupMembership(client, '/members/billing', { id: 'one', data: 'x' }).start();
    await group.ready();

    const { data, stat } = await client.getData('/members/billing/one');

    assert.is(text(data), 'x');
    assert.is(stat.ephemeralOwner, client.session.id);
    await group.close();
    assert.is(await client.exists('/members/billing/one'), null);
  });
});

test('a membership survives the loss of the connection at each of its steps', async () => {
  const breaks = await breakEverywhere(async (world, { client }, plan) => {
    const watcher = new GroupMembership((await world.join()).client, '/members/billing').start();
    await watcher.ready();
    plan();
    const group = new GroupMembership(client, '/members/billing', { id: 'one', data: 'a' }).start();
    await group.ready();
    await group.setData('b');
    await world.until(() => text(watcher.members().get('one')?.data) === 'b');
    await world.until(() => text(group.members().get('one')?.data) === 'b');
    await group.close();
    await world.until(() => watcher.members().size === 0);
  });
  assert.ok(breaks >= 8, `only ${breaks} breaks`);
});

test('a member that closes while its registration is repeated after a lost reply leaves no znode behind', async () => {
  await RecipeWorld.play(async (world) => {
    const { client, line } = await world.join();
    const other = await world.join();
    await client.create('/members/billing', null, { createParents: true });
    const lost = line.loseNextReply({ op: 'create2', path: '/members/billing/one' });
    const group = new GroupMembership(client, '/members/billing', { id: 'one' }).start();
    await lost;

    await group.close();

    assert.is(client.state, 'connected');
    assert.is(await other.client.exists('/members/billing/one'), null);
  });
});

test('after a lost session a member is in the group again, with its latest data', async () => {
  await RecipeWorld.play(async (world) => {
    const member = await world.join();
    const watcher = new GroupMembership((await world.join()).client, '/members/billing').start();
    const told = collect(watcher);
    const group = new GroupMembership(member.client, '/members/billing', { id: 'one', data: 'a' }).start();
    await group.ready();
    await group.setData('b');

    await world.expire(member);
    await world.until(() => watcher.members().has('one') && group.isRegistered);

    const again = watcher.members().get('one')!;
    assert.is(text(again.data), 'b');
    assert.is(again.sessionId, member.client.session.id);
    assert.equal(told.slice(-2), ['left one b', 'joined one b']);
  });
});

test('a member that gives its session up first waits for the servers to do so too', async () => {
  await RecipeWorld.play(async (world) => {
    const member = await world.join();
    const observer = await world.join();
    const group = new GroupMembership(member.client, '/members/billing', { id: 'one' }).start();
    await group.ready();
    const older = member.client.session.id;

    member.line.cutOff();
    await world.until(() => member.client.state === 'lost');
    member.line.rejoin();
    await member.client.connected();
    assert.is((await observer.client.exists('/members/billing/one'))?.ephemeralOwner, older);
    assert.not.ok(group.isRegistered);

    await world.until(() => group.isRegistered);
    assert.is(
      (await observer.client.exists('/members/billing/one'))?.ephemeralOwner,
      member.client.session.id,
    );
  });
});

test('a registration that somebody deletes is made again', async () => {
  await RecipeWorld.play(async (world) => {
    const { client } = await world.join();
    const other = await world.join();
    const group = new GroupMembership(client, '/members/billing', { id: 'one' }).start();
    await group.ready();
    const { joinedAt } = group.members().get('one')!;

    await other.client.delete('/members/billing/one');

    await world.until(() => (group.members().get('one')?.joinedAt ?? 0n) > joinedAt);
    assert.ok(group.isRegistered);
  });
});

test('members last known stay readable while the servers are out of reach', async () => {
  await RecipeWorld.play(async (world) => {
    const watching = await world.join();
    const watcher = new GroupMembership(watching.client, '/members/billing').start();
    const member = await world.join();
    await new GroupMembership(member.client, '/members/billing', { id: 'one' }).start().ready();
    await world.until(() => watcher.members().size === 1);
    const told: MembershipEvent[] = [];
    void (async () => {
      for await (const event of watcher.changes()) told.push(event);
    })();

    watching.line.cutOff();
    await world.sleep(3 * SESSION_TIMEOUT_MS);
    assert.is(watcher.members().size, 1);
    watching.line.rejoin();
    await world.sleep(2 * SESSION_TIMEOUT_MS);

    assert.is(watcher.members().size, 1);
    assert.equal(told, []);
  });
});

test('an id that is no name, and data without an id, are refused', async () => {
  await RecipeWorld.play(async (world) => {
    const { client } = await world.join();
    assert.throws(
      () => new GroupMembership(client, '/members', { id: 'a/b' }),
      (error: unknown) => error instanceof InvalidNameError,
    );
    const failure = await new GroupMembership(client, '/members')
      .setData('x')
      .catch((error: unknown) => error);
    assert.is((failure as { code: string }).code, 'RECIPE_STATE');
  });
});

test('a member that closes leaves the registration of another session under its id alone', async () => {
  await RecipeWorld.play(async (world) => {
    const [one, two, admin] = [await world.join(), await world.join(), await world.join()];
    const former = new GroupMembership(one.client, '/group', { id: 'a' }).start();
    await former.ready();
    const next = new GroupMembership(two.client, '/group', { id: 'a' }).start();
    await world.sleep(50);
    one.line.pause();
    await admin.client.delete('/group/a');
    await world.until(() => next.isRegistered);
    const before = await admin.client.exists('/group/a');

    const closed = former.close();
    one.line.rejoin();
    await closed;

    assert.is((await admin.client.exists('/group/a'))?.czxid, before!.czxid);
    await next.close();
  });
});

test.run();
