import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Delivered } from './ghost.js';
import { JobLedger } from './job-ledger.js';
import type { TreeModel } from './tree-model.js';

test('a job that is done again with a higher fence is counted, and is not left', () => {
  const jobs = new JobLedger();
  jobs.tried('a');
  jobs.acknowledged('a');
  jobs.begun('a', 5n);
  assert.equal(jobs.left, ['a']);
  jobs.done('a');
  jobs.begun('a', 6n);
  jobs.done('a');
  assert.equal(jobs.left, []);
  assert.is(jobs.repeated, 1);
});

test('a job of unknown outcome may be done, and need not be', () => {
  const jobs = new JobLedger();
  jobs.tried('a');
  assert.equal(jobs.left, []);
  jobs.begun('a', 1n);
});

test('a job that nobody enqueued is found', () => {
  assert.throws(() => new JobLedger().begun('a', 1n), /nobody enqueued/);
});

test('two workers with one fence, and one behind another, are found', () => {
  const jobs = new JobLedger();
  jobs.tried('a');
  jobs.begun('a', 5n);
  assert.throws(() => jobs.begun('a', 5n), /behind 5/);
  assert.throws(() => jobs.begun('a', 4n), /behind 5/);
});

/** The znodes of a queue as they were at zxid 1, with a claim of session 5. */
const claimed = {
  before: (path: string) => (path === '/q/claims/a' ? { owner: 5n } : null),
} as unknown as TreeModel;
const settled = (sessionId: bigint, path: string): Delivered =>
  ({
    zxid: 2n,
    txn: {
      sessionId,
      outcome: { type: 'multi', parts: [{ outcome: { type: 'delete', path } }] },
    },
  }) as unknown as Delivered;

test('a claim that is removed by another session than its own is found', () => {
  const jobs = new JobLedger();
  jobs.delivered(settled(5n, '/q/claims/a'), claimed);
  jobs.delivered(settled(6n, '/q/jobs/a'), claimed);
  assert.throws(() => jobs.delivered(settled(6n, '/q/claims/a'), claimed), /removes the claim/);
});

test('a completion by a worker that had lost the job is found', () => {
  const jobs = new JobLedger();
  jobs.tried('a');
  jobs.acknowledged('a');
  jobs.begun('a', 5n);
  jobs.completed('a', 5n);
  jobs.begun('a', 6n);
  assert.throws(() => jobs.completed('a', 5n), /after 6 had begun/);
});

test.run();
