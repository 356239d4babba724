import type { AuthInfo, DefaultAcl, TlsSource } from '../core/client/index.js';
import type { Clock, Logger, Random } from '../core/runtime/index.js';
import type { Application } from './application.js';
import type { LastKnownGoodOptions } from './config/last-known-good.js';
import type { Token } from './container.js';
import type { ConnectTarget } from './engine.js';
import type { ApplicationEvent } from './events.js';
import type { Declared } from './module.js';
import type { Plugin } from './plugin.js';
import type { ServicesOptions } from './services.js';
import type { HealthEndpointOptions } from './runtime/health-endpoint.js';

/** Moments in the life of an application. What `connected` and `started` throw, or reject with, fails the start. */
export interface ApplicationHooks {
  /** Every event, from the very first one. */
  readonly event?: (event: ApplicationEvent) => void;
  /** A session is there, or will be later when it starts without a server; nothing is built yet. */
  readonly connected?: (application: Application) => unknown;
  readonly started?: (application: Application) => unknown;
  readonly draining?: (application: Application) => unknown;
  readonly stopped?: (application: Application) => unknown;
}

/** A value for a token. */
export interface Provision {
  readonly token: Token;
  readonly value: unknown;
}

/** Gives the value of a token, for `provide`. */
export function provide<T>(token: Token<T>, value: NoInfer<T>): Provision {
  return { token, value };
}

export interface ApplicationOptions {
  /**
   * `embedded:`, `embedded:./data`, `ws://a:7300,b:7300/chroot`, `wss://…`, `zk://a:2181,b:2181/chroot`, `zks://…`; or a
   * client or an engine made elsewhere, which stays open.
   */
  readonly connect: ConnectTarget;
  /**
   * For `wss://` and `zks://`: authorities to trust, and a certificate of this application's own; a function is called for each
   * connection.
   */
  readonly tls?: TlsSource | undefined;
  /** Identities of this application's session, such as `{ scheme: 'digest', auth: 'shop:password' }`. A refused one fails the start. */
  readonly auth?: readonly AuthInfo[] | undefined;
  /**
   * ACL of everything that declarations and recipes of this application create: `creator` for its own identities alone, or a list. `open` if
   * left out: everybody may read and write it. Without effect on a client that was made elsewhere, which has its own.
   */
  readonly acl?: DefaultAcl | undefined;
  /** Every class with a decorator that this application runs, and modules that put such classes together. */
  readonly declare: readonly Declared[];
  /** What is added to the application. */
  readonly use?: readonly Plugin[] | undefined;
  /**
   * What else can be injected. It goes before what modules and plugins provide; given for a declared class it takes the place
   * of the instance that would be built or, of a configuration, loaded: what a test replaces.
   */
  readonly provide?: readonly Provision[] | undefined;
  /**
   * Names this process among those that run the same application; host name, process id and a random part if left
   * out.
   */
  readonly id?: string | undefined;
  /** Asked for; the servers keep it within their bounds. 10 000 if left out. */
  readonly sessionTimeoutMs?: number | undefined;
  /** How long a start waits for a server. 30 000 if left out. */
  readonly connectTimeoutMs?: number | undefined;
  /** How long work in hand may go on once a stop began. 10 000 if left out. */
  readonly drainDeadlineMs?: number | undefined;
  /** Directory in which good configuration is kept, so that a start without a server is possible; without secrets, unless options say so. */
  readonly lastKnownGood?: string | LastKnownGoodOptions | undefined;
  /** Of the injected `Services`: which instances it finds. All if left out. */
  readonly services?: ServicesOptions | undefined;
  /** The variables that `@Config` may read; those of the process if left out. */
  readonly environment?: Readonly<Record<string, string | undefined>> | undefined;
  /** Answers `/livez` and `/readyz` over HTTP; nowhere if left out. */
  readonly health?: HealthEndpointOptions | undefined;
  /** An event loop that stood still for so long, in milliseconds, is told of. 1000 if left out. */
  readonly loopBlockedMs?: number | undefined;
  /** Stop on SIGTERM and SIGINT; a second one stops without waiting for work in hand. */
  readonly handleSignals?: boolean | undefined;
  readonly hooks?: ApplicationHooks | undefined;
  /**
   * Where log lines go. Default: warnings and errors to standard error, one line each, with the stack of what user code
   * threw; `silentLogger` for nothing.
   */
  readonly logger?: Logger | undefined;
  readonly clock?: Clock | undefined;
  readonly random?: Random | undefined;
}
