import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Ensemble } from '../../examples/main/ensemble.js';
import { CLOSE_TILL } from '../../examples/orders/close-till.js';
import { Ledger } from '../../examples/orders/ledger.js';
import { orders, type Order } from '../../examples/orders/order.js';
import { Processes } from '../../examples/orders/processes.js';
import { Application, LeaderJobs, Queues, Services } from '../../framework/index.js';
import { projectRoot } from '../house/imports.js';
import { promisedOutput } from './promised-output.js';

const run = promisify(execFile);

const ORDERS = 120;
const AT_A_TIME = 12;
const CUSTOMERS = ['anna', 'bert', 'carl', 'dora', 'emil'];
const SHIPPING = 4;
/** Of a machine that has much else to do. */
const PATIENCE_MS = 60_000;

async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
  for (const end = performance.now() + PATIENCE_MS; !(await holds()); await pause(20)) {
    if (performance.now() > end) throw new Error(`waited ${PATIENCE_MS} ms in vain for ${what}`);
  }
}

/** The whole application as processes, and somebody who buys. */
class World implements AsyncDisposable {
  readonly placed: Order[] = [];

  private constructor(
    readonly data: string,
    readonly ensemble: Ensemble,
    readonly processes: Processes,
    readonly app: Application,
    readonly ledger: Ledger,
  ) {}

  static async start(): Promise<World> {
    const data = mkdtempSync(join(tmpdir(), 'quorate-orders-'));
    const ensemble = await Ensemble.start(data);
    const processes = new Processes(ensemble.address);
    const app = await Application.start({ connect: ensemble.address, declare: [] });
    const world = new World(data, ensemble, processes, app, new Ledger(app.client));
    await world.ledger.open();
    return world;
  }

  /** Until a shop has taken it: whoever does not know whether one has asks again, for the same order. */
  async place(order: Order): Promise<void> {
    this.placed.push(order);
    const body = JSON.stringify(order);
    await until(`order ${order.number} to be taken`, async () => {
      try {
        const path = `/orders/${order.number}`;
        const response = await this.app.get(Services).fetch('orders', path, { method: 'PUT', body });
        await response.arrayBuffer();
        return response.status === 202;
      } catch {
        return false;
      }
    });
  }

  /** Places orders, some at a time: faster than they are worked off, so that whoever is killed has some in hand. */
  async buy(count: number): Promise<void> {
    const one = async (): Promise<void> => {
      while (this.placed.length < count) {
        const number = this.placed.length + 1;
        await this.place({ number, customer: CUSTOMERS[number % CUSTOMERS.length]!, amount: number });
      }
    };
    await Promise.all(Array.from({ length: AT_A_TIME }, one));
  }

  /** The workshop that closes the till. */
  async tillLeader(): Promise<string> {
    let leader = '';
    await until('a workshop to close the till', async () => {
      const candidates = await this.app.get(LeaderJobs).candidates(CLOSE_TILL);
      leader = candidates.find(({ isLeader }) => isLeader)?.id ?? '';
      return leader !== '';
    });
    return leader;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.processes.killAll();
    this.ensemble.killAll();
    await this.app.stop({ deadlineMs: 0 });
    rmSync(this.data, { recursive: true });
  }
}

test('the example prints what its header says, and ends by itself', async () => {
  const program = join(projectRoot, 'dist', 'examples', 'orders', 'main.js');
  const { stdout, stderr } = await run(process.execPath, [program], { timeout: 3 * PATIENCE_MS });
  assert.equal(stdout.trimEnd().split('\n'), promisedOutput('orders/main.ts'), stderr);
});

test('every order is booked once, and no till is closed twice, though a shop, a workshop, the leader and a member are killed', async () => {
  await using world = await World.start();
  const { ensemble, processes, app, ledger } = world;
  const workshops = ['workshop-1', 'workshop-2', 'workshop-3', 'workshop-4'];
  await Promise.all([
    ...['shop-1', 'shop-2'].map((name) => processes.start(name, 'shop')),
    ...workshops.map((name) => processes.start(name, 'workshop')),
  ]);
  await until('a till to be closed', async () => (await ledger.till()).length > 0);

  // They go on buying while everything below breaks.
  const buying = world.buy(ORDERS);
  const progress = (orders: number): Promise<void> =>
    until(`${orders} orders to be booked`, async () => (await ledger.countBooked()) >= orders);

  await progress(10);
  const leader = await world.tillLeader();
  const worker = workshops.find((name) => name !== leader)!;
  await processes.kill(worker);
  await progress(25);
  await processes.kill(leader);
  await processes.start('workshop-5', 'workshop');
  await processes.kill('shop-1');
  await progress(45);
  const member = await ensemble.leader();
  await ensemble.kill(member);
  await progress(70);
  ensemble.restart(member);
  await buying;

  const queue = app.get(Queues).of(orders);
  // The shops put them in at other members: before this one has heard of them it finds nothing to do.
  await app.client.sync('/queues');
  await until('all to be done', async () => (await queue.counts()).jobs === 0);
  await until('another to close the till', async () => (await ledger.till()).some(({ by }) => by !== leader));
  const booked = await ledger.booked();
  const numbers = (some: readonly Order[]): number[] =>
    some.map(({ number }) => number).sort((a, b) => a - b);
  assert.is((await queue.counts()).dead, 0, 'no order was given up');
  assert.equal(numbers(booked), numbers(world.placed));
  for (const [customer, account] of await ledger.accounts()) {
    const own = world.placed.filter((order) => order.customer === customer);
    const balance = own.reduce((sum, { amount }) => sum + amount + SHIPPING, 0);
    assert.equal(account, { orders: own.length, balance }, customer);
  }

  const closed = (await ledger.till()).map(({ scheduledAt }) => Date.parse(scheduledAt));
  assert.is(new Set(closed).size, closed.length, 'no second was closed twice');
  const seconds = (Math.max(...closed) - Math.min(...closed)) / 1000 + 1;
  // A run that was taken and whose process was killed, or whose connection broke, is not repeated.
  assert.ok(seconds - closed.length <= 3, `${seconds - closed.length} of ${seconds} seconds are missing`);
  const runs = (await app.get(LeaderJobs).history(CLOSE_TILL)).map(({ id }) => id);
  assert.is(new Set(runs).size, runs.length);

  assert.equal(await processes.stop(), []);
  await app.stop();
  await ensemble.stop();
  const again = booked.filter(({ attempt }) => attempt > 1).length;
  console.log(
    `# ${booked.length} orders, ${again} not at the first attempt; ${closed.length} of ${seconds} tills closed`,
  );
});

test.run();
