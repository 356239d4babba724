import type { Actor } from '../actor.js';
import { check } from '../checkers/referee.js';

/** Sequential znodes: no two of the same name, and of one client in the order of asking. */
export async function sequences(actor: Actor): Promise<void> {
  let last = '';
  while (!actor.isOver) {
    const mode = actor.pick(['persistent-sequential', 'ephemeral-sequential'] as const);
    const result = await actor.attempt(`create /s/n- ${mode}`, () =>
      actor.client.create('/s/n-', actor.value(), { mode }),
    );
    if (result.type === 'done') {
      const { path } = result.value;
      actor.world.referee.watch(() => check(path > last, () => `${path} was created behind ${last}`));
      last = path;
      if (actor.chance(0.3)) await actor.attempt(`delete ${path}`, () => actor.client.delete(path));
    }
    if (actor.chance(0.2)) await actor.attempt('getChildren /s', () => actor.client.getChildren('/s'));
    await actor.think();
  }
}

/** Ephemerals that come and go, containers and znodes with a time to live, and looking for those of others. */
export async function ephemerals(actor: Actor): Promise<void> {
  const { client } = actor;
  const { tickMs } = actor.world.plan;
  while (!actor.isOver) {
    const path = `/e/${actor.pick(['a', 'b', 'c', 'd'])}`;
    const below = `${path}/${actor.pick(['x', 'y'])}`;
    const act = actor.pick([
      () =>
        actor.attempt(`create ${path} ephemeral`, () =>
          client.create(path, actor.value(), { mode: 'ephemeral' }),
        ),
      () => actor.attempt(`create ${path} container`, () => client.create(path, null, { mode: 'container' })),
      () =>
        actor.attempt(`create ${path} ttl`, () =>
          client.create(path, null, { mode: 'persistent-ttl', ttlMs: 5 * tickMs }),
        ),
      () =>
        actor.attempt(`create ${below}`, () => client.create(below, actor.value(), { mode: 'ephemeral' })),
      () => actor.attempt(`delete ${path}`, () => client.delete(path)),
      () => actor.attempt(`exists ${path}`, () => client.exists(path)),
      () => actor.attempt(`getEphemerals`, () => client.getEphemerals('/e')),
      () => actor.attempt(`countDescendants /e`, () => client.countDescendants('/e')),
      () =>
        actor.attempt(`create /e/u- unique`, () =>
          client.create(`/e/${actor.value()}-`, null, { mode: 'ephemeral-sequential', uniqueName: true }),
        ),
    ]);
    await act();
    await actor.think();
  }
}

/** Many requests at once, without waiting for answers: they take effect in their order, also behind one that fails. */
export async function pipelines(actor: Actor): Promise<void> {
  const { client } = actor;
  const path = `/p/${actor.name}`;
  while (!actor.isOver) {
    const burst = Array.from({ length: 3 + Math.floor(actor.random.next() * 20) }, (_, index) => {
      const kinds = [
        () => actor.attempt(`create ${path}`, () => client.create(path, actor.value())),
        () => actor.attempt(`setData ${path}`, () => client.setData(path, actor.value())),
        () =>
          actor.attempt(`setData ${path} if ${index}`, () =>
            client.setData(path, actor.value(), { version: index }),
          ),
        () => actor.attempt(`getData ${path}`, () => client.getData(path)),
        () => actor.attempt(`delete ${path}`, () => client.delete(path)),
      ];
      return actor.pick(kinds)();
    });
    await Promise.all(burst);
    await actor.think();
    await actor.think();
  }
}

const ACCOUNTS = ['/t/a', '/t/b', '/t/c'];

/** All-or-nothing moves between accounts: their sum stays what it is, whoever looks. */
export async function transfers(actor: Actor): Promise<void> {
  const { client } = actor;
  while (!actor.isOver) {
    const from = actor.pick(ACCOUNTS);
    const to = actor.pick(ACCOUNTS.filter((path) => path !== from));
    await actor.attempt(`transfer ${from} ${to}`, async () => {
      const [source, target] = await Promise.all([client.getData(from), client.getData(to)]);
      const amount = 1 + Math.floor(actor.random.next() * 5);
      await client.multi([
        { type: 'check', path: '/t', version: 0 },
        { type: 'setData', path: from, data: String(valueOf(source) - amount), version: source.stat.version },
        { type: 'setData', path: to, data: String(valueOf(target) + amount), version: target.stat.version },
        { type: 'create', path: '/t/log-', data: actor.value(), mode: 'ephemeral-sequential' },
      ]);
    });
    await actor.think();
  }
}

/** The sum of the accounts, by the model. */
export function accountsAt(read: (path: string) => Uint8Array | null | undefined): number {
  return ACCOUNTS.reduce(
    (sum, path) => sum + Number(new TextDecoder().decode(read(path) ?? new Uint8Array())),
    0,
  );
}

function valueOf({ data }: { readonly data: Uint8Array | null }): number {
  return Number(new TextDecoder().decode(data ?? new Uint8Array()));
}

export const ACCOUNT_PATHS: readonly string[] = ['/t', ...ACCOUNTS];
export const ZNODE_PATHS: readonly string[] = ['/s', '/e', '/p'];
