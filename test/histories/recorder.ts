import type { Connection } from '../../core/transport/index.js';
import type { Traffic } from './history.js';

/** Writes down everything that passes the client's ends of connections. */
export class Recorder {
  readonly traffic: Traffic[] = [];
  #connections = 0;

  /** The connection, read along. */
  tap(inner: Connection, client: string): Connection {
    const connection = this.#connections++;
    const { traffic } = this;
    const note = (what: { type: 'sent' | 'received'; bytes: Uint8Array }): void => {
      traffic.push({ connection, client, at: Date.now(), ...what });
    };
    return {
      remoteAddress: inner.remoteAddress,
      get bufferedBytes() {
        return inner.bufferedBytes;
      },
      get isOpen() {
        return inner.isOpen;
      },
      handle: (handlers) =>
        inner.handle({
          ...handlers,
          message: (bytes) => {
            note({ type: 'received', bytes });
            handlers.message(bytes);
          },
          closed: (reason) => {
            const { code, text } = reason;
            traffic.push({ connection, client, at: Date.now(), type: 'closed', code, text });
            handlers.closed(reason);
          },
        }),
      send: (bytes) => {
        note({ type: 'sent', bytes });
        inner.send(bytes);
      },
      pause: () => inner.pause(),
      resume: () => inner.resume(),
      close: (reason) => inner.close(reason),
      terminate: () => inner.terminate(),
    };
  }
}
