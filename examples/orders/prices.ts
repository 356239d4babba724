/** Configuration: in force in every process as soon as it is written, and never if it does not fit. */
import { Config } from 'quorate';
import type { Order } from './order.js';

@Config({
  name: 'prices',
  schema: {
    type: 'object',
    additionalProperties: false,
    properties: { shipping: { type: 'integer', minimum: 0 } },
  },
})
export class Prices {
  shipping = 4;

  totalOf({ amount }: Order): number {
    return amount + this.shipping;
  }
}
