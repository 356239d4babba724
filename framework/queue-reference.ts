import type { Schema } from './schema.js';

/** Names a queue and says what its jobs carry; made by `defineQueue`, used by both ends. */
export interface QueueReference<T = unknown> {
  readonly name: string;
  readonly schema?: Schema<T> | undefined;
}

/**
 * A queue to be shared by those who enqueue and those who work: its payload is typed at both ends.
 *
 * ```ts
 * const invoices = defineQueue<Invoice>({ name: 'invoices', schema: invoiceSchema });
 * ```
 */
export function defineQueue<T>(reference: QueueReference<T>): QueueReference<T> {
  return reference;
}
