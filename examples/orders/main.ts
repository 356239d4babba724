/**
 * An order service, as it would run on a fleet of machines: three member processes, two shops that take orders over HTTP,
 * three workshops that work them off. One of the workshops is killed in the middle of its work.
 *
 * Run: node dist/examples/orders/main.js
 *
 * Prints:
 *   3 members, 2 shops and 3 workshops are running
 *   an order without a customer is refused: 422
 *   60 orders are placed, and workshop-1 is killed
 *   the price of shipping is 9 in 2 workshops
 *   30 more orders are placed
 *   90 orders are booked, each once; none was given up
 *   the last 30 were charged the new price
 *   4 accounts add up
 *   the till was closed at most once for each second
 *   everything stopped in order
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { Application, ConfigStore, Queues, Services } from 'quorate';
import { Ensemble } from '../main/ensemble.js';
import { Ledger } from './ledger.js';
import { orders, type Order } from './order.js';
import { Processes } from './processes.js';

const CUSTOMERS = ['anna', 'bert', 'carl', 'dora'];
const PATIENCE_MS = 30_000;

const data = mkdtempSync(join(tmpdir(), 'quorate-orders-'));
const ensemble = await Ensemble.start(data);
const processes = new Processes(ensemble.address);
await using app = await Application.start({ connect: ensemble.address, declare: [] });
const services = app.get(Services);
const ledger = new Ledger(app.client);

/** Asks any shop, by the name of the service. */
async function place(order: Partial<Order>): Promise<number> {
  const body = JSON.stringify(order);
  const response = await services.fetch('orders', `/orders/${order.number}`, { method: 'PUT', body });
  await response.arrayBuffer();
  return response.status;
}

/** Places orders by these numbers, all at the same time. */
async function placeAll(from: number, to: number): Promise<void> {
  const numbers = Array.from({ length: to - from + 1 }, (_, index) => from + index);
  const placed = numbers.map((number) =>
    place({ number, customer: CUSTOMERS[number % CUSTOMERS.length]!, amount: 10 }),
  );
  const refused = (await Promise.all(placed)).filter((status) => status !== 202);
  if (refused.length > 0) throw new Error(`orders were answered with ${refused.join(', ')}`);
}

async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
  for (const end = performance.now() + PATIENCE_MS; !(await holds()); await pause(20)) {
    if (performance.now() > end) throw new Error(`waited ${PATIENCE_MS} ms in vain for ${what}`);
  }
}

try {
  await ledger.open();
  const shops = ['shop-1', 'shop-2'];
  const workshops = ['workshop-1', 'workshop-2', 'workshop-3'];
  await Promise.all([
    ...shops.map((name) => processes.start(name, 'shop')),
    ...workshops.map((name) => processes.start(name, 'workshop')),
  ]);
  console.log(`3 members, ${shops.length} shops and ${workshops.length} workshops are running`);
  // They registered at other members: after a `sync` this one has heard of them too.
  await app.client.sync('/services');
  console.log(`an order without a customer is refused: ${await place({ number: 1, amount: 10 })}`);

  await placeAll(1, 60);
  await processes.kill('workshop-1');
  console.log('60 orders are placed, and workshop-1 is killed');
  await until('60 orders to be booked', async () => (await ledger.countBooked()) === 60);

  // Written once, and judged before it is written; everybody has it a moment later.
  const prices = await app.get(ConfigStore).write('prices', { shipping: 9 });
  const applied = async (): Promise<number> => {
    const all = await app.get(ConfigStore).applied('prices');
    return all.filter(({ version }) => version === prices.version).length;
  };
  await until('the new price to be in force', async () => (await applied()) === 2);
  console.log(`the price of shipping is 9 in ${await applied()} workshops`);
  await placeAll(61, 90);
  console.log('30 more orders are placed');

  const queue = app.get(Queues).of(orders);
  // The shops put them in at other members: this one could be asked before it has heard of them, and find nothing to do.
  await app.client.sync('/queues');
  await until('the queue to be empty', async () => (await queue.counts()).jobs === 0);
  const booked = await ledger.booked();
  const { dead } = await queue.counts();
  console.log(`${booked.length} orders are booked, each once; ${dead === 0 ? 'none' : dead} was given up`);
  const dearer = booked.filter(({ number, total }) => number > 60 && total === 19);
  console.log(`the last ${dearer.length} were charged the new price`);

  const accounts = await ledger.accounts();
  const adding = [...accounts].filter(([customer, { balance }]) => {
    const own = booked.filter((order) => order.customer === customer);
    return balance === own.reduce((sum, { total }) => sum + total, 0);
  });
  console.log(`${adding.length} accounts add up`);
  const seconds = (await ledger.till()).map(({ scheduledAt }) => scheduledAt);
  const isOnce = seconds.length > 0 && new Set(seconds).size === seconds.length;
  console.log(`the till was closed ${isOnce ? 'at most once' : 'twice'} for each second`);

  const late = await processes.stop();
  await app.stop();
  await ensemble.stop();
  console.log(late.length === 0 ? 'everything stopped in order' : `did not stop in order: ${late.join()}`);
} finally {
  processes.killAll();
  ensemble.killAll();
  rmSync(data, { recursive: true });
}
