/** Closes the till every second, in one process of the fleet; what nobody led for is made up for. */
import { inject, LeaderOnly, type LeaderContext } from 'quorate';
import { Ledger } from './ledger.js';

const [processName = 'worker'] = process.argv.slice(2);

export const CLOSE_TILL = 'close-till';

@LeaderOnly({ name: CLOSE_TILL, cron: '* * * * * *', missed: { all: 60 } })
export class CloseTill {
  constructor(@inject(Ledger) readonly ledger: Ledger) {}

  async run({ occurrence, signal }: LeaderContext): Promise<void> {
    const booked = await this.ledger.countBooked();
    signal.throwIfAborted();
    await this.ledger.closeTill({
      scheduledAt: occurrence.scheduledAt.toISOString(),
      booked,
      by: processName,
    });
  }
}
