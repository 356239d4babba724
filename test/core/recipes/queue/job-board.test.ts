import { test } from 'uvu';
import * as assert from 'uvu/assert';
import * as fc from 'fast-check';
import { JobBoard, type QueueListing } from '../../../../core/recipes/queue/job-board.js';
import { compareJobs, formatJobName, parseJobName } from '../../../../core/recipes/queue/job-name.js';
import { delayName, parseDelay, QueueLayout } from '../../../../core/recipes/queue/queue-layout.js';

const PLAIN = {
  enqueuedAt: 1_700_000_000_000,
  priority: 0,
  dueAt: 0,
  bytes: 0,
  isParent: false,
  group: null,
};
const name = (number: number, more: Partial<Parameters<typeof formatJobName>[0]> = {}): string =>
  formatJobName({ ...PLAIN, number, ...more }, '0123456789ab');
const consumer = (sequence: number): string => `_c_u-consumer-${String(sequence).padStart(10, '0')}`;
const sameTime = (wallMs: number): number => wallMs;

function board(listing: Partial<QueueListing>, now = 0): JobBoard {
  const made = new JobBoard();
  made.reconcile(
    { jobs: [], delays: [], consumers: [], slots: [], isPaused: false, ...listing },
    now,
    sameTime,
  );
  return made;
}

function taken(jobs: JobBoard, own: string | null, now = 0): string | number | null {
  const next = jobs.next(own, now);
  if (next === null) return null;
  return 'take' in next ? next.take.job : next.notBefore;
}

const LAYOUT = new QueueLayout('/queues/mail');

function note(
  jobs: JobBoard,
  path: string,
  change: 'created' | 'dataChanged' | 'deleted' = 'created',
  now = 0,
): void {
  jobs.note(LAYOUT.subjectOf(`/queues/mail/${path}`)!, change, now, sameTime);
}

test('the job of the highest priority is taken first, then the oldest', () => {
  const [old, young, urgent] = [name(1), name(2), name(3, { priority: 5 })];
  const jobs = board({ jobs: [young, urgent, old], consumers: [consumer(0)] });
  for (const expected of [urgent, old, young]) {
    assert.is(taken(jobs, consumer(0)), expected);
    jobs.reserve(expected);
  }
  assert.is(taken(jobs, consumer(0)), null);
  jobs.letGo(young, 500);
  assert.is(taken(jobs, consumer(0)), 500);
  assert.is(taken(jobs, consumer(0), 500), young);
});

test('jobs are dealt among the consumers; what is dealt to another is taken only after a while', () => {
  const consumers = [consumer(10), consumer(4), consumer(7)];
  const all = Array.from({ length: 60 }, (_, number) => name(number));
  const shares = consumers.map((own) => {
    const jobs = board({ jobs: all, consumers });
    const share: string[] = [];
    for (let next = taken(jobs, own); typeof next === 'string'; next = taken(jobs, own)) {
      share.push(next);
      jobs.reserve(next);
    }
    const later = taken(jobs, own);
    assert.ok(typeof later === 'number' && later > 0 && later <= 200);
    assert.type(taken(jobs, own, 200), 'string');
    return share;
  });
  assert.equal(shares.flat().toSorted(), all.toSorted());
  for (const share of shares) assert.ok(share.length > 5, `a share of ${share.length}`);
});

test('of what is dealt to another the youngest is taken first: it begins with the oldest', () => {
  const consumers = [consumer(0), consumer(1)];
  const all = Array.from({ length: 20 }, (_, number) => name(number));
  const [mine, others] = consumers.map((own) => {
    const jobs = board({ jobs: all, consumers });
    const take = (now: number): string[] => {
      const order: string[] = [];
      for (let next = taken(jobs, own, now); typeof next === 'string'; next = taken(jobs, own, now)) {
        order.push(next);
        jobs.reserve(next);
      }
      return order;
    };
    return { own: take(0), stolen: take(500) };
  });
  assert.ok(mine!.own.length > 1 && others!.own.length > 1);
  assert.equal(mine!.stolen, others!.own.toReversed());
  assert.equal(others!.stolen, mine!.own.toReversed());
});

test('a consumer that is not registered yet leaves the others time', () => {
  const jobs = board({ jobs: [name(0)] });
  assert.type(taken(jobs, null), 'number');
  assert.type(taken(jobs, null, 1000), 'string');
});

test('a delayed job waits for its time, be it that of its name or of its being put back', () => {
  const later = name(0, { dueAt: 5000 });
  const delay = { name: delayName(name(1), 6000), job: name(1), dueAt: 6000 };
  const jobs = board({ jobs: [later, name(1)], delays: [delay], consumers: [consumer(0)] });
  assert.is(taken(jobs, consumer(0)), 5000);
  assert.is(taken(jobs, consumer(0), 5000), later);
  jobs.reserve(later);
  assert.is(taken(jobs, consumer(0), 5000), 6000);
  assert.is(taken(jobs, consumer(0), 6000), name(1));
});

test('a job is claimed when it changes, free when it is put back, and in doubt when a consumer goes', () => {
  const jobs = board({ consumers: [consumer(0), consumer(1)] });
  note(jobs, `jobs/${name(0)}`);
  note(jobs, `jobs/${name(0)}`, 'dataChanged');
  assert.is(taken(jobs, consumer(0), 1000), null);
  note(jobs, `delays/${delayName(name(0), 2000)}`);
  assert.type(taken(jobs, consumer(0), 1000), 'number');
  assert.is(taken(jobs, consumer(0), 3000), name(0));
  note(jobs, `jobs/${name(0)}`, 'dataChanged');
  note(jobs, `delays/${delayName(name(0), 2000)}`, 'deleted');
  assert.is(taken(jobs, consumer(0), 4000), null);
  note(jobs, `consumers/${consumer(1)}`, 'deleted', 4000);
  assert.is(taken(jobs, consumer(0), 4000), name(0));
  note(jobs, `jobs/${name(0)}`, 'deleted');
  assert.is(jobs.size, 0);
});

test('what was seen of a claim counts only if no consumer has gone since', () => {
  const jobs = board({ jobs: [name(0)], consumers: [consumer(0), consumer(1)] });
  const next = jobs.next(consumer(0), 1000);
  if (next === null || !('take' in next)) throw new Error('there is a job');
  jobs.reserve(name(0));
  note(jobs, `consumers/${consumer(1)}`, 'deleted', 1000);
  jobs.learnClaimed(next.take);
  jobs.letGo(name(0));
  assert.is(taken(jobs, consumer(0), 1000), name(0));

  const again = jobs.next(consumer(0), 1000);
  if (again === null || !('take' in again)) throw new Error('there is a job');
  jobs.reserve(name(0));
  jobs.learnClaimed(again.take);
  jobs.letGo(name(0));
  assert.is(taken(jobs, consumer(0), 9000), null);
});

test('a parent is not tried before one of its children is over', () => {
  const parent = name(0, { isParent: true });
  const jobs = board({ consumers: [consumer(0)] });
  note(jobs, `jobs/${parent}`);
  note(jobs, `children/${parent}/${name(1)}`);
  assert.is(taken(jobs, consumer(0), 1000), null);
  note(jobs, `children/${parent}/${name(1)}`, 'deleted');
  assert.is(taken(jobs, consumer(0), 1000), parent);
});

test('nothing is given while the queue is paused, nor of a group whose rate is used up', () => {
  const [slow, quick] = [name(0, { group: 'a/b.c' }), name(1, { group: 'other' })];
  const jobs = board({ jobs: [slow, quick], consumers: [consumer(0)] });
  note(jobs, 'paused');
  assert.is(taken(jobs, consumer(0)), null);
  note(jobs, 'paused', 'deleted');
  jobs.pauseGroup('a/b.c', 700);
  assert.is(taken(jobs, consumer(0)), quick);
  jobs.reserve(quick);
  assert.is(taken(jobs, consumer(0)), 700);
  assert.is(taken(jobs, consumer(0), 700), slow);
});

test('whatever happens, what is given is what a plain look at all jobs would give', () => {
  const anything = fc.array(
    fc.tuple(fc.constantFrom('add', 'claim', 'back', 'remove', 'take', 'let go'), fc.nat(9), fc.nat(3)),
    { maxLength: 80 },
  );
  fc.assert(
    fc.property(anything, (steps) => {
      const jobs = board({ consumers: [consumer(0)] });
      const model = new Map<string, { free: boolean; reserved: boolean }>();
      const namesOf = new Map<number, string>();
      for (const [step, number, priority] of steps) {
        if (step === 'add' && !namesOf.has(number)) namesOf.set(number, name(number, { priority }));
        const job = namesOf.get(number);
        if (job === undefined) continue;
        const entry = model.get(job);
        if (step === 'add' && entry === undefined) {
          model.set(job, { free: true, reserved: false });
          note(jobs, `jobs/${job}`);
        } else if (entry === undefined) continue;
        else if (step === 'claim') {
          model.set(job, { ...entry, free: false });
          note(jobs, `jobs/${job}`, 'dataChanged');
          note(jobs, `delays/${delayName(job, 0)}`, 'deleted');
        } else if (step === 'back') {
          model.set(job, { ...entry, free: true });
          note(jobs, `delays/${delayName(job, 0)}`);
        } else if (step === 'remove') {
          model.delete(job);
          note(jobs, `jobs/${job}`, 'deleted');
        } else if (step === 'take') {
          model.set(job, { ...entry, reserved: true });
          jobs.reserve(job);
        } else if (step === 'let go') {
          model.set(job, { ...entry, reserved: false });
          jobs.letGo(job);
        }
        const [expected = null] = [...model]
          .filter(([, { free, reserved }]) => free && !reserved)
          .map(([each]) => each)
          .sort((a, b) => compareJobs(parseJobName(a)!, parseJobName(b)!));
        assert.is(taken(jobs, consumer(0), 1), expected);
      }
    }),
    { numRuns: 300 },
  );
});

test('the name of a job says what it was enqueued with', () => {
  const facts = fc.record(
    {
      enqueuedAt: fc.integer({ min: 0, max: 9_999_999_999_999 }),
      number: fc.nat(),
      priority: fc.integer({ min: -999, max: 999 }),
      dueAt: fc.integer({ min: 0, max: 9_999_999_999_999 }),
      bytes: fc.nat(),
      isParent: fc.boolean(),
      group: fc.option(fc.string({ minLength: 1, unit: 'grapheme' }), { nil: null }),
    },
    { noNullPrototype: true },
  );
  fc.assert(
    fc.property(facts, (each) => assert.equal(parseJobName(formatJobName(each, 'abcdef012345')), each)),
  );
});

test('a job made by hand is known by the number of its znode, with its sign', () => {
  assert.is(parseJobName('job-0000000003')?.number, 3);
  assert.is(parseJobName('job--000000003')?.number, -3);
  assert.is(parseJobName('job--2147483648')?.number, -2147483648);
  for (const other of ['job-', 'job-x', 'jobs-0000000003', 'job-000000003', 'job-1700000000000-xyz-1'])
    assert.is(parseJobName(other), null, other);
});

test('paths below a queue are told apart', () => {
  const delay = delayName(name(7), 1_700_000_000_000);
  const typeOf = (path: string): string | undefined => LAYOUT.subjectOf(path)?.type;
  assert.is(typeOf(`/queues/mail/jobs/${name(7)}`), 'job');
  assert.is(typeOf(`/queues/mail/results/${name(7)}`), 'result');
  assert.is(typeOf('/queues/mail/paused'), 'paused');
  assert.equal(LAYOUT.subjectOf(`/queues/mail/delays/${delay}`), {
    type: 'delay',
    name: delay,
    job: name(7),
    dueAt: 1_700_000_000_000,
  });
  assert.equal(LAYOUT.subjectOf(`/queues/mail/children/${name(7)}/${name(8)}`), {
    type: 'child',
    parent: name(7),
  });
  for (const path of [
    '/queues/mail',
    '/queues/mail/jobs',
    '/queues/mail/jobs/other',
    '/queues/mailer/jobs/x',
  ])
    assert.is(LAYOUT.subjectOf(path), null, path);
  assert.is(parseDelay('12-job-x'), null);
});

test.run();
