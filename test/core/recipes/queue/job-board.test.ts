import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { JobBoard, type QueueListing } from '../../../../core/recipes/queue/job-board.js';
import {
  delayName,
  jobSequence,
  parseDelay,
  QueueLayout,
} from '../../../../core/recipes/queue/queue-layout.js';

const name = (sequence: number): string =>
  `job-00000000-0000-4000-8000-000000000000-${String(sequence).padStart(10, '0')}`;
const consumer = (sequence: number): string => `_c_u-consumer-${String(sequence).padStart(10, '0')}`;
const sameTime = (wallMs: number): number => wallMs;

function board(listing: Partial<QueueListing>, now = 0): JobBoard {
  const made = new JobBoard();
  made.reconcile({ jobs: [], claims: [], delays: [], consumers: [], ...listing }, now, sameTime);
  return made;
}

test('the oldest free job is taken first', () => {
  const jobs = board({ jobs: [name(3), name(1), name(2)], claims: [name(1)], consumers: [consumer(0)] });
  assert.equal(jobs.next(consumer(0), 0), { take: { job: name(2), delay: null } });
  jobs.reserve(name(2));
  assert.equal(jobs.next(consumer(0), 0), { take: { job: name(3), delay: null } });
  jobs.reserve(name(3));
  assert.is(jobs.next(consumer(0), 0), null);
  jobs.letGo(name(2), 500);
  assert.equal(jobs.next(consumer(0), 0), { notBefore: 500 });
  assert.equal(jobs.next(consumer(0), 500), { take: { job: name(2), delay: null } });
});

test('jobs are dealt among the consumers; what is dealt to another is taken only after a while', () => {
  const consumers = [consumer(10), consumer(4), consumer(7)];
  const jobs = board({ jobs: [name(0), name(1), name(2)], consumers });
  const first = consumers.map((own) => jobs.next(own, 0));
  assert.equal(
    first.map((next) => (next !== null && 'take' in next ? next.take.job : null)),
    [name(2), name(0), name(1)],
  );
  jobs.reserve(name(0));
  const next = jobs.next(consumer(4), 0);
  assert.ok(next !== null && 'notBefore' in next && next.notBefore > 0 && next.notBefore <= 200);
  assert.ok('take' in jobs.next(consumer(4), 200)!);
});

test('a consumer that is not registered yet leaves the others time', () => {
  const jobs = board({ jobs: [name(0)] });
  assert.ok('notBefore' in jobs.next(null, 0)!);
  assert.ok('take' in jobs.next(null, 1000)!);
});

test('a delayed job waits for its time, and its delay goes with the claim', () => {
  const delay = { name: delayName(name(0), 5000), job: name(0), dueAt: 5000 };
  const jobs = board({ jobs: [name(0)], delays: [delay], consumers: [consumer(0)] });
  assert.equal(jobs.next(consumer(0), 0), { notBefore: 5000 });
  assert.equal(jobs.next(consumer(0), 5000), { take: { job: name(0), delay: delay.name } });
});

test('events change what is known as a new reading would', () => {
  const jobs = board({ consumers: [consumer(0)] });
  const note = (type: 'job' | 'claim' | 'consumer', subject: string, change: 'created' | 'deleted'): void =>
    jobs.note({ type, name: subject }, change, 0, sameTime);
  note('job', name(0), 'created');
  note('claim', name(0), 'created');
  assert.is(jobs.next(consumer(0), 0), null);
  const delay = { name: delayName(name(0), 300), job: name(0), dueAt: 300 };
  jobs.note({ type: 'delay', ...delay }, 'created', 0, sameTime);
  note('claim', name(0), 'deleted');
  assert.equal(jobs.next(consumer(0), 0), { notBefore: 300 });
  jobs.note({ type: 'delay', ...delay }, 'deleted', 0, sameTime);
  assert.equal(jobs.next(consumer(0), 0), { take: { job: name(0), delay: null } });
  note('consumer', consumer(1), 'created');
  note('job', name(1), 'created');
  assert.equal(jobs.next(consumer(1), 0), { take: { job: name(1), delay: null } });
  note('job', name(0), 'deleted');
  note('job', name(1), 'deleted');
  assert.is(jobs.size, 0);
});

test('the number of a job is read with its sign, and the sign is not taken for a dash', () => {
  assert.is(jobSequence(name(3)), 3);
  assert.is(jobSequence('job-00000000-0000-4000-8000-000000000000--2147483648'), -2147483648);
  assert.is(jobSequence('job-0000000003'), 3);
  assert.is(jobSequence('job--000000003'), -3);
  for (const other of ['job-', 'job-x', 'jobs-0000000003', 'job-000000003'])
    assert.is(jobSequence(other), null, other);
});

test('paths below a queue are told apart', () => {
  const layout = new QueueLayout('/queues/mail');
  const delay = delayName(name(7), 1_700_000_000_000);
  assert.equal(layout.subjectOf(`/queues/mail/jobs/${name(7)}`), { type: 'job', name: name(7) });
  assert.equal(layout.subjectOf(`/queues/mail/claims/${name(7)}`), { type: 'claim', name: name(7) });
  assert.equal(layout.subjectOf(`/queues/mail/delays/${delay}`), {
    type: 'delay',
    name: delay,
    job: name(7),
    dueAt: 1_700_000_000_000,
  });
  for (const path of [
    '/queues/mail',
    '/queues/mail/jobs',
    '/queues/mail/jobs/other',
    '/queues/mailer/jobs/x',
  ])
    assert.is(layout.subjectOf(path), null, path);
  assert.is(layout.subjectOf(`/queues/mail/results/${name(7)}`), null);
  assert.is(parseDelay('12-job-x'), null);
});

test.run();
