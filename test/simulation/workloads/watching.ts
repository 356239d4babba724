import type { Actor } from '../actor.js';

const PATHS = ['/w/a', '/w/b', '/w/c'];

/** Everything that can be watched, in every way, while others and it itself change it; the tap checks what comes. */
export async function watching(actor: Actor): Promise<void> {
  const { client } = actor;
  const streams = new AbortController();
  if (actor.chance(0.5)) void follow(actor, '/w', actor.chance(0.5), streams.signal);
  while (!actor.isOver) {
    const path = actor.pick(PATHS);
    const watch = (): void => actor.world.note(actor.name, `watch at ${path} fired`);
    const act = actor.pick([
      () => actor.attempt(`exists ${path} watched`, () => client.exists(path, { watch })),
      () => actor.attempt(`getData ${path} watched`, () => client.getData(path, { watch })),
      () => actor.attempt(`getChildren /w watched`, () => client.getChildren('/w', { watch })),
      () => actor.attempt(`getChildren ${path} watched`, () => client.getChildren(path, { watch })),
      () => actor.attempt(`create ${path}`, () => client.create(path, actor.value())),
      () => actor.attempt(`setData ${path}`, () => client.setData(path, actor.value())),
      () => actor.attempt(`delete ${path}`, () => client.delete(path)),
      () => actor.attempt(`create ${path}/x`, () => client.create(`${path}/x`, null, { mode: 'ephemeral' })),
      () => actor.attempt(`delete ${path}/x`, () => client.delete(`${path}/x`)),
      () => watchAndTakeBack(actor, path),
      () =>
        actor.attempt('multi on /w', () =>
          client.multi(PATHS.map((each) => ({ type: 'setData', path: each, data: actor.value() }))),
        ),
    ]);
    await act();
    await actor.think();
  }
  streams.abort();
}

async function watchAndTakeBack(actor: Actor, path: string): Promise<void> {
  const watch = (): void => undefined;
  await actor.attempt(`exists ${path} watched, taken back`, async () => {
    await actor.client.exists(path, { watch });
    await actor.client.unwatch(path, watch);
  });
}

/** Takes what a persistent watch yields until it is stopped. */
async function follow(actor: Actor, path: string, recursive: boolean, signal: AbortSignal): Promise<void> {
  try {
    for await (const event of actor.client.watch(path, { recursive, signal }))
      actor.world.note(actor.name, `stream at ${path}: ${event.type} ${event.path}`);
  } catch (error) {
    if (!signal.aborted && actor.client.state !== 'closed') actor.world.referee.report(error);
  }
}

export const WATCHED_PATHS: readonly string[] = ['/w'];
