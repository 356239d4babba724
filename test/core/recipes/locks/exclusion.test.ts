import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { SeededRandom } from '../../../../core/runtime/index.js';
import { FairLock, LeaderLatch, TryLock, type Hold, type Lock } from '../../../../core/recipes/index.js';
import { RecipeWorld, type Participant } from '../recipe-world.js';
import { holdFor, trouble } from '../trouble.js';

/** What a holder writes to: refuses what is older than what it has seen. */
class Register {
  highest = 0n;
  holders = 0;
  grants = 0;

  async hold(world: RecipeWorld, hold: Hold, forMs: number): Promise<void> {
    await holdFor(world, hold, forMs, { enter: () => this.#enter(hold), leave: () => this.holders-- });
  }

  #enter(hold: Hold): void {
    assert.ok(hold.fence > this.highest, 'a fence did not grow');
    this.highest = hold.fence;
    this.grants++;
    assert.is(++this.holders, 1, 'two hold at a time');
  }
}

for (const [kind, makeLock] of [
  ['fair lock', (participant: Participant) => new FairLock(participant.client, 'door')],
  ['try-lock', (participant: Participant) => new TryLock(participant.client, 'door')],
] as readonly (readonly [string, (participant: Participant) => Lock])[]) {
  for (let seed = 1; seed <= 3; seed++) {
    test(`a ${kind} is never held twice, and its fences grow, while connections and sessions are lost (seed ${seed})`, async () => {
      await RecipeWorld.play(async (world) => {
        const random = new SeededRandom(seed);
        const register = new Register();
        const participants = [];
        for (let number = 0; number < 4; number++) participants.push(await world.join());
        const untilMs = world.clock.now() + 60_000;
        const contend = async (participant: Participant): Promise<void> => {
          const lock = makeLock(participant);
          while (world.clock.now() < untilMs)
            await register.hold(world, await lock.acquire(), random.next() * 800);
        };

        await Promise.all([...participants.map(contend), trouble(world, participants, random, untilMs)]);

        assert.ok(register.grants > 25, `only ${register.grants} grants`);
        const left = await participants[0]!.client.getEphemerals('/locks');
        assert.equal(left, []);
      });
    });
  }
}

for (let seed = 1; seed <= 3; seed++) {
  test(`at most one participant leads, with growing fences, while sessions are lost (seed ${seed})`, async () => {
    await RecipeWorld.play(async (world) => {
      const random = new SeededRandom(seed);
      const register = new Register();
      const participants = [];
      for (let number = 0; number < 3; number++) participants.push(await world.join());
      const latches = participants.map(({ client }) => new LeaderLatch(client, 'books').start());
      const reading = latches.map(async (latch) => {
        for await (const leadership of latch.leaderships())
          await register.hold(world, leadership, random.next() * 2000);
      });

      await trouble(world, participants, random, world.clock.now() + 60_000);
      await Promise.all(latches.map((latch) => latch.close()));
      await Promise.all(reading);

      assert.ok(register.grants > 10, `only ${register.grants} leaderships`);
    });
  });
}

test.run();
