import type { Actor } from '../actor.js';

const SYNCS_AT_ONCE = 60;
const READS_AT_ONCE = 20;
const LARGE_BYTES = 30_000;
const PATH = '/flood';

/** Many syncs at once, again and again: each asks the leader, and none of them is a reason to lose it. */
export async function syncs(actor: Actor): Promise<void> {
  const { client } = actor;
  while (!actor.isOver) {
    const count = Math.floor(actor.random.next() * SYNCS_AT_ONCE);
    await Promise.all(Array.from({ length: count }, () => actor.attempt('sync /', () => client.sync('/'))));
    await actor.think();
  }
}

/** Many reads with large replies at once, with small writes among them: the output is full most of the time. */
export async function replies(actor: Actor): Promise<void> {
  const { client } = actor;
  await actor.attempt(`setData ${PATH}`, () => client.setData(PATH, new Uint8Array(LARGE_BYTES)));
  while (!actor.isOver) {
    const count = Math.floor(actor.random.next() * READS_AT_ONCE);
    await Promise.all(
      Array.from({ length: count }, () =>
        actor.chance(0.8)
          ? actor.attempt(`getData ${PATH}`, () => client.getData(PATH))
          : actor.attempt(`create ${PATH}/n-`, () =>
              client.create(`${PATH}/n-`, actor.value(), { mode: 'ephemeral-sequential' }),
            ),
      ),
    );
    await actor.think();
    await actor.think();
  }
}

export const FLOOD_PATHS: readonly string[] = [PATH];
