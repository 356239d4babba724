import type { SeededRandom } from '../../../core/runtime/index.js';
import type { Hold } from '../../../core/recipes/index.js';
import { SESSION_TIMEOUT_MS, type Participant, type RecipeWorld } from './recipe-world.js';

/** Until `untilMs` lines break, now and then for longer than a session lives, and the member crashes. */
export async function trouble(
  world: RecipeWorld,
  participants: readonly Participant[],
  random: SeededRandom,
  untilMs: number,
): Promise<void> {
  while (world.clock.now() < untilMs) {
    await world.sleep(random.next() * 3000);
    const { line } = participants[Math.floor(random.next() * participants.length)]!;
    const chance = random.next();
    if (chance < 0.5) line.loseConnection();
    else if (chance > 0.9) {
      world.ensemble.crashMember();
      await world.ensemble.restartMember();
    } else {
      line.cutOff();
      await world.sleep(random.next() * 2 * SESSION_TIMEOUT_MS);
      line.rejoin();
    }
  }
}

/** Is inside while it is held, for `forMs`; out at once when the signal says so. Then gives it back. */
export async function holdFor(
  world: RecipeWorld,
  hold: Hold,
  forMs: number,
  guard: { enter(): void; leave(): void },
): Promise<void> {
  if (hold.signal.aborted) return;
  guard.enter();
  let isInside = true;
  const leave = (): void => {
    if (isInside) guard.leave();
    isInside = false;
  };
  hold.signal.addEventListener('abort', leave);
  await world.sleep(forMs);
  leave();
  await hold.release();
}
