import type { Dialer } from '../../core/transport/index.js';

/** Of the sessions that a test may want to expire. All engines grant it as it is. */
export const SESSION_TIMEOUT_MS = 2_000;
/** Of those that are to live whatever happens, however slow the machine and the servers are. All engines grant it as it is. */
export const LASTING_SESSION_MS = 20_000;

/**
 * One of the three kinds of servers that an application may run on, started for these tests. Whoever is given it must
 * not care which it is.
 */
export interface Engine extends AsyncDisposable {
  readonly name: string;
  /** Connects to the addresses in `url`. */
  readonly dialer: Dialer;
  /** For a client with `dialer`: all servers, below a chroot. */
  url(chroot: string): string;
  /** What a user would write, with nothing else: an own tree for each `place`, which is one path segment. */
  connectString(place: string): string;
  /** The server that leads, or the only one, dies and is started again; resolves when all serve. */
  restartServer(): Promise<void>;
}
