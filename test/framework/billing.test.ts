import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  Application,
  Config,
  currentHold,
  inject,
  LeaderOnly,
  Locked,
  Queues,
  schema,
  Service,
  Worker,
  type Job,
  type LeaderContext,
} from '../../framework/index.js';
import { onFleet } from './fleet.js';

interface Invoice {
  readonly customerId: string;
}

const billingSchema = {
  type: 'object',
  properties: { currency: { type: 'string' }, dailyLimit: { type: 'number' } },
};
const invoiceSchema = schema<Invoice>({
  type: 'object',
  required: ['customerId'],
  properties: { customerId: { type: 'string' } },
});

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

const closed: string[] = [];
const handled: string[] = [];

@Config({ name: 'billing', schema: billingSchema })
class BillingConfig {
  currency = 'EUR';
  dailyLimit = 1000;
}

@Service({ name: 'billing', port: 8080 })
class BillingService {
  constructor(@inject(BillingConfig) readonly config: BillingConfig) {}
}

@LeaderOnly({ name: 'close-books', cron: '0 3 * * *', timezone: 'Europe/Berlin' })
class CloseBooks {
  async run({ signal, fence, occurrence }: LeaderContext): Promise<void> {
    signal.throwIfAborted();
    if (fence > 0n) closed.push(occurrence.scheduledAt.toISOString());
  }
}

@Worker({ queue: 'invoices', schema: invoiceSchema, concurrency: 8, retries: 5 })
class InvoiceWorker {
  @Locked<Invoice>((job) => `customers/${job.data.customerId}`)
  async handle(job: Job<Invoice>): Promise<void> {
    currentHold().signal.throwIfAborted();
    handled.push(job.data.customerId);
  }
}

const declare = [BillingConfig, BillingService, CloseBooks, InvoiceWorker];

test('an application that uses every declaration together starts with one call and stops at the end of its block', async () => {
  let stopped: Promise<void>;
  {
    await using app = await Application.start({ connect: 'embedded:', declare });
    ({ stopped } = app);
    assert.is(app.get(BillingService).config, app.get(BillingConfig));
    const done = new Promise((resolve) => app.on('job-done', resolve));
    await app.get(Queues).of<Invoice>('invoices').enqueue({ customerId: 'anna' });
    await done;
  }
  await stopped;
  assert.equal(handled, ['anna']);
});

test(
  'the books are closed once a night, whichever process of the fleet is alive then',
  onFleet(async (fleet) => {
    const [first] = [await fleet.run({ declare }), await fleet.run({ declare })];
    // It is midnight UTC, one o'clock in Berlin.
    fleet.time.jumpWall(2 * HOUR_MS - 5 * MINUTE_MS);
    await fleet.time.advance(10 * MINUTE_MS);
    await fleet.wait(first.application.stop());
    fleet.time.jumpWall(24 * HOUR_MS - 10 * MINUTE_MS);
    await fleet.time.advance(10 * MINUTE_MS);
    assert.equal(closed, ['2025-01-01T02:00:00.000Z', '2025-01-02T02:00:00.000Z']);
  }),
);

test.run();
