import type { Connection, ConnectionHandlers, Dialer } from '../../../core/transport/index.js';

/** A dialer that counts the messages that come in over its connections: replies, pings answered, and watch events. */
export class CountingDialer implements Dialer {
  readonly #inner: Dialer;
  received = 0;

  constructor(inner: Dialer) {
    this.#inner = inner;
  }

  async dial(address: string, options: { readonly signal: AbortSignal }): Promise<Connection> {
    const connection = await this.#inner.dial(address, options);
    const handle = connection.handle.bind(connection);
    connection.handle = (handlers: ConnectionHandlers): void =>
      handle({
        ...handlers,
        message: (bytes) => {
          this.received++;
          handlers.message(bytes);
        },
      });
    return connection;
  }
}
