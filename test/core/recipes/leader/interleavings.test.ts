/** Every short sequence of what can happen to two candidates, one after the other: there are never two leaders. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { LeaderLatch, type Hold } from '../../../../core/recipes/index.js';
import { RecipeWorld, SESSION_TIMEOUT_MS, type Participant } from '../recipe-world.js';

type Act = (world: RecipeWorld, one: Participant, other: Participant) => Promise<void> | void;

const ACTS: Readonly<Record<string, Act>> = {
  'the first is cut off': (_world, one) => one.line.cutOff(),
  'nothing gets through from or to the first': (_world, one) => one.line.pause(),
  'the first is back': (_world, one) => one.line.rejoin(),
  'the second loses its connection': (_world, _one, other) => other.line.loseConnection(),
  'half a session timeout passes': (world) => world.sleep(SESSION_TIMEOUT_MS / 2),
  'a session timeout and a half passes': (world) => world.sleep(1.5 * SESSION_TIMEOUT_MS),
  'the member restarts': async (world) => {
    world.ensemble.crashMember();
    await world.ensemble.restartMember();
  },
};
const LENGTH = 3;

function* sequences(length: number): Iterable<readonly string[]> {
  if (length === 0) yield [];
  else for (const rest of sequences(length - 1)) for (const act of Object.keys(ACTS)) yield [...rest, act];
}

/** Who leads, by its own signal, from when to when, in virtual time. */
class Terms {
  #leaders = 0;
  #highest = 0n;
  count = 0;

  follow(latch: LeaderLatch): Promise<void> {
    return (async () => {
      for await (const hold of latch.leaderships()) this.#begin(hold);
    })();
  }

  #begin(hold: Hold): void {
    if (hold.signal.aborted) return;
    this.count++;
    assert.is(++this.#leaders, 1, 'two lead');
    assert.ok(hold.fence > this.#highest, 'a fence did not grow');
    this.#highest = hold.fence;
    hold.signal.addEventListener('abort', () => this.#leaders--);
  }
}

async function play(acts: readonly string[]): Promise<number> {
  const terms = new Terms();
  await RecipeWorld.play(async (world) => {
    const [one, other] = [await world.join(), await world.join()];
    const latches = [one, other].map(({ client }) => new LeaderLatch(client, 'books'));
    const following = latches.map((latch) => terms.follow(latch));
    latches[0]!.start();
    await world.until(() => latches[0]!.leadership !== null);
    latches[1]!.start();
    await world.sleep(100);
    for (const act of acts) {
      await ACTS[act]!(world, one, other);
      await world.sleep(10);
    }
    one.line.rejoin();
    // Whatever happened, somebody leads in the end, and only one.
    await world.until(() => latches.some(({ leadership }) => leadership !== null));
    await Promise.all(latches.map((latch) => latch.close()));
    await Promise.all(following);
  });
  return terms.count;
}

test('over every interleaving of suspension, loss, return and restart there is one leader at a time, and one in the end', async () => {
  let played = 0;
  let changes = 0;
  for (const acts of sequences(LENGTH)) {
    try {
      changes += (await play(acts)) - 1;
    } catch (error) {
      throw new Error(`when ${acts.join(', then ')}: ${String(error)}`, { cause: error });
    }
    played++;
  }
  assert.is(played, Object.keys(ACTS).length ** LENGTH);
  assert.ok(changes > 30, `the leader changed ${changes} times only`);
});

test.run();
