/** What one member has answered, another may hear of later: recipes whose answer would then be wrong ask again after a sync. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Client } from '../../../core/client/index.js';
import { Barrier, Counter, FairLock, RunLedger, WorkQueue } from '../../../core/recipes/index.js';
import { Cluster } from '../../../core/testing/index.js';

const LAG_MS = 500;

/** Plays with a client of the leader, and one of a follower that hears everything late. */
function withLag(scenario: (ahead: Client, behind: Client) => Promise<void>): Promise<void> {
  return Cluster.play(async (cluster) => {
    const leader = cluster.leader!;
    const follower = cluster.members.find((member) => member !== leader)!;
    const [ahead, behind] = [leader, follower].map(({ id }) => cluster.client({ members: [id] }).client);
    await Promise.all([ahead!.connected(), behind!.connected()]);
    cluster.network.setLineQuality(leader.name, follower.name, { latencyMs: LAG_MS, jitterMs: 0 });
    await scenario(ahead!, behind!);
  });
}

test('the result of a job is waited for where nobody has heard of the job yet', async () => {
  await withLag(async (ahead, behind) => {
    const queue = new WorkQueue<number>(ahead, 'sums');
    const consumer = queue.consume(({ data }) => data + 1);

    const id = await queue.enqueue(1);
    assert.is(await new WorkQueue<number>(behind, 'sums').result(id), 2);

    await consumer.drain();
  });
});

test('how a job is, is told where nobody has heard of the job yet', async () => {
  await withLag(async (ahead, behind) => {
    const id = await new WorkQueue<string>(ahead, 'letters').enqueue('x');
    const other = new WorkQueue<string>(behind, 'letters');

    assert.is((await other.status(id))?.state, 'waiting');
    assert.is(await other.status(`${id}x`), null);
  });
});

test('a job is cancelled from where nobody has heard of the job yet', async () => {
  await withLag(async (ahead, behind) => {
    const queue = new WorkQueue<string>(ahead, 'letters');
    const id = await queue.enqueue('x');
    const other = new WorkQueue<string>(behind, 'letters');

    assert.is(await other.cancel(id), true);
    assert.is((await queue.status(id))?.state, 'cancelled');
    assert.is(await other.cancel(id), false);
  });
});

test('a dead letter is read, revived and removed from where nobody has heard of it yet', async () => {
  await withLag(async (ahead, behind) => {
    const queue = new WorkQueue<string>(ahead, 'letters');
    const other = new WorkQueue<string>(behind, 'letters');
    const died = async (data: string): Promise<string> => {
      const consumer = queue.consume((job) => job.fail(new Error('torn'), { retry: false }));
      const id = await queue.enqueue(data);
      while ((await queue.deadLetter(id)) === null) await ahead.sync('/');
      await consumer.drain();
      return id;
    };

    assert.is((await other.deadLetter(await died('read')))?.data, 'read');
    const revived = await other.revive(await died('revived'));
    assert.is((await queue.status(revived))?.state, 'waiting');
    await queue.cancel(revived);
    const removed = await died('removed');
    await other.removeDeadLetter(removed);
    assert.is(await queue.deadLetter(removed), null);
  });
});

test('a counter is not refused to whoever expects what another has just made of it', async () => {
  await withLag(async (ahead, behind) => {
    const counter = new Counter(behind, 'visits');
    assert.is(await new Counter(ahead, 'visits').add(5n), 5n);

    assert.is(await counter.compareAndSet(5n, 6n), true);
    assert.is(await counter.compareAndSet(5n, 7n), false);
    assert.is(await counter.get(), 6n);
  });
});

test('a barrier is not passed by who has not heard that it was closed', async () => {
  await withLag(async (ahead, behind) => {
    const gate = new Barrier(ahead, 'gate');
    await gate.close();
    let hasPassed = false;
    const passing = new Barrier(behind, 'gate').passed().then(() => (hasPassed = true));

    // It asks first, and is answered with what its member knows, before that hears of more.
    await behind.exists('/');
    await behind.sync('/');
    assert.is(hasPassed, false);

    await gate.open();
    await passing;
  });
});

test('what a predecessor tells of the end of its run is not overwritten by who takes the run for lost', async () => {
  await withLag(async (ahead, behind) => {
    const first = await new FairLock(ahead, 'books').acquire();
    const ledger = new RunLedger(ahead, 'books');
    const run = await ledger.claim(first, { kind: 'scheduled', scheduledAt: 1000 }, 'one');
    await first.release();
    const second = await new FairLock(behind, 'books').acquire();

    await ledger.finish(run!, { outcome: 'done', durationMs: 1 }, new AbortController().signal);
    await new RunLedger(behind, 'books').settle(second);

    await ahead.sync('/');
    assert.equal(
      (await ledger.history()).map(({ outcome }) => outcome),
      ['done'],
    );
  });
});

test.run();
