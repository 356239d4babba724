import { WebSocket } from 'ws';
import type { Connection } from './connection.js';
import { dialError } from './dial-error.js';
import { nodeTlsSettings } from './tls-options.js';
import type { WebSocketOptions } from './websocket-dialer.js';
import { WsConnection } from './ws-connection.js';

/** Opens a WebSocket in Node. Rejects with a `QuorateError` of code `CONNECT_FAILED` or `TLS_FAILED`. */
export function openWebSocket(url: URL, options: WebSocketOptions, signal: AbortSignal): Promise<Connection> {
  return new Promise((resolve, reject) => {
    const fail = (cause: unknown): void => {
      signal.removeEventListener('abort', abort);
      reject(dialError(url.href, cause));
    };
    const socket = open(url, options);
    const abort = (): void => {
      fail(signal.reason);
      socket.terminate();
    };
    socket.on('error', fail);
    socket.once('close', () => fail(new Error('the connection was closed while it was being made')));
    socket.once('open', () => {
      signal.removeEventListener('abort', abort);
      resolve(new WsConnection(socket, url.host));
    });
    if (signal.aborted) abort();
    else signal.addEventListener('abort', abort, { once: true });
  });
}

/** Throws if the TLS options cannot be used. */
function open(url: URL, options: WebSocketOptions): WebSocket {
  try {
    return new WebSocket(url, [options.subprotocol], {
      perMessageDeflate: false,
      maxPayload: options.maxMessageBytes,
      followRedirects: false,
      ...(options.isMasked === false ? { generateMask: zeroMask } : {}),
      ...(url.protocol === 'wss:' ? nodeTlsSettings(options.tls) : {}),
    });
  } catch (cause) {
    throw dialError(url.href, cause);
  }
}

function zeroMask(mask: Buffer): void {
  mask.fill(0);
}
