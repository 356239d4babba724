/** What the compiler has to accept and to refuse; the file runs only so that it is compiled and counted. */
import { expectTypeOf } from 'expect-type';
import { test } from 'uvu';
import type {
  ApplicationEvent,
  Declared,
  DiagnosticsMessage,
  EventOf,
  Hold,
  Job,
  LeaderContext,
  OwnedShard,
  Queue,
  Queues,
  ServiceInstance,
  Services,
} from '../../framework/index.js';
import {
  Config,
  defineQueue,
  diagnosticsChannel,
  inject,
  LeaderOnly,
  Locked,
  module,
  onReload,
  provide,
  schema,
  Service,
  Sharded,
  token,
  Worker,
} from '../../framework/index.js';

interface Invoice {
  readonly customerId: string;
  readonly amount: number;
}

const invoiceSchema = schema<Invoice>({ type: 'object' });
const invoices = defineQueue<Invoice>({ name: 'invoices', schema: invoiceSchema });

test('a class under @Sharded has a task for a shard; modules and plugins go where they belong', () => {
  @Sharded({ name: 'orders', shards: 4 })
  class Orders {
    run(owned: OwnedShard): void {
      expectTypeOf(owned.fence).toEqualTypeOf<bigint>();
      expectTypeOf(owned.signal).toEqualTypeOf<AbortSignal>();
    }
  }
  // @ts-expect-error there is no run
  @Sharded({ name: 'orders', shards: 4 })
  class Nothing {}
  const orders = module({ declare: [Orders, Nothing] });
  expectTypeOf(orders).toMatchTypeOf<Declared>();
  expectTypeOf<EventOf<'loop-blocked'>['lost']>().toEqualTypeOf<readonly string[]>();
  expectTypeOf(diagnosticsChannel('job-done')).toEqualTypeOf<'quorate:job-done'>();
  expectTypeOf<DiagnosticsMessage<EventOf<'shard-lost'>>['event']['shard']>().toEqualTypeOf<number>();
});

test('the payload flows from the declaration to the handler', () => {
  @Worker({ queue: 'invoices', schema: invoiceSchema, concurrency: 8, retries: 5 })
  class BySchema {
    @Locked<Invoice>((job) => `customers/${job.data.customerId}`)
    async handle(job: Job<Invoice>): Promise<void> {
      expectTypeOf(job.data.amount).toEqualTypeOf<number>();
    }
  }
  @Worker({ queue: invoices })
  class ByReference {
    handle(job: Job<Invoice>): void {
      expectTypeOf(job.data).toEqualTypeOf<Invoice>();
    }
  }
  @Worker({ queue: 'untyped' })
  class Untyped {
    handle(job: Job<{ readonly anything: boolean }>): void {
      expectTypeOf(job.data.anything).toEqualTypeOf<boolean>();
    }
  }
  @Worker({ queue: invoices, batch: { size: 10 } })
  class InvoiceBatches {
    handle(jobs: readonly Job<Invoice>[]): void {
      for (const job of jobs) expectTypeOf(job.data).toEqualTypeOf<Invoice>();
    }
  }
  void InvoiceBatches;
  // @ts-expect-error a worker of batches takes an array of jobs
  @Worker({ queue: invoices, batch: { size: 10 } })
  class SingleInvoices {
    handle(job: Job<Invoice>): void {
      void job;
    }
  }
  void SingleInvoices;
  // @ts-expect-error the handler wants another payload than the queue carries
  @Worker({ queue: invoices })
  class Wrong {
    handle(job: Job<string>): void {
      void job;
    }
  }
  // @ts-expect-error a worker without a handler
  @Worker({ queue: invoices })
  class Missing {}
  @Worker({ queue: invoices, isolated: { module: new URL('file:///pay.js'), maxMemoryMb: 64 } })
  class InThreads {}
  // @ts-expect-error a thread does one job at a time
  @Worker({ queue: invoices, batch: { size: 10 }, isolated: { module: 'file:///pay.js' } })
  class BatchesInThreads {}
  void [BySchema, ByReference, Untyped, Wrong, Missing, InThreads, BatchesInThreads];
});

test('the payload flows from the queue to whoever enqueues', () => {
  expectTypeOf<ReturnType<typeof enqueue>>().toEqualTypeOf<Promise<string>>();
  function enqueue(queues: Queues): Promise<string> {
    expectTypeOf(queues.of(invoices)).toEqualTypeOf<Queue<Invoice>>();
    expectTypeOf(queues.of<Invoice>('invoices')).toEqualTypeOf<Queue<Invoice>>();
    // @ts-expect-error an amount is no text
    void queues.of(invoices).enqueue({ customerId: 'a', amount: '5' });
    return queues.of(invoices).enqueue({ customerId: 'a', amount: 5 });
  }
});

test('the name of a lock is a function of the very arguments of the method', () => {
  class Books {
    @Locked('books')
    async fixed(_year: number): Promise<string> {
      return '';
    }
    @Locked((customer: string, year: number) => `books/${customer}/${year}`)
    async byArguments(_customer: string, _year: number): Promise<void> {}
    @Locked((customer: string) => `books/${customer}`)
    async byTheFirst(_customer: string, _year: number): Promise<void> {}
    // @ts-expect-error the method is given a number where the name wants a text
    @Locked((customer: string) => `books/${customer}`)
    async wrong(_year: number): Promise<void> {}
    // @ts-expect-error a lock cannot be acquired within a synchronous call
    @Locked('books')
    synchronous(): void {}
  }
  expectTypeOf<Books['byArguments']>().toEqualTypeOf<(customer: string, year: number) => Promise<void>>();
});

test('what is injected fits the parameter', () => {
  interface Mailer {
    send(text: string): void;
  }
  const MailerToken = token<Mailer>('Mailer');
  @Config({ name: 'billing' })
  class BillingConfig {
    currency = 'EUR';
  }
  @Service({ name: 'billing', port: 8080 })
  class Billing {
    constructor(
      @inject(BillingConfig) readonly config: BillingConfig,
      @inject(MailerToken) readonly mailer: Mailer,
      // @ts-expect-error a mailer is no configuration
      @inject(MailerToken) readonly other: BillingConfig,
    ) {}
  }
  provide(MailerToken, { send: () => undefined });
  // @ts-expect-error not a mailer
  provide(MailerToken, { deliver: () => undefined });
  void Billing;
});

test('a leader job has a run method, and every and cron exclude each other', () => {
  @LeaderOnly({ name: 'close-books', cron: '0 3 * * *', timezone: 'Europe/Berlin' })
  class CloseBooks {
    async run({ signal, fence, occurrence }: LeaderContext): Promise<void> {
      expectTypeOf(signal).toEqualTypeOf<AbortSignal>();
      expectTypeOf(fence).toEqualTypeOf<bigint>();
      expectTypeOf(occurrence.scheduledAt).toEqualTypeOf<Date>();
    }
  }
  // @ts-expect-error no run method
  @LeaderOnly({ name: 'close-books' })
  class Missing {}
  // @ts-expect-error either one or the other
  LeaderOnly({ name: 'close-books', cron: '0 3 * * *', every: '5m' });
  // @ts-expect-error a time zone is for cron
  LeaderOnly({ name: 'close-books', every: '5m', timezone: 'UTC' });
  // @ts-expect-error no such unit
  LeaderOnly({ name: 'close-books', every: '5 parsecs' });
  void [CloseBooks, Missing];
});

test('port, address and payload of a service may follow from its instance', () => {
  @Service({ name: 'billing', port: (service: Billing) => service.boundPort, payload: { region: 'eu' } })
  class Billing {
    boundPort = 0;
  }
  // @ts-expect-error of another class
  @Service({ name: 'other', port: (service: Billing) => service.boundPort })
  class Other {}
  // @ts-expect-error a function is nothing that JSON can hold
  Service({ name: 'other', payload: { call: () => undefined } });
  void [Billing, Other];
  const find = async (services: Services): Promise<void> => {
    expectTypeOf(await services.pick<{ region: string }>('billing')).toEqualTypeOf<
      ServiceInstance<{ region: string }>
    >();
  };
  void find;
});

test('a reload tells of the configuration as it is and as it was', () => {
  class BillingConfig {
    currency = 'EUR';
  }
  const listen = (config: BillingConfig): void => {
    onReload(config, (now, previous) => {
      expectTypeOf(now).toEqualTypeOf<BillingConfig>();
      expectTypeOf(previous).toEqualTypeOf<Readonly<BillingConfig>>();
    });
  };
  void listen;
});

test('events are one tagged union', () => {
  expectTypeOf<EventOf<'leader-acquired'>['fence']>().toEqualTypeOf<bigint>();
  expectTypeOf<EventOf<'config-refused'>['violations']>().toEqualTypeOf<readonly string[]>();
  expectTypeOf<ApplicationEvent['type']>().toExtend<string>();
  expectTypeOf<Hold['fence']>().toEqualTypeOf<bigint>();
});

test.run();
