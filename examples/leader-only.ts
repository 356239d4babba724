/**
 * Leader jobs: three kinds of schedule, each running in one process of the fleet only. When the process that
 * leads stops, another takes over, with a higher fence.
 *
 * Run: node dist/examples/leader-only.js
 *
 * Prints:
 *   the till is counted, run 1
 *   the till is counted, run 2
 *   the clock struck a full second: true
 *   first keeps the books open
 *   first closes the books
 *   second keeps the books open
 *   the fence of the second is higher: true
 *   second closes the books
 */
import { Application, connect, LeaderOnly, type Constructor, type LeaderContext } from 'quorate';

/** From start to start; a run that takes longer delays the next. */
@LeaderOnly({ name: 'count-till', every: '100ms' })
class CountTill {
  run({ occurrence }: LeaderContext): void {
    if (occurrence.count <= 2) console.log(`the till is counted, run ${occurrence.count}`);
  }
}

/** By the calendar, in a time zone; with six fields the first is the seconds. */
@LeaderOnly({ name: 'strike', cron: '* * * * * *', timezone: 'Europe/Berlin' })
class Strike {
  run({ occurrence }: LeaderContext): void {
    const isFull = occurrence.scheduledAt.getMilliseconds() === 0;
    if (occurrence.count === 1) console.log(`the clock struck a full second: ${isFull}`);
  }
}

const fences: bigint[] = [];

/** Without a schedule: called once on election. It may stay for as long as its signal lets it. */
function keepBooksIn(process: string): Constructor {
  @LeaderOnly({ name: 'keep-books' })
  class KeepBooks {
    async run({ signal, fence }: LeaderContext): Promise<void> {
      fences.push(fence);
      console.log(`${process} keeps the books open`);
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
      console.log(`${process} closes the books`);
    }
  }
  return KeepBooks;
}

/** Resolves when an application has finished so many runs. */
function runsOf(app: Application, count: number): Promise<void> {
  return new Promise((resolve) => app.on('run-done', () => void (--count === 0 && resolve())));
}

await using ensemble = await connect('embedded:');
for (const [job, runs] of [
  [CountTill, 2],
  [Strike, 1],
] as const) {
  await using app = await Application.start({ connect: ensemble, declare: [job] });
  await runsOf(app, runs);
}

const first = await Application.start({ connect: ensemble, declare: [keepBooksIn('first')] });
await new Promise((resolve) => first.on('run-started', resolve));
const second = await Application.start({ connect: ensemble, declare: [keepBooksIn('second')] });
const takenOver = new Promise((resolve) => second.on('run-started', resolve));
await first.stop();
await takenOver;
console.log(`the fence of the second is higher: ${fences[1]! > fences[0]!}`);
await second.stop();
