/**
 * Locks: calls of a method exclude each other across the fleet when they are about the same thing. Two processes book
 * on the same accounts; without the lock they would overwrite each other's balances.
 *
 * Run: node dist/examples/locked.js
 *
 * Prints:
 *   Anna has 10, Bert has 10
 *   at most 1 booking at a time for each account
 *   fences of Anna's bookings only grow: true
 */
import { Application, connect, currentHold, Locked, Service } from 'quorate';

const balances = new Map<string, number>();
const inHand = new Map<string, number>();
const fences: bigint[] = [];
let most = 0;

@Service({ name: 'ledger' })
class Ledger {
  /**
   * The name of the lock follows from the arguments, so that bookings for different customers do not wait for each
   * other.
   */
  @Locked((customer: string) => `accounts/${customer}`)
  async book(customer: string, amount: number): Promise<void> {
    inHand.set(customer, (inHand.get(customer) ?? 0) + 1);
    most = Math.max(most, inHand.get(customer) ?? 0);

    const before = balances.get(customer) ?? 0;
    await new Promise((resolve) => setTimeout(resolve, 5));
    // The signal says when the lock is lost; the fence lets whatever is written to refuse an older holder.
    const { signal, fence } = currentHold();
    signal.throwIfAborted();
    if (customer === 'Anna') fences.push(fence);
    balances.set(customer, before + amount);

    inHand.set(customer, (inHand.get(customer) ?? 0) - 1);
  }
}

await using ensemble = await connect('embedded:');
await using one = await Application.start({ connect: ensemble, declare: [Ledger] });
await using other = await Application.start({ connect: ensemble, declare: [Ledger] });

const bookings = [one, other].flatMap((app) =>
  ['Anna', 'Bert'].flatMap((customer) => Array.from({ length: 5 }, () => app.get(Ledger).book(customer, 1))),
);
await Promise.all(bookings);

console.log(`Anna has ${balances.get('Anna')}, Bert has ${balances.get('Bert')}`);
console.log(`at most ${most} booking at a time for each account`);
const areGrowing = fences.every((fence, index) => index === 0 || fence > fences[index - 1]!);
console.log(`fences of Anna's bookings only grow: ${areGrowing}`);
