/**
 * The coordination primitives on their own, without an application: what the declarations are made of.
 *
 * Run: node dist/examples/recipes.js
 *
 * Prints:
 *   the lock is held: true
 *   a second try gets it: false
 *   after the release it is free: true
 *   Anna leads, Bert is next
 *   Anna resigned, Bert leads
 *   the cache knows: closed, then open
 *   members of the shift: Anna, Bert
 */
import { connect, FairLock, GroupMembership, LeaderLatch, NodeCache } from 'quorate';

await using anna = await connect('embedded:');

// A lock hands out a hold: a signal that aborts when it is lost, and a fence that only grows.
const lock = new FairLock(anna, 'till');
const hold = await lock.acquire();
console.log(`the lock is held: ${!hold.signal.aborted && hold.fence > 0n}`);
console.log(`a second try gets it: ${(await lock.tryAcquire()) !== null}`);
await hold.release();
await lock.run(() => console.log('after the release it is free: true'));

// An election: everybody stands, one leads, the next in line follows.
await using first = new LeaderLatch(anna, 'shift', { id: 'Anna' });
await using next = new LeaderLatch(anna, 'shift', { id: 'Bert' });
const annaLeads = once(first.start().leaderships());
await annaLeads;
const bertLeads = once(next.start().leaderships());
for (let standing = 0; standing < 2;) standing = (await first.participants()).length;
const [leader, follower] = await first.participants();
console.log(`${leader?.id} leads, ${follower?.id} is next`);
await first.close();
await bertLeads;
console.log(`Anna resigned, ${(await next.leader())?.id} leads`);

// A cache follows a znode through every outage.
await anna.create('/sign', 'closed');
await using sign = new NodeCache(anna, '/sign').start();
await sign.ready();
const read = (): string => new TextDecoder().decode(sign.current?.data ?? undefined);
const before = read();
const changed = once(sign.changes());
await anna.setData('/sign', 'open');
await changed;
console.log(`the cache knows: ${before}, then ${read()}`);

// Membership: who is there, as long as they are.
await using one = new GroupMembership(anna, '/shift', { id: 'Anna' }).start();
await using other = new GroupMembership(anna, '/shift', { id: 'Bert' }).start();
await Promise.all([one.ready(), other.ready()]);
const joined = once(one.changes());
if (one.members().size < 2) await joined;
console.log(`members of the shift: ${[...one.members().keys()].sort().join(', ')}`);

/** The first value of a stream. */
async function once<T>(stream: AsyncIterable<T>): Promise<T | undefined> {
  for await (const value of stream) return value;
  return undefined;
}
