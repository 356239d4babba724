import { SystemClock } from '../runtime/index.js';

/** Names that Node gives to what was asked of the system once and is answered once: files, names, connections, writes. */
const REQUEST = /req|connect|^(?:write|shutdown)wrap$/i;
const SOCKET = /^(?:tcpsocket|tls|pipe)wrap$/i;

/** A request may take so much real time, and so many turns of the event loop, before time moves on without its answer: turns are slow on a busy machine. */
const PATIENCE_MS = 2000;
const PATIENCE_TURNS = 1000;

/** Within one process, a question over a socket and its answer take so many turns of the event loop. */
const TURNS_WITH_SOCKETS = 20;

/**
 * What this process waits for from the operating system, in real time, while its virtual time could already move on: so
 * that a file that is read, or a call over a socket from one part of the process to another, is not overtaken.
 */
export class SystemWork {
  /** Requests that were waited for in vain: standing ones, which are none of a test's business. */
  #standing = 0;
  readonly #clock = new SystemClock();

  /** Turns of the event loop without news after which nothing can be on its way any more, at least `turns`. */
  idleTurns(turns: number): number {
    return process.getActiveResourcesInfo().some((name) => SOCKET.test(name)) ? TURNS_WITH_SOCKETS : turns;
  }

  /** Resolves with whether one of the requests that are pending has been answered, or anything else is due now. */
  async answers(isDue: () => boolean): Promise<boolean> {
    const before = pendingRequests();
    this.#standing = Math.min(this.#standing, before);
    if (before === this.#standing) return false;
    const end = this.#clock.now() + PATIENCE_MS;
    for (let turns = 0; turns < PATIENCE_TURNS || this.#clock.now() < end; turns++) {
      await new Promise<void>((resolve) => this.#clock.setTimer(1, resolve, { hold: true }));
      if (pendingRequests() < before || isDue()) return true;
    }
    this.#standing = before;
    return false;
  }
}

function pendingRequests(): number {
  return process.getActiveResourcesInfo().filter((name) => REQUEST.test(name)).length;
}
