/** How bytes get from one process to another: the port, and its WebSocket and memory versions. */
export {
  CloseCode,
  type CloseReason,
  type Connection,
  type ConnectionHandlers,
  type Dialer,
} from './connection.js';
export { failureText } from './failure-text.js';
export { nodeTlsSettings, type NodeTlsSettings, type Pem, type TlsOptions } from './tls-options.js';
export { MemoryNetwork, type MemoryListener, type MemoryNetworkOptions } from './memory-transport.js';
export {
  CLIENT_PATH,
  CLIENT_SUBPROTOCOL,
  PEER_PATH,
  PEER_SUBPROTOCOL,
  WebSocketDialer,
  type WebSocketOptions,
} from './websocket-dialer.js';
