/** Takes orders over HTTP and puts them into the queue; found by its name, wherever it listens. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import { inject, JobInvalidError, Queues, Service } from 'quorate';
import { orders, type Order } from './order.js';

@Service({ name: 'orders', address: '127.0.0.1', port: (service: OrderService) => service.port })
export class OrderService {
  readonly #server: Server = createServer((request, response) => void this.#answer(request, response));

  constructor(@inject(Queues) readonly queues: Queues) {}

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  async start(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
  }

  stop(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  /**
   * `PUT /orders/NUMBER`: 202 when it is in the queue, 422 when it is no order. To repeat it is harmless, since an order is
   * booked once; so `services.fetch` may try another instance whenever one breaks off.
   */
  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      await this.queues.of(orders).enqueue((await json(request)) as Order);
      response.writeHead(202).end();
    } catch (error) {
      response.writeHead(error instanceof JobInvalidError ? 422 : 503).end((error as Error).message);
    }
  }
}
