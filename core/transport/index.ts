/** How bytes get from one process to another: the port, and its WebSocket and memory versions. */
export {
  CloseCode,
  type CloseReason,
  type Connection,
  type ConnectionHandlers,
  type Dialer,
} from './connection.js';
export {
  certificateRefusal,
  dialError,
  MISDIRECTED_STATUS,
  SERVER_WITH_HTTP,
  SERVER_WITH_TLS,
  TLS_ALERT_TYPE,
  TLS_HANDSHAKE_TYPE,
} from './dial-error.js';
export { failureText } from './failure-text.js';
export {
  MIN_TLS_VERSION,
  nodeTlsSettings,
  type NodeTlsSettings,
  type Pem,
  type TlsOptions,
  type TlsSource,
} from './tls-options.js';
export { MemoryNetwork, type MemoryListener, type MemoryNetworkOptions } from './memory-transport.js';
export {
  CLIENT_PATH,
  CLIENT_SUBPROTOCOL,
  PEER_PATH,
  PEER_SUBPROTOCOL,
  WebSocketDialer,
  type WebSocketOptions,
} from './websocket-dialer.js';
