/** Works off the orders: several at a time in each process, but one at a time for each customer in the whole fleet. */
import { setTimeout as pause } from 'node:timers/promises';
import { inject, Locked, Worker, type Job } from 'quorate';
import { Ledger } from './ledger.js';
import { orders, type Order } from './order.js';
import { Prices } from './prices.js';

/** What it takes to pack an order. */
const PACKING_MS = 25;

const [processName = 'worker'] = process.argv.slice(2);

@Worker({ queue: orders, concurrency: 4, retries: 20 })
export class OrderWorker {
  constructor(
    @inject(Ledger) readonly ledger: Ledger,
    @inject(Prices) readonly prices: Prices,
  ) {}

  @Locked<Order>((job) => `customers/${job.data.customer}`)
  async handle({ data, attempt, signal }: Job<Order>): Promise<void> {
    await pause(PACKING_MS, undefined, { signal });
    await this.ledger.book({ ...data, total: this.prices.totalOf(data), by: processName, attempt });
  }
}
