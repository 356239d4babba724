/** The application that each of the three worker processes runs: everything it coordinates is declared here. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import {
  Client,
  Config,
  currentHold,
  defineQueue,
  inject,
  LeaderOnly,
  Locked,
  schema,
  Service,
  Worker,
  type Job,
  type LeaderContext,
} from 'quorate';
import { machineNowMs, type Told } from './told.js';

export interface Order {
  readonly number: number;
}

export const orders = defineQueue<Order>({
  name: 'orders',
  schema: schema<Order>({
    type: 'object',
    required: ['number'],
    properties: { number: { type: 'integer' } },
  }),
});

/** The znode that the lock protects: without it, concurrent reads and writes would lose entries. */
export const LEDGER_PATH = '/ledger';

type Fact<T = Told> = T extends unknown ? Omit<T, 'worker' | 'pid' | 'atMs'> : never;

const [workerName = 'worker'] = process.argv.slice(2);

export function tell(fact: Fact): void {
  const told = { ...fact, worker: workerName, pid: process.pid, atMs: machineNowMs() };
  process.send?.(told);
}

@Config({
  name: 'shop',
  schema: {
    type: 'object',
    additionalProperties: false,
    properties: { currency: { enum: ['EUR', 'USD'] }, dailyLimit: { type: 'integer', minimum: 1 } },
  },
})
export class ShopConfig {
  currency = 'EUR';
  dailyLimit = 1000;
}

export class Ledger {
  constructor(@inject(Client) readonly client: Client) {}

  /** Reads, thinks, writes: right only if nobody else does so meanwhile. */
  @Locked('ledger')
  async makeEntry(): Promise<void> {
    const enteredAtMs = machineNowMs();
    const { data } = await this.client.getData(LEDGER_PATH);
    const balance = Number(new TextDecoder().decode(data ?? new Uint8Array())) + 1;
    await pause(2);
    await this.client.setData(LEDGER_PATH, String(balance));
    tell({ type: 'entry-made', fence: String(currentHold().fence), enteredAtMs, balance });
  }
}

@Service({
  name: 'shop',
  address: '127.0.0.1',
  port: (shop: Shop) => shop.port,
  payload: { worker: workerName },
})
export class Shop {
  port = 0;
  #server: Server | null = null;

  constructor(
    @inject(ShopConfig) readonly config: ShopConfig,
    @inject(Ledger) readonly ledger: Ledger,
  ) {}

  async start(): Promise<void> {
    const server = createServer((_request, response) => {
      response.end(`${workerName} sells up to ${this.config.dailyLimit} ${this.config.currency} a day`);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    this.port = (server.address() as AddressInfo).port;
    this.#server = server;
  }

  stop(): void {
    this.#server?.close();
    this.#server?.closeAllConnections();
  }
}

@LeaderOnly({ name: 'close-books', every: '150ms' })
export class CloseBooks {
  async run({ signal, fence }: LeaderContext): Promise<void> {
    const startedAtMs = machineNowMs();
    await pause(20, undefined, { signal });
    tell({ type: 'run', fence: String(fence), startedAtMs });
  }
}

const ORDER_MS = 15;
const LONG_ORDER_MS = 60_000;
let orderMs = ORDER_MS;

/** Makes the orders begun from now on so long that this process still has them in hand when it is killed. */
export function slowDown(): void {
  orderMs = LONG_ORDER_MS;
  tell({ type: 'slowed' });
}

@Worker({ queue: orders, concurrency: 4, retries: 5 })
export class OrderWorker {
  async handle(job: Job<Order>): Promise<void> {
    tell({ type: 'order-started', order: job.data.number, attempt: job.attempt });
    await pause(orderMs, undefined, { signal: job.signal });
    tell({ type: 'order-done', order: job.data.number, attempt: job.attempt });
  }
}
