import * as assert from 'uvu/assert';
import {
  LeaderJobs,
  LeaderOnly,
  LeaderSelector,
  type Constructor,
  type LeaderContext,
} from '../../../framework/index.js';
import type { Behaviours } from '../behaviour.js';

/** Notes the moment that each run stands for. */
function everySecond(): { readonly moments: number[]; readonly declare: Constructor[] } {
  const moments: number[] = [];
  @LeaderOnly({ name: 'tick', cron: '* * * * * *', timezone: 'UTC', missed: { all: 10 } })
  class Tick {
    run({ occurrence }: LeaderContext): void {
      moments.push(occurrence.scheduledAt.getTime());
    }
  }
  return { moments, declare: [Tick] };
}

export const schedules: Behaviours = {
  'each moment of the calendar is run once, over a change of leader too': async (place) => {
    const { moments, declare } = everySecond();
    const first = await place.participant().run({ declare });
    await place.until(() => moments.length >= 1);
    const second = await place.participant().run({ declare });
    await first.stop();
    const soFar = moments.length;
    await place.until(() => moments.length >= soFar + 2);
    await second.stop();
    const steps = moments.slice(1).map((moment, index) => moment - moments[index]!);
    assert.ok(
      steps.every((step) => step === 1000),
      `steps of ${steps.join(', ')} ms`,
    );
  },

  'a run that anybody asks for takes place once, and the history tells how it went': async (place) => {
    let runs = 0;
    @LeaderOnly({ name: 'books', every: '1h' })
    class Books {
      run({ occurrence }: LeaderContext): void {
        if (occurrence.kind === 'triggered' && ++runs === 1) throw new Error('out of luck');
      }
    }
    const apps = await Promise.all([1, 2].map(() => place.participant().run({ declare: [Books] })));
    const jobs = apps[1]!.get(LeaderJobs);
    await place.until(async () => (await jobs.history('books'))[0]?.outcome === 'done');
    for (let request = 1; request <= 2; request++) {
      await jobs.trigger('books');
      await place.until(() => runs === request);
    }
    const outcomes = async (): Promise<string[]> =>
      (await jobs.history('books')).map(({ kind, outcome }) => `${kind} ${outcome}`);
    // The member that is asked may not have heard of the last run yet.
    let told: string[] = [];
    await place.until(async () => {
      told = await outcomes();
      return told.length === 3 && !told.some((outcome) => outcome.endsWith('running'));
    });
    assert.equal(told, ['triggered done', 'triggered failed', 'scheduled done']);
    assert.is(runs, 2);
  },

  'those who lead in turns lead one at a time': async (place) => {
    const order: number[] = [];
    let leaders = 0;
    let most = 0;
    const selectors = await Promise.all(
      [0, 1].map(async (who) => {
        const client = await place.client();
        return new LeaderSelector(client, 'chair', async () => {
          most = Math.max(most, ++leaders);
          order.push(who);
          await new Promise((resolve) => setTimeout(resolve, 5));
          leaders--;
        }).start();
      }),
    );
    // The first may have had several terms before the other stands beside it.
    await place.until(() => [0, 1].every((who) => order.filter((leader) => leader === who).length >= 3));
    await Promise.all(selectors.map((selector) => selector.close()));
    assert.is(most, 1);
  },

  'moments that passed while nobody led are made up for by one run': async (place) => {
    const moments: number[] = [];
    @LeaderOnly({ name: 'report', cron: '* * * * * *', timezone: 'UTC', missed: 'once' })
    class Report {
      run({ occurrence }: LeaderContext): void {
        moments.push(occurrence.scheduledAt.getTime());
      }
    }
    const first = await place.participant().run({ declare: [Report] });
    await place.until(() => moments.length >= 1);
    await first.stop();
    const last = moments.at(-1)!;
    const soFar = moments.length;
    await place.until(() => Date.now() > last + 4_000);
    await place.participant().run({ declare: [Report] });
    await place.until(() => moments.length >= soFar + 2);
    const [madeUp, next] = moments.slice(soFar) as [number, number];
    assert.ok(madeUp - last >= 3_000, `${madeUp - last} ms after the last`);
    assert.is(next - madeUp, 1_000);
  },

  'a run that takes too long lets the moments within it pass, or runs beside them, as declared': async (
    place,
  ) => {
    const at = { skip: 0, allow: 0 };
    const most = { skip: 0, allow: 0 };
    const slow = (overlap: 'skip' | 'allow'): Constructor => {
      @LeaderOnly({ name: `slow-${overlap}`, cron: '* * * * * *', timezone: 'UTC', overlap })
      class Slow {
        async run(): Promise<void> {
          most[overlap] = Math.max(most[overlap], ++at[overlap]);
          await new Promise((resolve) => setTimeout(resolve, 1_500));
          at[overlap]--;
        }
      }
      return Slow;
    };
    const app = await place.participant().run({ declare: [slow('skip'), slow('allow')] });
    await place.until(() => most.allow >= 2);
    const jobs = app.get(LeaderJobs);
    await place.until(async () => (await jobs.history('slow-skip')).length >= 2);
    assert.is(most.skip, 1);
  },
};
