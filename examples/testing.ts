/**
 * Testing: a whole fleet in the process of a test, on virtual time. Minutes go by in a moment; a process is killed, a line
 * is cut, a member crashes.
 *
 * Run: node dist/examples/testing.js
 *
 * Prints:
 *   ten minutes of backups, every minute: 10
 *   app-1 was killed: app-2 leads within 15 s, and makes 1
 *   app-2 is cut off: its leadership is lost before app-3 leads
 *   a member crashed: 1 more is made by app-3
 *   backups that were made twice: 0
 */
import { LeaderOnly, type LeaderContext } from 'quorate';
import { TestFleet, type TestApplication } from 'quorate/testing';

const backups: string[] = [];

@LeaderOnly({ name: 'backup', cron: '* * * * *' })
class Backup {
  run({ occurrence }: LeaderContext): void {
    backups.push(occurrence.scheduledAt.toISOString());
  }
}

await using fleet = await TestFleet.start({ members: 3 });
const one = await fleet.application({ declare: [Backup] });
const two = await fleet.application({ declare: [Backup] });
const three = await fleet.application({ declare: [Backup] });

/** Until this application, which did not lead, does. */
async function untilLeading(app: TestApplication): Promise<void> {
  await fleet.until(() => app.eventsOf('leader-acquired').length > 0, { what: `${app.name} to lead` });
}

await fleet.advance(600_000);
console.log(`ten minutes of backups, every minute: ${backups.length}`);

const killedAt = fleet.clock.now();
one.crash();
await untilLeading(two);
const isSoon = fleet.clock.now() - killedAt <= 15_000;
await fleet.advance(60_000);
const next = two.eventsOf('run-done').length;
console.log(
  `${one.name} was killed: ${two.name} leads ${isSoon ? 'within 15 s' : 'late'}, and makes ${next}`,
);

two.partition();
await untilLeading(three);
const wasFirst = two.eventsOf('leader-lost').length === 1;
console.log(
  `${two.name} is cut off: its leadership is lost ${wasFirst ? 'before' : 'after'} ${three.name} leads`,
);
two.heal();

fleet.crashMember(fleet.leader!);
await fleet.advance(60_000);
console.log(`a member crashed: ${three.eventsOf('run-done').length} more is made by ${three.name}`);

console.log(`backups that were made twice: ${backups.length - new Set(backups).size}`);
