/** The names of the options of calls, and of the fields of operations, which programs without types can misspell. */
import { describeOptionProblem, SIGNAL_OPTION, type OptionNames } from '../runtime/index.js';
import type { TlsOptions } from '../transport/index.js';
import type { AuthInfo } from './auth-list.js';
import type { ChildrenPageOptions, CreateOptions, Operation, ReadOptions, RequestOptions } from './client.js';
import type { ClientOptions, ConnectOptions } from './connect.js';
import { BadArgumentsError } from './errors.js';
import type { ExponentialBackoffOptions, RetryOptions } from './retry.js';

type OperationOf<Type extends Operation['type']> = Extract<Operation, { readonly type: Type }>;

export const REQUEST_OPTIONS: OptionNames<RequestOptions> = { signal: true, session: true };
export const READ_OPTIONS: OptionNames<ReadOptions> = { ...REQUEST_OPTIONS, watch: true };
export const PAGE_OPTIONS: OptionNames<ChildrenPageOptions> = { ...READ_OPTIONS, after: true, limit: true };
export const WRITE_OPTIONS: OptionNames<RequestOptions & { readonly version?: number }> = {
  ...REQUEST_OPTIONS,
  version: true,
};
export const CREATE_OPTIONS: OptionNames<CreateOptions> = {
  ...REQUEST_OPTIONS,
  mode: true,
  acl: true,
  ttlMs: true,
  uniqueName: true,
  createParents: true,
};
export const WATCH_OPTIONS: OptionNames<{
  readonly recursive?: boolean;
  readonly signal?: AbortSignal | undefined;
}> = { recursive: true, signal: true };
export const AUTH_INFO: OptionNames<AuthInfo> = { scheme: true, auth: true };
export const TLS_OPTIONS: OptionNames<TlsOptions> = {
  ca: true,
  cert: true,
  key: true,
  passphrase: true,
  serverName: true,
};
export const CLIENT_OPTIONS: OptionNames<ClientOptions> = {
  sessionTimeoutMs: true,
  attemptTimeoutMs: true,
  retry: true,
  auth: true,
  acl: true,
  transports: true,
  tls: true,
  dialer: true,
  maxPendingRequests: true,
  maxPendingBytes: true,
  maxReplyBytes: true,
  clock: true,
  random: true,
  logger: true,
};
export const CONNECT_OPTIONS: OptionNames<ConnectOptions> = {
  ...CLIENT_OPTIONS,
  connectTimeoutMs: true,
  signal: true,
};
export const BACKOFF_OPTIONS: OptionNames<ExponentialBackoffOptions> = {
  minMs: true,
  maxMs: true,
  factor: true,
  jitter: true,
  attempts: true,
  deadlineMs: true,
};
export const RETRY_OPTIONS: OptionNames<RetryOptions> = { ...SIGNAL_OPTION, clock: true, random: true };

/** Fields of the operations of a multi: a misspelt `version` would make a condition vanish. */
const OPERATIONS: { readonly [Type in Operation['type']]: OptionNames<OperationOf<Type>> } = {
  create: { type: true, path: true, data: true, mode: true, acl: true, ttlMs: true },
  delete: { type: true, path: true, version: true },
  setData: { type: true, path: true, data: true, version: true },
  check: { type: true, path: true, version: true },
};

interface Call {
  readonly operation: string;
  readonly path?: string | undefined;
}

/** Throws `BadArgumentsError` for options that are no object, one of an unknown name, and a signal that is none. */
export function checkCallOptions<Options extends object>(
  call: Call,
  options: Options,
  names: OptionNames<Options>,
): void {
  const what = describeOptionProblem(options, names);
  if (what !== null) throw new BadArgumentsError({ ...call, what });
}

/** The same for the options of a client, and for those within them. */
export function checkClientOptions<Options extends ClientOptions>(
  operation: string,
  options: Options,
  names: OptionNames<Options>,
): void {
  checkCallOptions({ operation }, options, names);
  const nested = (option: string, value: object, known: OptionNames<object>): void => {
    const what = describeOptionProblem(value, known, option);
    if (what !== null) throw new BadArgumentsError({ operation, what });
  };
  const { tls, auth } = options;
  if (tls !== undefined && typeof tls !== 'function') nested('tls', tls, TLS_OPTIONS);
  if (auth === undefined) return;
  if (!Array.isArray(auth))
    throw new BadArgumentsError({ operation, what: 'auth must be an array of { scheme, auth }' });
  for (const info of auth) nested('auth', info, AUTH_INFO);
}

/** Throws `BadArgumentsError` for an operation of a multi with a field of an unknown name. */
export function checkOperation(operation: Operation): void {
  const names: OptionNames<Operation> | undefined = OPERATIONS[operation.type];
  if (names === undefined) return;
  const what = describeOptionProblem(operation, names);
  if (what !== null) throw new BadArgumentsError({ operation: operation.type, path: operation.path, what });
}
