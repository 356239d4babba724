/** What can go wrong that no server answers with: only the client itself knows. */
import { ClientError, type ErrorFacts } from './errors.js';

function known(
  code: string,
  what: string,
  remedy: string,
  options: { readonly retryable?: boolean } = {},
): ErrorFacts {
  return { code, zkCode: null, what, remedy, retryable: options.retryable ?? false };
}

/** A write was under way when the connection broke: it took effect, or takes effect yet, or never will. */
export class OutcomeUnknownError extends ClientError {
  static readonly facts = known(
    'OUTCOME_UNKNOWN',
    'the connection broke before the answer came, so the write may or may not have taken effect',
    'read what is there, then decide whether to repeat it',
  );
}

export class ClosedError extends ClientError {
  static readonly facts = known('CLOSED', 'the client is closed', 'open another client');
}

/** No server could be reached within the time allowed. */
export class ConnectTimeoutError extends ClientError {
  static readonly facts = known(
    'CONNECT_TIMEOUT',
    'no server accepted a session in time',
    'check the addresses, that a quorum of the ensemble runs, and the network',
    { retryable: true },
  );
}

/** The retry policy allows no further attempt to reach a server; the client is closed. */
export class ReconnectExhaustedError extends ClientError {
  static readonly facts = known(
    'RECONNECT_EXHAUSTED',
    'the retry policy allows no further attempt to reach a server',
    'check the addresses and the network, then open another client',
  );
}

export class ConnectStringError extends ClientError {
  static readonly facts = known(
    'CONNECT_STRING',
    'the connect string is invalid',
    'write it as ws://host:port,host:port/chroot',
  );
}

/** More is waiting for the server than the client may hold. */
export class RequestQueueFullError extends ClientError {
  static readonly facts = known(
    'REQUEST_QUEUE_FULL',
    'too many requests are waiting for an answer',
    'wait for some of them before you make more, or raise maxPendingRequests or maxPendingBytes',
    { retryable: true },
  );
}

export class RequestTooLargeError extends ClientError {
  static readonly facts = known(
    'REQUEST_TOO_LARGE',
    'the request is larger than a server accepts',
    'split it, or keep the bulk elsewhere and only a reference to it in the znode',
  );
}

/** The answer to a read is larger than the server, or this client, allows. Nothing else of the client is harmed. */
export class ReplyTooLargeError extends ClientError {
  static readonly facts = known(
    'REPLY_TOO_LARGE',
    'the answer is larger than is allowed',
    'read children page by page (getChildrenPage, allChildren) and other things in smaller parts, spread the children over several znodes, or raise --max-reply-bytes of the members and maxReplyBytes of the client',
  );
}

/** The watch was not set, since the connection, or all clients of the server together, have too many. */
export class WatchLimitError extends ClientError {
  static readonly facts = known(
    'WATCH_LIMIT',
    'the server allows no more watches',
    'remove some, watch a subtree with one recursive watch, or raise --max-watch-bytes or --max-total-watch-bytes',
  );
}

/** One operation of a multi failed, so none of them took effect. `cause` is the error of that operation. */
export class MultiError extends ClientError {
  static readonly facts = known(
    'MULTI_FAILED',
    'one of its operations failed',
    'none of them took effect; see the cause',
  );
  /** Position of the operation that failed. */
  readonly index: number;
  override readonly cause: ClientError;

  constructor(context: { readonly index: number; readonly cause: ClientError }) {
    const { index, cause } = context;
    super({
      operation: 'multi',
      path: cause.path,
      what: `operation ${index} of it (${cause.message})`,
      retryable: cause.retryable,
      fields: { index, causeCode: cause.code },
      cause,
    });
    this.index = index;
    this.cause = cause;
  }
}

/** The classes that carry no code of ZooKeeper's. */
export const LOCAL_ERRORS: readonly { readonly facts: ErrorFacts }[] = [
  OutcomeUnknownError,
  ClosedError,
  ConnectTimeoutError,
  ReconnectExhaustedError,
  ConnectStringError,
  RequestQueueFullError,
  RequestTooLargeError,
  ReplyTooLargeError,
  WatchLimitError,
  MultiError,
];
