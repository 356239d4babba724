import type { Clock, Logger, Timer } from '../../core/runtime/index.js';
import type { EventHub } from '../events.js';
import { Holdings } from './holdings.js';

/** How often it looks. */
const INTERVAL_MS = 250;

export interface LoopMonitorOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly events: EventHub;
  /** A loop that stood for so long is told of, milliseconds. */
  readonly blockedMs: number;
  /** After so long without a word from this process the servers give away what it holds. */
  readonly sessionTimeoutMs: () => number;
}

/**
 * Sees when the event loop stood still: a timer that comes late. Tells how long, what the process held meanwhile (leaderships,
 * shards, locks, jobs), and what of that is lost. A holder that stands still cannot see its signal; only this tells
 * afterwards that for a while another may have held the same, and that only fences kept the two apart.
 */
export class LoopMonitor {
  readonly #options: LoopMonitorOptions;
  readonly #holdings: Holdings;
  #timer: Timer | undefined;
  #isStopped = false;

  constructor(options: LoopMonitorOptions) {
    this.#options = options;
    this.#holdings = new Holdings(options.clock, options.events);
  }

  start(): void {
    this.#watch();
  }

  stop(): void {
    this.#isStopped = true;
    this.#timer?.cancel();
    this.#holdings.stop();
  }

  #watch(): void {
    const { clock, blockedMs } = this.#options;
    const dueAt = clock.now() + INTERVAL_MS;
    this.#timer = clock.setTimer(INTERVAL_MS, () => {
      const durationMs = Math.round(clock.now() - dueAt);
      if (durationMs < blockedMs) this.#goOn();
      // Timers of the client are as late as this one: let them say first what is lost.
      else clock.soon(() => this.#tell(durationMs, dueAt));
    });
  }

  #goOn(): void {
    this.#holdings.forget();
    if (!this.#isStopped) this.#watch();
  }

  /** At `dueAt` the loop stood, for otherwise the timer had come: what was held then, was held all the while. */
  #tell(durationMs: number, dueAt: number): void {
    const { logger, events, sessionTimeoutMs } = this.#options;
    const isPastSession = durationMs >= sessionTimeoutMs();
    const lost = new Set<string>();
    const atRisk = new Set<string>();
    for (const { name, isLost } of this.#holdings.heldAt(dueAt))
      (isPastSession || isLost ? lost : atRisk).add(name);
    const facts = { durationMs, lost: [...lost], atRisk: [...atRisk] };
    if (lost.size > 0) logger.error('the event loop stood still, and what this process held is lost', facts);
    else logger.warn('the event loop stood still', facts);
    this.#goOn();
    events.emit({ type: 'loop-blocked', ...facts });
  }
}
