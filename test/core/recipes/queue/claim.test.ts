import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ClaimLostError, WorkQueue } from '../../../../core/recipes/index.js';
import { Claim, claimJob, type ClaimOutcome } from '../../../../core/recipes/queue/claim.js';
import { parseJobName } from '../../../../core/recipes/queue/job-name.js';
import { decodeRecord } from '../../../../core/recipes/queue/job-record.js';
import { QueueLayout } from '../../../../core/recipes/queue/queue-layout.js';
import { TransactionBatch } from '../../../../core/recipes/queue/transaction-batch.js';
import { RecipeWorld, type Participant } from '../recipe-world.js';

const LAYOUT = new QueueLayout('/queues/mail');
const never = new AbortController().signal;

/** Each participant is a consumer of its own name, whose znode goes with its session. */
async function tryToClaim({ client }: Participant, job: string): Promise<ClaimOutcome> {
  const { session } = client;
  const consumer = `consumer-of-${session.id}`;
  const path = `${LAYOUT.consumers}/${consumer}`;
  if ((await client.exists(path)) === null) await client.create(path, null, { mode: 'ephemeral' });
  const candidate = { job, facts: parseJobName(job)!, departures: 0, childrenOver: 0 };
  const desk = { client, layout: LAYOUT, transactions: new TransactionBatch(client) };
  return claimJob(desk, { candidate, consumer, session, signal: never });
}

/** As by a hand that frees a job whose worker lives. */
async function free({ client }: Participant, worker: Participant): Promise<void> {
  await client.delete(`${LAYOUT.consumers}/consumer-of-${worker.client.session.id}`);
}

async function claim(participant: Participant, job: string): Promise<Claim> {
  const outcome = await tryToClaim(participant, job);
  if (!(outcome instanceof Claim)) throw new Error(`not claimed: ${outcome}`);
  return outcome;
}

/** The four ways in which a claim ends, and what of the job is left then. */
const ENDS = [
  ['complete', (held: Claim) => held.complete(null), { jobs: 0, delayed: 0, dead: 0 }],
  ['retry', (held: Claim) => held.retry(1_700_000_000_000), { jobs: 1, delayed: 1, dead: 0 }],
  ['bury', (held: Claim) => held.bury('broken', 5), { jobs: 0, delayed: 0, dead: 1 }],
  ['giveBack', (held: Claim) => held.giveBack(), { jobs: 1, delayed: 1, dead: 0 }],
] as const;

for (const [name, end, left] of ENDS) {
  test(`${name} ends a claim once, also when its reply is lost`, async () => {
    for (const loses of ['nothing', 'request', 'reply'] as const) {
      await RecipeWorld.play(async (world) => {
        const worker = await world.join();
        const queue = new WorkQueue(worker.client, 'mail');
        const held = await claim(worker, await queue.enqueue('x'));
        if (loses === 'request') void worker.line.loseNextRequest({ op: 'multi' });
        if (loses === 'reply') void worker.line.loseNextReply({ op: 'multi' });

        await end(held);

        assert.equal(await queue.counts(), { ...left, consumers: 1, isPaused: false });
      });
    }
  });

  test(`${name} by a worker that lost its claim to another changes nothing`, async () => {
    for (const loses of ['nothing', 'reply'] as const) {
      await RecipeWorld.play(async (world) => {
        const [late, other] = [await world.join(), await world.join()];
        const queue = new WorkQueue(other.client, 'mail');
        const job = await queue.enqueue('x');
        const lost = await claim(late, job);
        await free(other, late);
        const held = await claim(other, job);
        assert.ok(held.fence > lost.fence);
        if (loses === 'reply') void late.line.loseNextReply({ op: 'multi' });

        const failure = await end(lost).catch((error: unknown) => error);

        // After a lost reply, being put back and having been taken away cannot be told apart, nor need they be.
        if (loses === 'nothing' || left.jobs === 0) assert.instance(failure, ClaimLostError);
        assert.not.ok(await lost.isHeld());
        assert.ok(await held.isHeld());
        assert.equal(await queue.counts(), {
          jobs: 1,
          delayed: 0,
          dead: 0,
          consumers: 1,
          isPaused: false,
        });
        await held.complete(null);
        assert.is((await queue.counts()).jobs, 0);
      });
    }
  });

  test(`${name} after the session is over is refused`, async () => {
    await RecipeWorld.play(async (world) => {
      const worker = await world.join();
      const queue = new WorkQueue((await world.join()).client, 'mail');
      const held = await claim(worker, await queue.enqueue('x'));

      await world.expire(worker);
      const failure = await end(held).catch((error: unknown) => error);

      assert.instance(failure, ClaimLostError);
      assert.equal(await queue.counts(), {
        jobs: 1,
        delayed: 0,
        dead: 0,
        consumers: 0,
        isPaused: false,
      });
    });
  });
}

test('of several who try one gets the claim; every claim counts as an attempt', async () => {
  await RecipeWorld.play(async (world) => {
    const participants = [await world.join(), await world.join(), await world.join()];
    const queue = new WorkQueue(participants[0]!.client, 'mail');
    const job = await queue.enqueue('x');

    const outcomes = await Promise.all(participants.map((participant) => tryToClaim(participant, job)));

    assert.is(outcomes.filter((outcome) => outcome instanceof Claim).length, 1);
    assert.is(outcomes.filter((outcome) => outcome === 'taken' || outcome === 'held').length, 2);
    const { data } = await participants[0]!.client.getData(`${LAYOUT.jobs}/${job}`);
    assert.is(decodeRecord(data, 0).header.attempts, 1);
    assert.is(await tryToClaim(participants[0]!, 'job-0000000099'), 'gone');
  });
});

test('a claim whose reply is lost is found, and counts one attempt; another one is not taken for it', async () => {
  await RecipeWorld.play(async (world) => {
    const [worker, other] = [await world.join(), await world.join()];
    const queue = new WorkQueue(other.client, 'mail');
    const [first, second] = [await queue.enqueue('x'), await queue.enqueue('y')];

    const lostReply = worker.line.loseNextReply({ op: 'multi' });
    const held = await claim(worker, first);
    await lostReply;
    assert.is(held.record.header.attempts, 1);
    await held.complete(null);

    const lostRequest = worker.line.loseNextRequest({ op: 'multi' });
    const trying = tryToClaim(worker, second);
    await lostRequest;
    const winner = await claim(other, second);
    assert.is(await trying, 'held');
    await winner.complete(null);
  });
});

test.run();
