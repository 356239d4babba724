/// <reference lib="esnext.disposable" preserve="true" />
/** The session client; runs in Node and in a browser. */
export type * from './client.js';
export { allChildren } from './all-children.js';
export { connect, createClient, identified, type ClientOptions, type ConnectOptions } from './connect.js';
export { parseConnectString, type ConnectString } from './connect-string.js';
export type { AuthInfo } from './auth-list.js';
export {
  exponentialBackoff,
  neverAgain,
  retry,
  type ExponentialBackoffOptions,
  type RetryOptions,
  type RetryPolicy,
} from './retry.js';
export { CREATOR_ACL, type DefaultAcl } from './default-acl.js';
export type { Pem, TlsOptions, TlsSource } from '../transport/index.js';
export { ErrorCode, OPEN_ACL, Permission, type Acl, type Id, type Stat } from '../protocol/index.js';
export {
  ApiError,
  AuthFailedError,
  BadArgumentsError,
  BadVersionError,
  ClientError,
  ConnectionLossError,
  DataInconsistencyError,
  EphemeralOnLocalSessionError,
  InvalidAclError,
  InvalidCallbackError,
  MarshallingError,
  NewConfigNoQuorumError,
  NoAuthError,
  NoChildrenForEphemeralsError,
  NoNodeError,
  NoWatcherError,
  NodeExistsError,
  NotEmptyError,
  NotReadOnlyError,
  OperationTimeoutError,
  QuotaExceededError,
  ReconfigDisabledError,
  ReconfigInProgressError,
  RequestTimeoutError,
  RuntimeInconsistencyError,
  SERVER_ERRORS,
  SessionClosedRequireSaslAuthError,
  SessionExpiredError,
  SessionMovedError,
  SystemError,
  ThrottledOpError,
  UnimplementedError,
  UnknownSessionError,
  errorOfCode,
  type ErrorClass,
  type ErrorContext,
  type ErrorFacts,
} from './errors.js';
export {
  ClosedError,
  ConnectStringError,
  ConnectTimeoutError,
  LOCAL_ERRORS,
  MultiError,
  OutcomeUnknownError,
  RequestQueueFullError,
  ReconnectExhaustedError,
  RequestTooLargeError,
  ReplyTooLargeError,
  WatchLimitError,
} from './client-errors.js';
