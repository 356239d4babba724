/**
 * Every way in which an operation can fail: a class for each of ZooKeeper's result codes, and a few for what
 * only a client can know. `code` is stable and for programs; the message is for people.
 */
import { ErrorCode } from '../protocol/index.js';
import { QuorateError, type ErrorFields } from '../runtime/index.js';

/** What all errors of one class have in common. */
export interface ErrorFacts {
  readonly code: string;
  /** ZooKeeper's number for it; null for what only a client can know. */
  readonly zkCode: number | null;
  /** True if nothing was done, and the same call may succeed in a while. */
  readonly retryable: boolean;
  /** What happened, and what to do about it: two halves of the message. */
  readonly what: string;
  readonly remedy: string;
}

/** What one error knows beside that. */
export interface ErrorContext {
  /** What was being done, as a verb: `getData`, `connect`. */
  readonly operation?: string | undefined;
  /** The path as the caller gave it. */
  readonly path?: string | undefined;
  /** Replaces the general sentence on what happened. */
  readonly what?: string | undefined;
  /** Overrules the class, where one case differs from the rest. */
  readonly retryable?: boolean | undefined;
  readonly cause?: unknown;
  readonly fields?: ErrorFields | undefined;
}

/** The base of everything that a client rejects with. */
export abstract class ClientError extends QuorateError {
  readonly zkCode: number | null;
  /** True if nothing was done, and the same call may succeed in a while. */
  readonly retryable: boolean;
  readonly path: string | undefined;

  constructor(context: ErrorContext = {}) {
    const facts = (new.target as unknown as ErrorClass).facts;
    super(facts.code, messageOf(facts, context), {
      fields: { ...(context.path === undefined ? {} : { path: context.path }), ...context.fields },
      cause: context.cause,
    });
    this.zkCode = facts.zkCode;
    this.retryable = context.retryable ?? facts.retryable;
    this.path = context.path;
  }
}

/** A class of errors, as the registry holds it. */
export interface ErrorClass {
  new (context?: ErrorContext): ClientError;
  readonly facts: ErrorFacts;
}

function messageOf(facts: ErrorFacts, { operation, path, what }: ErrorContext): string {
  const subject = [operation, path].filter((word) => word !== undefined).join(' ');
  const sentence = `${what ?? facts.what}: ${facts.remedy}`;
  return subject === '' ? sentence : `${subject} failed, ${sentence}`;
}

/** Facts of an error that a server answers with. */
function answered(
  code: string,
  zkCode: number,
  what: string,
  remedy: string,
  options: { readonly retryable?: boolean } = {},
): ErrorFacts {
  return { code, zkCode, what, remedy, retryable: options.retryable ?? false };
}

export class SystemError extends ClientError {
  static readonly facts = answered(
    'SYSTEM_ERROR',
    ErrorCode.systemError,
    'the server had an internal fault',
    'look into its log',
  );
}

export class RuntimeInconsistencyError extends ClientError {
  static readonly facts = answered(
    'RUNTIME_INCONSISTENCY',
    ErrorCode.runtimeInconsistency,
    'another operation of the same multi failed',
    'look at the operation before this one',
  );
}

export class DataInconsistencyError extends ClientError {
  static readonly facts = answered(
    'DATA_INCONSISTENCY',
    ErrorCode.dataInconsistency,
    'the server found its data inconsistent',
    'look into its log before anything is written again',
  );
}

/** The connection broke and the request was not, or no longer, worth repeating; it changed nothing. */
export class ConnectionLossError extends ClientError {
  static readonly facts = answered(
    'CONNECTION_LOSS',
    ErrorCode.connectionLoss,
    'the connection to the server was lost',
    'call again',
    { retryable: true },
  );
}

export class MarshallingError extends ClientError {
  static readonly facts = answered(
    'MARSHALLING_ERROR',
    ErrorCode.marshallingError,
    'one side could not decode what the other sent',
    'check that both speak the same version of the protocol',
  );
}

export class UnimplementedError extends ClientError {
  static readonly facts = answered(
    'UNIMPLEMENTED',
    ErrorCode.unimplemented,
    'the server does not know this operation or has it switched off',
    'use a newer server or switch the feature on there',
  );
}

export class OperationTimeoutError extends ClientError {
  static readonly facts = answered(
    'OPERATION_TIMEOUT',
    ErrorCode.operationTimeout,
    'the server gave up waiting',
    'find out what keeps the ensemble busy; whether the operation took effect must be read',
  );
}

export class BadArgumentsError extends ClientError {
  static readonly facts = answered(
    'BAD_ARGUMENTS',
    ErrorCode.badArguments,
    'an argument is invalid',
    'correct the call; repeating it cannot help',
  );
}

export class UnknownSessionError extends ClientError {
  static readonly facts = answered(
    'UNKNOWN_SESSION',
    ErrorCode.unknownSession,
    'the server does not know this session',
    'begin anew in the next session',
  );
}

export class NewConfigNoQuorumError extends ClientError {
  static readonly facts = answered(
    'NEW_CONFIG_NO_QUORUM',
    ErrorCode.newConfigNoQuorum,
    'no quorum of the new configuration is connected',
    'start the new members first, then call again',
    { retryable: true },
  );
}

export class ReconfigInProgressError extends ClientError {
  static readonly facts = answered(
    'RECONFIG_IN_PROGRESS',
    ErrorCode.reconfigInProgress,
    'another reconfiguration is going on',
    'call again when it is done',
    { retryable: true },
  );
}

export class ApiError extends ClientError {
  static readonly facts = answered(
    'API_ERROR',
    ErrorCode.apiError,
    'the server refused the operation',
    'look into its log',
  );
}

export class NoNodeError extends ClientError {
  static readonly facts = answered(
    'NO_NODE',
    ErrorCode.noNode,
    'there is no such znode',
    'create it, or the missing parent, first',
  );
}

export class NoAuthError extends ClientError {
  static readonly facts = answered(
    'NO_AUTH',
    ErrorCode.noAuth,
    'the access control list does not allow it',
    'add an identity that is allowed to (addAuth), or have the list changed',
  );
}

export class BadVersionError extends ClientError {
  static readonly facts = answered(
    'BAD_VERSION',
    ErrorCode.badVersion,
    'the version is not the expected one: somebody else was faster',
    'read again and decide anew',
  );
}

export class NoChildrenForEphemeralsError extends ClientError {
  static readonly facts = answered(
    'NO_CHILDREN_FOR_EPHEMERALS',
    ErrorCode.noChildrenForEphemerals,
    'the parent is ephemeral and cannot have children',
    'put the znode under a persistent parent',
  );
}

export class NodeExistsError extends ClientError {
  static readonly facts = answered(
    'NODE_EXISTS',
    ErrorCode.nodeExists,
    'there is a znode of that path already',
    'use another path, or set its data instead',
  );
}

export class NotEmptyError extends ClientError {
  static readonly facts = answered(
    'NOT_EMPTY',
    ErrorCode.notEmpty,
    'the znode has children',
    'delete them first',
  );
}

/** The session that the request belonged to is over. The request itself was not carried out. */
export class SessionExpiredError extends ClientError {
  static readonly facts = answered(
    'SESSION_EXPIRED',
    ErrorCode.sessionExpired,
    'the session is over and what it held is gone',
    'make it true again in the next session',
    { retryable: true },
  );
}

export class InvalidCallbackError extends ClientError {
  static readonly facts = answered(
    'INVALID_CALLBACK',
    ErrorCode.invalidCallback,
    'the callback is invalid',
    'correct the call',
  );
}

export class InvalidAclError extends ClientError {
  static readonly facts = answered(
    'INVALID_ACL',
    ErrorCode.invalidAcl,
    'the access control list is empty or names an unknown scheme or a malformed identity',
    'correct the list; with scheme "auth", add an identity first',
  );
}

export class AuthFailedError extends ClientError {
  static readonly facts = answered(
    'AUTH_FAILED',
    ErrorCode.authFailed,
    'the server refused the identity',
    'check scheme and credentials',
  );
}

export class SessionMovedError extends ClientError {
  static readonly facts = answered(
    'SESSION_MOVED',
    ErrorCode.sessionMoved,
    'the session has moved to another connection',
    'call again',
    { retryable: true },
  );
}

export class NotReadOnlyError extends ClientError {
  static readonly facts = answered(
    'NOT_READ_ONLY',
    ErrorCode.notReadOnly,
    'the server is read-only at present',
    'call again when it has a quorum',
    { retryable: true },
  );
}

export class EphemeralOnLocalSessionError extends ClientError {
  static readonly facts = answered(
    'EPHEMERAL_ON_LOCAL_SESSION',
    ErrorCode.ephemeralOnLocalSession,
    'a local session cannot own ephemeral znodes',
    'have the server upgrade local sessions',
  );
}

export class NoWatcherError extends ClientError {
  static readonly facts = answered(
    'NO_WATCHER',
    ErrorCode.noWatcher,
    'there is no such watch on the server',
    'nothing is left to be removed',
  );
}

export class RequestTimeoutError extends ClientError {
  static readonly facts = answered(
    'REQUEST_TIMEOUT',
    ErrorCode.requestTimeout,
    'the request took too long',
    'find out what keeps the ensemble busy; whether the operation took effect must be read',
  );
}

export class ReconfigDisabledError extends ClientError {
  static readonly facts = answered(
    'RECONFIG_DISABLED',
    ErrorCode.reconfigDisabled,
    'reconfiguration is switched off',
    'switch it on at the servers',
  );
}

export class SessionClosedRequireSaslAuthError extends ClientError {
  static readonly facts = answered(
    'SESSION_CLOSED_REQUIRE_SASL_AUTH',
    ErrorCode.sessionClosedRequireSaslAuth,
    'the server serves only clients that have authenticated',
    'give an identity in the options of the client (auth)',
  );
}

export class QuotaExceededError extends ClientError {
  static readonly facts = answered(
    'QUOTA_EXCEEDED',
    ErrorCode.quotaExceeded,
    'it would exceed the quota of this subtree, or the memory that the servers allow for all znodes',
    'delete something, or raise the quota, or --max-data-bytes and the heap (--max-old-space-size) of all members; deletes and smaller values are taken meanwhile',
  );
}

export class ThrottledOpError extends ClientError {
  static readonly facts = answered(
    'THROTTLED_OP',
    ErrorCode.throttledOp,
    'the server has too much to do and did not carry it out',
    'call again later',
    { retryable: true },
  );
}

/** The classes of ZooKeeper's result codes: the one place that knows which is which. */
export const SERVER_ERRORS: readonly ErrorClass[] = [
  SystemError,
  RuntimeInconsistencyError,
  DataInconsistencyError,
  ConnectionLossError,
  MarshallingError,
  UnimplementedError,
  OperationTimeoutError,
  BadArgumentsError,
  UnknownSessionError,
  NewConfigNoQuorumError,
  ReconfigInProgressError,
  ApiError,
  NoNodeError,
  NoAuthError,
  BadVersionError,
  NoChildrenForEphemeralsError,
  NodeExistsError,
  NotEmptyError,
  SessionExpiredError,
  InvalidCallbackError,
  InvalidAclError,
  AuthFailedError,
  SessionMovedError,
  NotReadOnlyError,
  EphemeralOnLocalSessionError,
  NoWatcherError,
  RequestTimeoutError,
  ReconfigDisabledError,
  SessionClosedRequireSaslAuthError,
  QuotaExceededError,
  ThrottledOpError,
];

const classByZkCode = new Map(SERVER_ERRORS.map((errorClass) => [errorClass.facts.zkCode, errorClass]));

/** The error for a result code that a server answered with; a code that nobody assigned becomes a `SystemError` that names it. */
export function errorOfCode(zkCode: number, context: ErrorContext): ClientError {
  const errorClass = classByZkCode.get(zkCode);
  if (errorClass !== undefined) return new errorClass(context);
  return new SystemError({ ...context, what: `the server answered with the unknown code ${zkCode}` });
}
