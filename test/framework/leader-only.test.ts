import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  LeaderJobs,
  LeaderOnly,
  type Constructor,
  type LeaderContext,
  type MissedRuns,
  type OverlappingRuns,
} from '../../framework/index.js';
import { onFleet, SESSION_TIMEOUT_MS, type Fleet, type Machine } from './fleet.js';

const aborted = (signal: AbortSignal): Promise<unknown> =>
  signal.aborted ? Promise.resolve() : new Promise((resolve) => signal.addEventListener('abort', resolve));

/** A job that notes who leads from when to when, on virtual time. */
function stayingJob(now: () => number): { readonly terms: Term[]; readonly declare: Constructor[] } {
  const terms: Term[] = [];
  @LeaderOnly({ name: 'job' })
  class Job {
    async run({ signal, fence }: LeaderContext): Promise<void> {
      const term: Term = { fence, from: now(), to: Infinity };
      terms.push(term);
      await aborted(signal);
      term.to = now();
    }
  }
  return { terms, declare: [Job] };
}

interface Term {
  readonly fence: bigint;
  readonly from: number;
  to: number;
}

const leads = (machine: Machine): boolean =>
  machine.eventsOf('leader-acquired').length > machine.eventsOf('leader-lost').length;

test(
  'one process leads; when it stops, another does, with a higher fence',
  onFleet(async (fleet) => {
    const { terms, declare } = stayingJob(() => fleet.clock.now());
    const machines = [
      await fleet.run({ declare }),
      await fleet.run({ declare }),
      await fleet.run({ declare }),
    ];
    await fleet.until(() => machines.some(leads));
    await fleet.time.advance(60_000);
    assert.is(terms.length, 1);
    assert.is(machines.filter(leads).length, 1);

    await fleet.wait(machines.find(leads)!.application.stop());
    await fleet.until(() => terms.length === 2);
    assert.ok(terms[1]!.fence > terms[0]!.fence);
    assert.ok(terms[0]!.to <= terms[1]!.from);
  }),
);

test(
  'a leader that is cut off is told before another leads, and stands again when it is back',
  onFleet(async (fleet) => {
    const { terms, declare } = stayingJob(() => fleet.clock.now());
    const first = await fleet.run({ declare });
    await fleet.until(() => leads(first));
    const second = await fleet.run({ declare });

    first.cut();
    await fleet.until(() => leads(second));
    assert.is(leads(first), false);
    assert.ok(terms[0]!.to < terms[1]!.from, `${terms[0]!.to} is before ${terms[1]!.from}`);

    first.heal();
    await fleet.time.advance(2 * SESSION_TIMEOUT_MS);
    await fleet.wait(second.application.stop());
    await fleet.until(() => leads(first));
    assert.is(terms.length, 3);
  }),
);

test(
  'a short interruption costs nobody the leadership',
  onFleet(async (fleet) => {
    const { terms, declare } = stayingJob(() => fleet.clock.now());
    const machine = await fleet.run({ declare });
    await fleet.until(() => leads(machine));
    machine.cut();
    await fleet.time.advance(SESSION_TIMEOUT_MS / 3);
    machine.heal();
    await fleet.time.advance(3 * SESSION_TIMEOUT_MS);
    assert.is(terms.length, 1);
    assert.is(terms[0]!.to, Infinity);
  }),
);

test(
  'a run on election that throws is an event, and the leadership goes to another process',
  onFleet(async (fleet) => {
    const runs: string[] = [];
    const job = (name: string, fails: boolean): Constructor => {
      @LeaderOnly({ name: 'job' })
      class Job {
        async run({ signal }: LeaderContext): Promise<void> {
          runs.push(name);
          if (fails) throw new Error('out of luck');
          await aborted(signal);
        }
      }
      return Job;
    };
    const unlucky = await fleet.run({ declare: [job('unlucky', true)] });
    await fleet.until(() => unlucky.eventsOf('run-failed').length === 1);
    const lucky = await fleet.run({ declare: [job('lucky', false)] });
    await fleet.until(() => runs.includes('lucky'));

    const [failure] = unlucky.eventsOf('run-failed');
    assert.is((failure!.error as Error).message, 'out of luck');
    assert.is(unlucky.application.state, 'running');
    assert.is(leads(lucky), true);
    assert.is(leads(unlucky), false);
  }),
);

test(
  'failing again and again, it leaves longer and longer pauses, up to a minute',
  onFleet(async (fleet) => {
    const failedAt: number[] = [];
    @LeaderOnly({ name: 'job' })
    class Job {
      run(): void {
        failedAt.push(fleet.clock.now());
        throw new Error('out of luck');
      }
    }
    await fleet.run({ declare: [Job] });
    await fleet.time.advance(300_000);
    const pauses = failedAt.slice(1).map((at, index) => Math.round((at - failedAt[index]!) / 1000));
    assert.equal(pauses.slice(0, 8), [1, 2, 4, 8, 16, 32, 60, 60]);
  }),
);

test(
  'every counts from start to start; a run that takes longer delays the next, and they never overlap',
  onFleet(async (fleet) => {
    const startedAt: number[] = [];
    let inHand = 0;
    let most = 0;
    let takesMs = 1000;
    @LeaderOnly({ name: 'job', every: '10s' })
    class Job {
      async run({ occurrence }: LeaderContext): Promise<void> {
        startedAt.push(fleet.clock.now());
        assert.is(occurrence.count, startedAt.length);
        most = Math.max(most, ++inHand);
        await new Promise<void>((resolve) => fleet.clock.setTimer(takesMs, resolve));
        inHand--;
      }
    }
    await fleet.run({ declare: [Job] });
    await fleet.time.advance(25_000);
    takesMs = 13_000;
    await fleet.time.advance(40_000);

    const gaps = startedAt.slice(1).map((at, index) => at - startedAt[index]!);
    assert.equal(gaps.slice(0, 5), [10_000, 10_000, 10_000, 13_000, 13_000]);
    assert.is(most, 1);
    await fleet.time.advance(13_000);
  }),
);

test(
  'cron runs at its moments in its time zone, and a moment that falls into a run is left out',
  onFleet(async (fleet) => {
    const due: string[] = [];
    const started: string[] = [];
    @LeaderOnly({ name: 'job', cron: '*/10 9 * * *', timezone: 'Europe/Berlin' })
    class Job {
      async run({ occurrence }: LeaderContext): Promise<void> {
        due.push(occurrence.scheduledAt.toISOString().slice(11, 16));
        started.push(new Date(fleet.clock.wall()).toISOString().slice(11, 16));
        if (due.length === 2)
          await new Promise<void>((resolve) => fleet.clock.setTimer(15 * 60_000, resolve));
      }
    }
    await fleet.run({ declare: [Job] });
    await fleet.time.advance(10 * 3_600_000);
    assert.equal(due, ['08:00', '08:10', '08:30', '08:40', '08:50']);
    assert.equal(started, due);
  }),
);

test(
  'when the wall clock is set forward, a moment of the calendar is noticed within a minute',
  onFleet(async (fleet) => {
    const due: string[] = [];
    @LeaderOnly({ name: 'job', cron: '0 12 * * *', timezone: 'UTC' })
    class Job {
      run({ occurrence }: LeaderContext): void {
        due.push(occurrence.scheduledAt.toISOString());
      }
    }
    const machine = await fleet.run({ declare: [Job] });
    await fleet.until(() => leads(machine));
    fleet.time.jumpWall(12 * 3_600_000 + 5000);
    await fleet.time.advance(61_000);
    assert.equal(due, ['2025-01-01T12:00:00.000Z']);
  }),
);

test(
  'a run by the clock that throws is an event, and the next moment comes all the same',
  onFleet(async (fleet) => {
    let runs = 0;
    @LeaderOnly({ name: 'job', every: '10s' })
    class Job {
      run(): void {
        if (++runs === 1) throw new Error('out of luck');
      }
    }
    const machine = await fleet.run({ declare: [Job] });
    await fleet.time.advance(15_000);
    assert.equal(
      machine.story.filter((step) => step.startsWith('run-')),
      ['run-started', 'run-failed', 'run-started', 'run-done'],
    );
    assert.is(leads(machine), true);
  }),
);

test(
  'a run that answers to its signal with the signal’s own reason has not failed',
  onFleet(async (fleet) => {
    @LeaderOnly({ name: 'job' })
    class Job {
      async run({ signal }: LeaderContext): Promise<void> {
        await aborted(signal);
        signal.throwIfAborted();
      }
    }
    const machine = await fleet.run({ declare: [Job] });
    await fleet.until(() => leads(machine));
    machine.cut();
    await fleet.until(() => !leads(machine));
    machine.heal();
    await fleet.until(() => leads(machine));
    assert.is(machine.eventsOf('run-failed').length, 0);
  }),
);

/** Virtual time, or less if `signal` aborts. */
function pause(fleet: Fleet, ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = fleet.clock.setTimer(ms, resolve);
    signal.addEventListener('abort', () => {
      timer.cancel();
      resolve();
    });
  });
}

/** A job by the calendar, every ten minutes, that notes what it runs. */
function calendarJob(
  fleet: Fleet,
  options: { readonly missed?: MissedRuns; readonly overlap?: OverlappingRuns } = {},
  takesMs = 0,
): { readonly runs: string[]; readonly declare: Constructor[]; readonly most: () => number } {
  const runs: string[] = [];
  let inHand = 0;
  let most = 0;
  @LeaderOnly({ name: 'job', cron: '*/10 * * * *', timezone: 'UTC', ...options })
  class Job {
    async run({ occurrence, signal }: LeaderContext): Promise<void> {
      runs.push(`${occurrence.scheduledAt.toISOString().slice(11, 16)} ${occurrence.kind}`);
      most = Math.max(most, ++inHand);
      if (takesMs > 0) await pause(fleet, takesMs, signal);
      inHand--;
    }
  }
  return { runs, declare: [Job], most: () => most };
}

const MINUTE = 60_000;

test(
  'each moment of the calendar is run once in the fleet, also when leaders come and go in between',
  onFleet(async (fleet) => {
    const { runs, declare } = calendarJob(fleet, { missed: { all: 10 } });
    const machines = [await fleet.run({ declare }), await fleet.run({ declare })];
    for (let round = 0; round < 6; round++) {
      await fleet.time.advance(7 * MINUTE);
      const leader = machines.find(leads);
      if (round % 2 === 0) leader?.cut();
      await fleet.time.advance(4 * MINUTE);
      for (const machine of machines) machine.heal();
    }
    await fleet.time.advance(MINUTE);
    const moments = runs.map((run) => run.slice(0, 5));
    assert.equal(moments, ['00:10', '00:20', '00:30', '00:40', '00:50', '01:00']);
  }),
);

for (const [missed, expected] of [
  ['skip', ['00:10 scheduled', '01:00 scheduled']],
  ['once', ['00:10 scheduled', '00:50 missed', '01:00 scheduled']],
  [{ all: 2 }, ['00:10 scheduled', '00:40 missed', '00:50 missed', '01:00 scheduled']],
] as const) {
  test(
    `moments that passed while nobody led: ${JSON.stringify(missed)}`,
    onFleet(async (fleet) => {
      const { runs, declare } = calendarJob(fleet, { missed });
      const first = await fleet.run({ declare });
      await fleet.time.advance(15 * MINUTE);
      await fleet.wait(first.application.stop());
      await fleet.time.advance(40 * MINUTE);
      const second = await fleet.run({ declare });
      await fleet.time.advance(10 * MINUTE);
      assert.equal(runs, expected);
      const [told] = second.eventsOf('runs-missed');
      assert.is(told?.since.toISOString().slice(11, 16), '00:20');
      assert.is(told?.madeUpFor, expected.length - 2);
    }),
  );
}

for (const [overlap, expected, most] of [
  ['skip', ['00:10', '00:30', '00:50'], 1],
  ['wait', ['00:10', '00:20', '00:30', '00:40'], 1],
  ['allow', ['00:10', '00:20', '00:30', '00:40', '00:50'], 2],
] as const) {
  test(
    `moments that come while a run is in hand: ${overlap}`,
    onFleet(async (fleet) => {
      const job = calendarJob(fleet, { overlap }, 15 * MINUTE);
      const machine = await fleet.run({ declare: job.declare });
      await fleet.time.advance(59 * MINUTE);
      assert.equal(
        job.runs.map((run) => run.slice(0, 5)),
        expected,
      );
      assert.is(job.most(), most);
      assert.is(machine.eventsOf('run-skipped').length > 0, overlap === 'skip');
      await fleet.time.advance(15 * MINUTE);
    }),
  );
}

test(
  'the interval goes on from leader to leader',
  onFleet(async (fleet) => {
    const startedAt: number[] = [];
    @LeaderOnly({ name: 'job', every: '10m' })
    class Job {
      run(): void {
        startedAt.push(Math.round(fleet.clock.now() / MINUTE));
      }
    }
    const first = await fleet.run({ declare: [Job] });
    await fleet.time.advance(14 * MINUTE);
    await fleet.wait(first.application.stop());
    await fleet.run({ declare: [Job] });
    await fleet.time.advance(10 * MINUTE);
    const from = startedAt[0]!;
    assert.equal(
      startedAt.map((at) => at - from),
      [0, 10, 20],
    );
  }),
);

test(
  'anybody can ask for a run now, and see how the last ones went',
  onFleet(async (fleet) => {
    const { runs, declare } = calendarJob(fleet);
    const leader = await fleet.run({ declare });
    await fleet.until(() => leads(leader));
    const jobs = new LeaderJobs(await fleet.client());
    await fleet.wait(jobs.trigger('job'));
    await fleet.until(() => runs.length === 1);
    assert.match(runs[0]!, /triggered$/);
    await fleet.time.advance(11 * MINUTE);
    assert.is(runs.length, 2);

    const history = await fleet.wait(jobs.history('job'));
    assert.equal(
      history.map(({ kind, outcome, by }) => [kind, outcome, by]),
      [
        ['scheduled', 'done', leader.id],
        ['triggered', 'done', leader.id],
      ],
    );
    const candidates = await fleet.wait(jobs.candidates('job'));
    assert.equal(
      candidates.map(({ id, isLeader }) => [id, isLeader]),
      [[leader.id, true]],
    );
  }),
);

test(
  'a run that its leader did not live to finish is in the history as lost, and not run again',
  onFleet(async (fleet) => {
    const { runs, declare } = calendarJob(fleet, { missed: { all: 5 } }, 30 * MINUTE);
    const first = await fleet.run({ declare });
    await fleet.time.advance(11 * MINUTE);
    const second = await fleet.run({ declare });
    first.cut();
    await fleet.until(() => leads(second));
    await fleet.settle();
    const history = await fleet.wait(second.application.get(LeaderJobs).history('job'));
    assert.equal(
      history.map(({ outcome, by }) => [outcome, by]),
      [['lost', first.id]],
    );
    assert.equal(runs, ['00:10 scheduled']);
    await fleet.time.advance(30 * MINUTE);
  }),
);

test(
  'no run begins with a signal that has aborted already, whenever the stop came',
  onFleet(async (fleet) => {
    const signals: boolean[] = [];
    @LeaderOnly({ name: 'job' })
    class Job {
      async run({ signal }: LeaderContext): Promise<void> {
        signals.push(signal.aborted);
        await new Promise((resolve) => signal.addEventListener('abort', resolve));
      }
    }
    const later = (turns: number, task: () => void): void => {
      if (turns === 0) task();
      else fleet.clock.soon(() => later(turns - 1, task));
    };
    let leader = await fleet.run({ declare: [Job] });
    // So many turns after the leadership began: before the run is claimed, while it is, and after it has begun.
    for (let turns = 0; turns < 24; turns++) {
      await fleet.until(() => leads(leader));
      const next = await fleet.run({ declare: [Job] });
      await fleet.settle();
      let stopping: Promise<void> | undefined;
      const stop = (): void => {
        stopping = next.application.stop();
      };
      next.application.on('leader-acquired', () => later(turns, stop));
      await fleet.wait(leader.application.stop());
      leader = await fleet.run({ declare: [Job] });
      await fleet.until(() => stopping !== undefined);
      const stoppedAt = fleet.clock.now();
      await fleet.wait(stopping!);
      assert.ok(fleet.clock.now() - stoppedAt < 1000, `${turns} turns: the stop waited for a run`);
    }
    assert.ok(signals.length > 0 && signals.every((wasAborted) => !wasAborted));
  }),
);

test.run();
