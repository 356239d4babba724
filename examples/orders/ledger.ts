/** The books: an order is in them once, whatever happened on its way here, and the accounts always add up. */
import { Client, currentHold, inject, multiFenced } from 'quorate';
import { MultiError, NodeExistsError, type Operation } from 'quorate/client';
import type { Account, Booked, TillEntry } from './order.js';

const ROOT = '/shop';
const FOLDERS = [ROOT, `${ROOT}/booked`, `${ROOT}/accounts`, `${ROOT}/till`];

export class Ledger {
  constructor(@inject(Client) readonly client: Client) {}

  /** Makes the folders; several processes may do so at once. */
  async open(): Promise<void> {
    for (const folder of FOLDERS) await this.client.create(folder).catch(ignoreExisting);
  }

  /**
   * Books an order and charges its customer's account, both or neither, and only while the lock of the customer is held. An
   * order that is booked already stays as it is: a job may come twice, since a worker can die after this and before it says so.
   */
  async book(order: Booked): Promise<void> {
    const path = `${ROOT}/accounts/${order.customer}`;
    const before = await this.#read(path);
    const account = (before?.value ?? { orders: 0, balance: 0 }) as Account;
    const after: Account = { orders: account.orders + 1, balance: account.balance + order.total };
    const data = JSON.stringify(after);
    const charge: Operation =
      before === null
        ? { type: 'create', path, data }
        : { type: 'setData', path, data, version: before.version };
    const booking: Operation = {
      type: 'create',
      path: `${ROOT}/booked/${order.number}`,
      data: JSON.stringify(order),
    };
    try {
      await multiFenced(this.client, currentHold(), [booking, charge]);
    } catch (error) {
      const isBooked =
        error instanceof MultiError && error.index === 0 && error.cause instanceof NodeExistsError;
      if (!isBooked) throw error;
    }
  }

  /** Adds a line to the till's roll; a second line for the same moment would be seen. */
  async closeTill(entry: TillEntry): Promise<void> {
    const path = `${ROOT}/till/${Date.parse(entry.scheduledAt)}-`;
    await this.client.create(path, JSON.stringify(entry), { mode: 'persistent-sequential' });
  }

  booked(): Promise<Booked[]> {
    return this.#readAll<Booked>(`${ROOT}/booked`);
  }

  async countBooked(): Promise<number> {
    const { children } = await this.client.getChildren(`${ROOT}/booked`);
    return children.length;
  }

  till(): Promise<TillEntry[]> {
    return this.#readAll<TillEntry>(`${ROOT}/till`);
  }

  /** By customer. */
  async accounts(): Promise<Map<string, Account>> {
    const folder = `${ROOT}/accounts`;
    const { children } = await this.client.getChildren(folder);
    const names = [...children].sort();
    const accounts = await this.#readAll<Account>(folder);
    return new Map(names.map((name, index) => [name, accounts[index]!]));
  }

  async #readAll<T>(folder: string): Promise<T[]> {
    const { children } = await this.client.getChildren(folder);
    const read = await Promise.all([...children].sort().map((name) => this.#read(`${folder}/${name}`)));
    return read.flatMap((one) => (one === null ? [] : [one.value as T]));
  }

  async #read(path: string): Promise<{ readonly value: unknown; readonly version: number } | null> {
    if ((await this.client.exists(path)) === null) return null;
    const { data, stat } = await this.client.getData(path);
    return { value: JSON.parse(new TextDecoder().decode(data ?? undefined)), version: stat.version };
  }
}

function ignoreExisting(error: unknown): void {
  if (!(error instanceof NodeExistsError)) throw error;
}
