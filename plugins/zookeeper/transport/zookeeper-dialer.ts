import { connect as connectTcp, isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { checkOptions, SystemClock, type Clock, type OptionNames } from '../../../core/runtime/index.js';
import {
  dialError,
  nodeTlsSettings,
  type Connection,
  type Dialer,
  type TlsSource,
} from '../../../core/transport/index.js';
import { TcpConnection } from '../framing/tcp-connection.js';

export interface ZooKeeperDialerOptions {
  /** For `zks:`. */
  readonly tls?: TlsSource | undefined;
  /** A packet beyond this ends the connection. Default 64 MiB, which holds the longest list of children. */
  readonly maxPacketBytes?: number | undefined;
  readonly clock?: Clock | undefined;
}

const DIALER_OPTIONS: OptionNames<ZooKeeperDialerOptions> = {
  tls: true,
  maxPacketBytes: true,
  clock: true,
};

const DEFAULT_MAX_PACKET_BYTES = 64 * 1024 * 1024;

interface Target {
  readonly host: string;
  readonly port: number;
  readonly isSecure: boolean;
}

/** Connects to servers that speak ZooKeeper's protocol over TCP, `zk://host:port`, or under TLS, `zks://host:port`. */
export class ZooKeeperDialer implements Dialer {
  readonly #tls: TlsSource;
  readonly #maxPacketBytes: number;
  readonly #clock: Clock;

  constructor(options: ZooKeeperDialerOptions = {}) {
    checkOptions('ZooKeeperDialer', options, DIALER_OPTIONS);
    this.#tls = options.tls ?? {};
    this.#maxPacketBytes = options.maxPacketBytes ?? DEFAULT_MAX_PACKET_BYTES;
    this.#clock = options.clock ?? new SystemClock();
  }

  async dial(address: string, { signal }: { readonly signal: AbortSignal }): Promise<Connection> {
    const target = targetOf(address);
    if (target === null) throw dialError(address, 'give it as zk://host:port or zks://host:port');
    if (signal.aborted) throw dialError(address, signal.reason);
    const socket = await this.#open(address, target, signal);
    return new TcpConnection(socket, { maxPacketBytes: this.#maxPacketBytes, clock: this.#clock });
  }

  /** Resolves once bytes may be sent: under TLS, when the other end has proved who it is. */
  #open(address: string, target: Target, signal: AbortSignal): Promise<Socket> {
    return new Promise((resolve, reject) => {
      const fail = (cause: unknown): void => {
        settle();
        // What else goes wrong with it is of no interest any more.
        socket.on('error', () => undefined);
        socket.destroy();
        reject(dialError(address, cause));
      };
      const abort = (): void => fail(signal.reason);
      const closed = (): void => fail(new Error('the connection was closed while it was being made'));
      const settle = (): void => {
        signal.removeEventListener('abort', abort);
        socket.off('error', fail);
        socket.off('close', closed);
      };
      let socket: Socket;
      try {
        socket = this.#start(target, () => {
          settle();
          resolve(socket);
        });
      } catch (cause) {
        // A key or a certificate that cannot be read.
        reject(dialError(address, cause));
        return;
      }
      socket.on('error', fail);
      socket.on('close', closed);
      signal.addEventListener('abort', abort, { once: true });
    });
  }

  #start({ host, port, isSecure }: Target, connected: () => void): Socket {
    // A server that has said its last word may still be told something: the connection decides when it is over.
    const endpoint = { host, port, noDelay: true, allowHalfOpen: true };
    if (!isSecure) return connectTcp(endpoint, connected);
    const tls = nodeTlsSettings(this.#tls);
    // An address of digits is no name that a server could be asked for.
    const name = tls.servername ?? (isIP(host) === 0 ? host : undefined);
    return connectTls({ ...endpoint, ...tls, ...(name !== undefined && { servername: name }) }, connected);
  }
}

function targetOf(address: string): Target | null {
  const [, scheme, host, port] = /^(zks?):\/\/(\[[^\]]+\]|[^:/]+):(\d+)$/.exec(address) ?? [];
  if (host === undefined) return null;
  return { host: host.replace(/^\[|\]$/g, ''), port: Number(port), isSecure: scheme === 'zks' };
}
