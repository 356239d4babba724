/** A file of tests as a user of `node:test` writes it. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { defineQueue, Queues, Worker, type Job } from 'quorate';
import { TestFleet } from 'quorate/testing';

const greetings = defineQueue<string>({ name: 'greetings' });

@Worker({ queue: greetings })
class Greeter {
  handle(job: Job<string>): string {
    return `hello, ${job.data}`;
  }
}

void describe('a greeter', { concurrency: true }, () => {
  void it('greets', async () => {
    await using fleet = await TestFleet.start();
    const app = await fleet.application({ declare: [Greeter] });
    const queue = app.get(Queues).of(greetings);
    assert.equal(await fleet.wait(queue.result(await queue.enqueue('world'))), 'hello, world');
  });

  void it('greets after its session has expired', async () => {
    await using fleet = await TestFleet.start({ members: 3 });
    const app = await fleet.application({ declare: [Greeter] });
    await app.expireSession();
    const queue = app.get(Queues).of(greetings);
    assert.equal(await fleet.wait(queue.result(await queue.enqueue('again'))), 'hello, again');
  });
});
