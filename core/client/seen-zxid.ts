import type { Clock, Logger } from '../runtime/index.js';
import { CloseCode } from '../transport/index.js';
import { ConnectionLossError } from './errors.js';

/** Session timeouts for which servers have to be behind before the client believes that they stay so. */
const TIMEOUTS_AHEAD = 2;

export interface SeenZxidOptions {
  readonly sessionTimeoutMs: number;
  readonly clock: Clock;
  readonly logger: Logger;
}

/**
 * What this client has seen of the history of its servers. No server that is behind it is accepted, in this session or a later one. Only
 * data that were restored from an older copy by hand leave every server behind for good: once the session is over and the servers have said
 * for two session timeouts that they are behind, the client begins anew.
 */
export class SeenZxid {
  /** Of replies: everything up to it was seen. */
  #lastZxid = 0n;
  /** Of watch events: something of it was seen, but perhaps not all events of one transaction. */
  #lastEventZxid = 0n;
  #aheadSince: number | null = null;
  readonly #options: SeenZxidOptions;

  constructor(options: SeenZxidOptions) {
    this.#options = options;
  }

  /** Of replies. */
  get last(): bigint {
    return this.#lastZxid;
  }

  /** What a server must have applied to be accepted. */
  get demanded(): bigint {
    return this.#lastEventZxid > this.#lastZxid ? this.#lastEventZxid : this.#lastZxid;
  }

  replied(zxid: bigint): void {
    if (zxid > this.#lastZxid) this.#lastZxid = zxid;
  }

  notified(zxid: bigint): void {
    if (zxid > this.#lastEventZxid) this.#lastEventZxid = zxid;
  }

  /** A server has accepted the client. */
  accepted(): void {
    this.#aheadSince = null;
  }

  /** An attempt to begin a session has failed. If that was because servers are behind, all that was seen may be forgotten. */
  refused(error: Error): void {
    if (!(error instanceof ConnectionLossError) || error.fields.closeCode !== CloseCode.behind) return;
    const { clock, logger, sessionTimeoutMs } = this.#options;
    this.#aheadSince ??= clock.now();
    if (clock.now() - this.#aheadSince < TIMEOUTS_AHEAD * sessionTimeoutMs) return;
    logger.error('the servers have an older history than this client has seen: it begins anew with theirs', {
      seen: `0x${this.demanded.toString(16)}`,
      remedy: 'if no older copy of the data was put back on purpose, look for the writes that are lost',
    });
    this.#lastZxid = 0n;
    this.#lastEventZxid = 0n;
    this.#aheadSince = null;
  }
}
