/** The second door of the room, for Node only: how connections are taken in. */
export { LimitedLog } from './limited-log.js';
export { listenError, type ListenAddress } from './listen-error.js';
export { OriginPolicy, type OriginPolicyOptions } from './origin-policy.js';
export { SocketBudget, type AdmittedSocket, type SocketBudgetOptions } from './socket-budget.js';
export {
  certificateOf,
  contextOf,
  TlsGate,
  type PeerCertificate,
  type ServerTls,
  type TlsGateOptions,
  type TlsMaterial,
} from './tls-gate.js';
export {
  WebSocketListener,
  type HttpAnswer,
  type HttpCaller,
  type WebSocketListenerOptions,
  type WebSocketRoute,
} from './websocket-listener.js';
