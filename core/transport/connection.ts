/**
 * A reliable, ordered pipe of binary messages between two processes, or within one. What a message means is
 * the business of whoever holds the connection. Two implementations: WebSocket and memory.
 */
export interface Connection {
  /** Address of the other end as `host:port` or `host`, for logs and for `ip:` identities. */
  readonly remoteAddress: string;
  /** Bytes given to `send` that have not left this process yet. */
  readonly bufferedBytes: number;
  readonly isOpen: boolean;
  /** Sets who is told; messages that arrived earlier are delivered then. To be called once. */
  handle(handlers: ConnectionHandlers): void;
  /** Queues a message. Never throws; once the connection is closed the message is dropped. Nobody writes to the bytes any more, the connection neither: others may send them too. */
  send(message: Uint8Array): void;
  /** Stops, and resumes, the delivery of messages, so that the other end is slowed down. */
  pause(): void;
  resume(): void;
  /** Closes in order: what was sent before is delivered first. Idempotent. */
  close(reason?: CloseReason): void;
  /** Closes at once; what has not left yet is dropped. Idempotent. */
  terminate(): void;
}

export interface ConnectionHandlers {
  /** A whole message. The bytes are the handler's from now on and are not written to again. */
  message(bytes: Uint8Array): void;
  /**
   * The other end has closed its own direction: nothing more arrives, but it still reads. Who does not want to know has the
   * connection closed. Only over TCP.
   */
  ended?(): void;
  /** Called exactly once, whoever closed; nothing is delivered after it. */
  closed(reason: CloseReason): void;
  /** `bufferedBytes` fell back to zero after having been above it. */
  drained?(): void;
}

/** Why a connection ends; `code` is a WebSocket close code (RFC 6455 §7.4). */
export interface CloseReason {
  readonly code: number;
  readonly text: string;
  /** The other end has said that it sends nothing more: whoever closes need not stay to read what it might. */
  readonly isLastWord?: boolean;
}

export const CloseCode = {
  normal: 1000,
  goingAway: 1001,
  protocolError: 1002,
  unsupportedData: 1003,
  abnormal: 1006,
  policyViolation: 1008,
  messageTooBig: 1009,
  internalError: 1011,
  /** This ensemble's own: no request that was not answered had an effect, or will have one. All answers were sent before. */
  notTaken: 4001,
  /** Between members: the snapshot that came over this link is damaged; the text says how. */
  snapshotRefused: 4002,
  /** To a client that has seen more than this member has applied; another one may do. */
  behind: 4003,
} as const;

/** Opens connections. `address` is in the dialer's own form, such as `ws://host:7300`. */
export interface Dialer {
  /** Rejects with a `QuorateError` of code `CONNECT_FAILED` when no connection can be made or `signal` aborts. */
  dial(address: string, options: { readonly signal: AbortSignal }): Promise<Connection>;
}
