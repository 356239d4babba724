import { RequestTooLargeError } from '../../../core/client/index.js';
import type { Actor } from '../actor.js';
import { check } from '../checkers/referee.js';

const PATHS = ['/l/a', '/l/b'];
/** A request may take so much, as in ZooKeeper; the path and the header count too. */
const MAX_REQUEST_BYTES = 1_048_575;
const SIZES = [10_000, 200_000, 1_000_000, MAX_REQUEST_BYTES - 200, MAX_REQUEST_BYTES];
/** Whole runs are kept in memory, on every disk of theirs. */
const MOST_WRITES = 3;

/** Znodes as large as they may be, in the midst of everything else. */
export async function large(actor: Actor): Promise<void> {
  const { client, world } = actor;
  for (let writes = 0; writes < MOST_WRITES && !actor.isOver;) {
    const path = actor.pick(PATHS);
    if (actor.chance(0.5)) {
      await actor.attempt(`getData ${path}`, () => client.getData(path));
    } else {
      writes += 1;
      const size = actor.pick(SIZES);
      const data = Buffer.alloc(size, `${actor.value()} `);
      const isTooLarge = size === MAX_REQUEST_BYTES;
      const isAsItMustBe = (isRefused: boolean): void =>
        world.referee.watch(() => check(!isRefused || isTooLarge, () => `${size} bytes are refused`));
      const isTaken = (): void =>
        world.referee.watch(() => check(!isTooLarge, () => `${size} bytes are taken`));
      await actor.attempt(`setData ${path} of ${size} bytes`, () =>
        client.setData(path, data).then(isTaken, (error: unknown) => {
          isAsItMustBe(error instanceof RequestTooLargeError);
          throw error;
        }),
      );
    }
    for (let pauses = 0; pauses < 4; pauses++) await actor.think();
  }
}

export const LARGE_PATHS: readonly string[] = ['/l', ...PATHS];
