/** What all processes know of an order: its shape, the queue that carries it, and where it ends up. */
import { defineQueue, schemaOf } from 'quorate';

export interface Order {
  readonly number: number;
  readonly customer: string;
  readonly amount: number;
}

/** Typed for those who place orders and for those who work them off, and checked at both ends. */
export const orders = defineQueue<Order>({
  name: 'orders',
  schema: schemaOf({
    type: 'object',
    required: ['number', 'customer', 'amount'],
    additionalProperties: false,
    properties: {
      number: { type: 'integer', minimum: 1 },
      customer: { type: 'string', pattern: '^[a-z]+$' },
      amount: { type: 'integer', minimum: 0 },
    },
  }),
});

/** An order that has been worked off. */
export interface Booked extends Order {
  readonly total: number;
  /** The process that did it, and at which attempt. */
  readonly by: string;
  readonly attempt: number;
}

export interface Account {
  readonly orders: number;
  readonly balance: number;
}

/** What happened to the till at one moment of the calendar. */
export interface TillEntry {
  readonly scheduledAt: string;
  readonly booked: number;
  readonly by: string;
}
