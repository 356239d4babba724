/**
 * A work queue: typed and validated at both ends, retried when a handler fails, worked off by two processes.
 *
 * Run: node dist/examples/worker.js
 *
 * Prints:
 *   refused when enqueued: /amount must be number
 *   the invoice of Anna over 30 is paid
 *   the card of Bert is declined, at attempt 1
 *   the invoice of Bert over 12 is paid, at attempt 2
 *   20 more invoices are paid, by 2 processes
 *   no jobs are left, none was given up
 *
 * The declined card is logged to stderr as well, as warnings are by default.
 */
import {
  Application,
  connect,
  defineQueue,
  Queues,
  schema,
  Worker,
  type Job,
  type JobInvalidError,
} from 'quorate';

interface Invoice {
  readonly customer: string;
  readonly amount: number;
}

/** Shared by those who enqueue and those who work: the type of the payload, and its schema. */
const invoices = defineQueue<Invoice>({
  name: 'invoices',
  schema: schema<Invoice>({
    type: 'object',
    required: ['customer', 'amount'],
    properties: { customer: { type: 'string' }, amount: { type: 'number' } },
  }),
});

@Worker({ queue: invoices, concurrency: 2, retries: 3 })
class InvoiceWorker {
  async handle(job: Job<Invoice>): Promise<string> {
    const { customer, amount } = job.data;
    if (customer === 'Bert' && job.attempt === 1) {
      console.log(`the card of ${customer} is declined, at attempt ${job.attempt}`);
      throw new Error('card declined');
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
    const retried = job.attempt > 1 ? `, at attempt ${job.attempt}` : '';
    return `the invoice of ${customer} over ${amount} is paid${retried}`;
  }
}

await using ensemble = await connect('embedded:');
await using first = await Application.start({ connect: ensemble, declare: [InvoiceWorker] });
await using second = await Application.start({ connect: ensemble, declare: [InvoiceWorker] });
const queue = first.get(Queues).of(invoices);

const odd = { customer: 'Carl', amount: 'much' } as unknown as Invoice;
await queue.enqueue(odd).catch((error: JobInvalidError) => {
  console.log(`refused when enqueued: ${error.violations.join()}`);
});

// What the handler returns is kept for whoever asks for it.
console.log(await queue.result(await queue.enqueue({ customer: 'Anna', amount: 30 })));
console.log(await queue.result(await queue.enqueue({ customer: 'Bert', amount: 12 })));

const processes = new Set<string>();
for (const app of [first, second]) app.on('job-done', () => processes.add(app.id));
const ids = await Promise.all(
  Array.from({ length: 20 }, (_, index) => queue.enqueue({ customer: `customer ${index}`, amount: index })),
);
const results = await Promise.all(ids.map((id) => queue.result(id)));
console.log(`${results.length} more invoices are paid, by ${processes.size} processes`);

const { jobs, dead } = await queue.counts();
console.log(`${jobs === 0 ? 'no' : jobs} jobs are left, ${dead === 0 ? 'none' : dead} was given up`);
