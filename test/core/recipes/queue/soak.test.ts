import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { SeededRandom } from '../../../../core/runtime/index.js';
import { WorkQueue, type Job } from '../../../../core/recipes/index.js';
import { RecipeWorld, SESSION_TIMEOUT_MS, type Participant } from '../recipe-world.js';

const JOBS = 80;

for (let seed = 1; seed <= 4; seed++) {
  test(`no job is lost, and none is completed twice, while connections, sessions and the member are lost (seed ${seed})`, async () => {
    await RecipeWorld.play(async (world) => {
      const random = new SeededRandom(seed);
      const inHands = new Map<string, number>();
      const fences = new Map<string, bigint>();
      const completed: string[] = [];
      const handle = async (job: Job<number>): Promise<void> => {
        const { id, fence, signal } = job;
        assert.ok(fence > (fences.get(id) ?? 0n), `the fence of ${id} did not grow`);
        fences.set(id, fence);
        inHands.set(id, (inHands.get(id) ?? 0) + 1);
        assert.is(inHands.get(id), 1, `${id} is in two hands`);
        let isIn = true;
        const leave = (): void => {
          if (isIn) inHands.set(id, inHands.get(id)! - 1);
          isIn = false;
        };
        signal.addEventListener('abort', leave);
        await world.sleep(random.next() * 1500);
        if (random.next() < 0.2) {
          leave();
          throw new Error('not this time');
        }
        await job.complete().then(
          () => completed.push(id),
          () => undefined,
        );
        leave();
      };
      const workers: Participant[] = [];
      for (let number = 0; number < 4; number++) {
        const worker = await world.join();
        const queue = new WorkQueue<number>(worker.client, 'mail');
        queue.consume(handle, { concurrency: 3, retries: 1000, backoffMs: () => random.next() * 2000 });
        workers.push(worker);
      }
      const producer = await world.join();
      const queue = new WorkQueue<number>(producer.client, 'mail');
      const enqueued = new Set<string>();
      const over = new AbortController();
      const produce = async (): Promise<void> => {
        for (let number = 0; number < JOBS; number++) {
          enqueued.add(await queue.enqueue(number));
          await world.sleep(random.next() * 500);
        }
      };
      const trouble = async (): Promise<void> => {
        while (!over.signal.aborted) {
          await world.sleep(random.next() * 3000);
          const { line } = [...workers, producer][Math.floor(random.next() * 5)]!;
          const chance = random.next();
          if (chance < 0.6) line.loseConnection();
          else if (chance < 0.9 && line !== producer.line) {
            line.cutOff();
            await world.sleep(random.next() * 2 * SESSION_TIMEOUT_MS);
            line.rejoin();
          } else if (chance >= 0.9) {
            world.ensemble.crashMember('random');
            await world.ensemble.restartMember();
          }
        }
      };

      const troubled = trouble();
      await produce();
      await world.until(async () => (await queue.counts()).jobs === 0, 500_000);
      over.abort();
      await troubled;

      assert.is(enqueued.size, JOBS);
      assert.is(new Set(completed).size, completed.length, 'a job was completed twice');
      for (const id of completed) assert.ok(enqueued.has(id));
      assert.equal(await queue.deadLetters(), []);
      assert.equal((await producer.client.getChildren('/queues/mail/delays')).children, []);
    });
  });
}

test.run();
