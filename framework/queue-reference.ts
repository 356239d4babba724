import { checkOptions, type OptionNames } from '../core/runtime/index.js';
import type { Schema } from './schema.js';

/** Names a queue and says what its jobs carry; made by `defineQueue`, used by both ends. */
export interface QueueReference<T = unknown> {
  readonly name: string;
  readonly schema?: Schema<T> | undefined;
}

export const REFERENCE: OptionNames<QueueReference> = { name: true, schema: true };

/**
 * A queue to be shared by those who enqueue and those who work: its payload is typed at both ends.
 *
 * ```ts
 * const invoices = defineQueue<Invoice>({ name: 'invoices', schema: invoiceSchema });
 * ```
 * @throws InvalidArgumentError for a field of an unknown name.
 */
export function defineQueue<T>(reference: QueueReference<T>): QueueReference<T> {
  checkOptions('defineQueue', reference as QueueReference, REFERENCE);
  return reference;
}
