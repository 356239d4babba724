import { zooKeeperDialer } from '#zookeeper-transport';
import { DEFAULT_MAX_REPLY_BYTES, REPLY_MESSAGE_SLACK_BYTES } from '../protocol/index.js';
import {
  atCallerWithCauses,
  SystemClock,
  SystemRandom,
  warningLogger,
  withoutCredentials,
  type Clock,
  type Logger,
  type Random,
} from '../runtime/index.js';
import { WebSocketDialer, type Dialer, type TlsSource } from '../transport/index.js';
import { abortable } from './abortable.js';
import type { AuthInfo } from './auth-list.js';
import { Chroot } from './chroot.js';
import { ClosedError, ConnectStringError, ConnectTimeoutError } from './client-errors.js';
import type { Client } from './client.js';
import { defaultAclOf, type DefaultAcl } from './default-acl.js';
import { parseConnectString } from './connect-string.js';
import { BadArgumentsError } from './errors.js';
import { checkClientOptions, CLIENT_OPTIONS, CONNECT_OPTIONS } from './option-names.js';
import { exponentialBackoff, type RetryPolicy } from './retry.js';
import { SessionClient } from './session-client.js';

export interface ClientOptions {
  /** What is asked for; servers keep it within their own bounds. Milliseconds, default 10 000. */
  readonly sessionTimeoutMs?: number | undefined;
  /** For one attempt at one host, to the server's answer. Default: a third of the session timeout. */
  readonly attemptTimeoutMs?: number | undefined;
  /** How attempts to reach a server follow each other; when it gives up, the client closes. Default: exponential backoff without end. */
  readonly retry?: RetryPolicy | undefined;
  /** Identities for every connection. If a server refuses one, the client closes with `AuthFailedError`. */
  readonly auth?: readonly AuthInfo[] | undefined;
  /**
   * ACL of every znode whose creation names none, those of recipes and missing parents too: `creator` for everything to the identities of
   * this client (`auth`, or a certificate in `tls`) and nothing to others, or a list. Default `open`: everybody may do everything.
   */
  readonly acl?: DefaultAcl | undefined;
  /** Dialers by the scheme of the connect string, beside `ws`, `wss`, `zk` and `zks`. */
  readonly transports?: Readonly<Record<string, Dialer>> | undefined;
  /**
   * For `wss` and `zks`: authorities to trust, and a certificate of this client's own. A function is called for each connection, so that
   * renewed certificates take effect. Not in browsers.
   */
  readonly tls?: TlsSource | undefined;
  /** Dials whatever the scheme is. */
  readonly dialer?: Dialer | undefined;
  /** Requests that may wait for an answer before further ones reject with `RequestQueueFullError`. Default 10 000. */
  readonly maxPendingRequests?: number | undefined;
  /** The same in bytes of their payload. Default 64 MiB. */
  readonly maxPendingBytes?: number | undefined;
  /**
   * Largest answer of a server that is accepted, for members that run with a larger `--max-reply-bytes`, or a ZooKeeper with long lists.
   * Bytes, default 64 MiB, as members have it.
   */
  readonly maxReplyBytes?: number | undefined;
  readonly clock?: Clock | undefined;
  readonly random?: Random | undefined;
  /** Default: warnings and errors to standard error; `silentLogger` for nothing. */
  readonly logger?: Logger | undefined;
}

export interface ConnectOptions extends ClientOptions {
  /** How long to wait for the first session. Milliseconds, default 30 000. */
  readonly connectTimeoutMs?: number | undefined;
  /** Ends the waiting and closes the client; once connected it has no effect. */
  readonly signal?: AbortSignal | undefined;
}

const DEFAULT_SESSION_TIMEOUT_MS = 10_000;
const DEFAULT_CONNECT_TIMEOUT_MS = 30_000;
const DEFAULT_MAX_PENDING_REQUESTS = 10_000;
const DEFAULT_MAX_PENDING_BYTES = 64 * 1024 * 1024;
const MAX_SESSION_TIMEOUT_MS = 0x7fffffff;

/**
 * A client that is returned at once and connects by itself, for as long as it takes: for applications that start
 * without a server. Throws `ConnectStringError` and `BadArgumentsError`.
 */
export function createClient(url: string, options: ClientOptions = {}): Client {
  checkClientOptions('connect', options, CLIENT_OPTIONS);
  return clientFor(url, options);
}

/** `isAwaited`: somebody waits for the client, and gets the error that makes it close itself. */
function clientFor(url: string, options: ClientOptions, isAwaited: () => boolean = () => false): Client {
  const { scheme, addresses, chroot } = parseConnectString(url);
  const { sessionTimeoutMs = DEFAULT_SESSION_TIMEOUT_MS } = options;
  const { attemptTimeoutMs = sessionTimeoutMs / 3 } = options;
  checkDuration('sessionTimeoutMs', sessionTimeoutMs);
  checkDuration('attemptTimeoutMs', attemptTimeoutMs);
  return new SessionClient({
    addresses,
    chroot: new Chroot(chroot),
    dialer: dialerFor(url, scheme, options),
    sessionTimeoutMs: Math.round(sessionTimeoutMs),
    attemptTimeoutMs,
    policy: options.retry ?? exponentialBackoff(),
    auth: options.auth ?? [],
    acl: defaultAclOf(options.acl, { auth: options.auth, tls: options.tls }),
    limits: {
      maxRequests: options.maxPendingRequests ?? DEFAULT_MAX_PENDING_REQUESTS,
      maxBytes: options.maxPendingBytes ?? DEFAULT_MAX_PENDING_BYTES,
    },
    maxReplyBytes: options.maxReplyBytes ?? DEFAULT_MAX_REPLY_BYTES,
    clock: options.clock ?? new SystemClock(),
    random: options.random ?? new SystemRandom(),
    logger: options.logger ?? warningLogger,
    isAwaited,
  });
}

/**
 * A client with a session, and with the identities given to it accepted. Rejects with `ConnectTimeoutError` when no server accepted one in time, with the
 * signal's reason, or with what made the client close itself, such as `AuthFailedError`; the client is then closed.
 */
export async function connect(url: string, options: ConnectOptions = {}): Promise<Client> {
  try {
    return await connectTo(url, options);
  } catch (error) {
    throw atCallerWithCauses(error, connect);
  }
}

async function connectTo(url: string, options: ConnectOptions): Promise<Client> {
  checkClientOptions('connect', options, CONNECT_OPTIONS);
  const { connectTimeoutMs = DEFAULT_CONNECT_TIMEOUT_MS, signal, ...clientOptions } = options;
  checkDuration('connectTimeoutMs', connectTimeoutMs);
  signal?.throwIfAborted();
  let isAwaited = true;
  const client = clientFor(url, clientOptions, () => isAwaited);
  const timeout = new AbortController();
  const timer = client.clock.setTimer(
    connectTimeoutMs,
    () => {
      const cause = client.connectError;
      const why = cause?.message ?? 'no server has answered';
      const what = `no server of ${url} accepted a session within ${connectTimeoutMs} ms (${why})`;
      timeout.abort(
        new ConnectTimeoutError({ what, fields: { connectString: url }, cause: cause ?? undefined }),
      );
    },
    { hold: true },
  );
  try {
    await abortable(identified(client, options.auth, timeout.signal), signal);
    return client;
  } catch (error) {
    await client.close();
    throw error;
  } finally {
    isAwaited = false;
    timer.cancel();
  }
}

/**
 * Resolves when the client has a session and a server has accepted its identities. Rejects with the reason of `signal`, or with what made
 * the client close itself.
 */
export async function identified(
  client: Client,
  auth: readonly AuthInfo[] = [],
  signal?: AbortSignal,
): Promise<void> {
  try {
    await client.connected({ signal });
    // Each is being claimed already: this only waits for the answers.
    await Promise.all(auth.map((info) => client.addAuth(info.scheme, info.auth, { signal })));
    // Closed right behind its first packet, if the servers refuse sessions without an identity.
    if (client.state === 'closed') await client.connected();
  } catch (error) {
    throw error instanceof ClosedError && error.cause !== undefined ? error.cause : error;
  }
}

/**
 * Core knows no plugin: what speaks `zk` is bound by the package's map of imports, which in a browser binds nothing.
 */
function dialerFor(url: string, scheme: string, options: ClientOptions): Dialer {
  const { dialer, transports, tls, clock, maxReplyBytes = DEFAULT_MAX_REPLY_BYTES } = options;
  if (dialer !== undefined) return dialer;
  const named = transports?.[scheme];
  if (named !== undefined) return named;
  if (scheme === 'ws' || scheme === 'wss') {
    return new WebSocketDialer({ tls, maxMessageBytes: maxReplyBytes + REPLY_MESSAGE_SLACK_BYTES });
  }
  const overTcp = zooKeeperDialer({ tls, clock, maxPacketBytes: maxReplyBytes });
  if ((scheme === 'zk' || scheme === 'zks') && overTcp !== null) return overTcp;
  const native = overTcp === null ? ['ws', 'wss'] : ['ws', 'wss', 'zk', 'zks'];
  const known = [...native, ...Object.keys(transports ?? {})].join(', ');
  throw new ConnectStringError({
    what: withoutCredentials(`connect string "${url}": no transport speaks "${scheme}", only ${known}`),
    fields: { connectString: withoutCredentials(url) },
  });
}

function checkDuration(option: string, value: number): void {
  if (value > 0 && value <= MAX_SESSION_TIMEOUT_MS) return;
  throw new BadArgumentsError({
    operation: 'connect',
    what: `${option} must be a number of milliseconds above 0, not ${value}`,
    fields: { option, value },
  });
}
