import { openWebSocket } from '#websocket';
import { QuorateError } from '../runtime/index.js';
import type { Connection, Dialer } from './connection.js';
import type { TlsSource } from './tls-options.js';

export interface WebSocketOptions {
  /** Versions what the messages mean; the other end must agree. */
  readonly subprotocol: string;
  /** A message beyond this ends the connection (code 1009). */
  readonly maxMessageBytes: number;
  /** For `wss:`, in Node only. */
  readonly tls?: TlsSource | undefined;
  /**
   * False sends with a masking key of zero, which saves both ends a pass over every byte. Only where none of what is sent was
   * chosen by others to fool a proxy on the way (RFC 6455 §10.3): between members. In Node only. Default true.
   */
  readonly isMasked?: boolean | undefined;
}

/** Path and subprotocol at which a member speaks with clients. */
export const CLIENT_PATH = '/client';
export const CLIENT_SUBPROTOCOL = 'zookeeper.v1';
/** And with the other members. */
export const PEER_PATH = '/peer';
export const PEER_SUBPROTOCOL = 'quorate.peer.v1';

const DEFAULT_MAX_MESSAGE_BYTES = 65 * 1024 * 1024;

/** Opens WebSockets, in Node and in a browser. Addresses are `ws://host:port` or `wss://…`; the path `/client` is added if there is none. */
export class WebSocketDialer implements Dialer {
  readonly #options: WebSocketOptions;
  readonly #path: string;

  constructor(options: Partial<WebSocketOptions> & { readonly path?: string } = {}) {
    this.#path = options.path ?? CLIENT_PATH;
    this.#options = {
      subprotocol: options.subprotocol ?? CLIENT_SUBPROTOCOL,
      maxMessageBytes: options.maxMessageBytes ?? DEFAULT_MAX_MESSAGE_BYTES,
      tls: options.tls,
      isMasked: options.isMasked,
    };
  }

  async dial(address: string, options: { readonly signal: AbortSignal }): Promise<Connection> {
    const url = URL.canParse(address) ? new URL(address) : null;
    if (url === null || !/^wss?:$/.test(url.protocol)) {
      throw new QuorateError('CONNECT_FAILED', `Cannot connect to ${address}: give it as ws://host:port.`, {
        fields: { address },
      });
    }
    if (url.pathname === '/') url.pathname = this.#path;
    return openWebSocket(url, this.#options, options.signal);
  }
}
