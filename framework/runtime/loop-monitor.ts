import type { Clock, Logger, Timer } from '../../core/runtime/index.js';
import type { EventHub } from '../events.js';

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
 * Sees when the event loop stood still: a timer that comes late. Tells how long, what the process held when it began, and
 * what of that is lost. A holder that stands still cannot see its signal; only this tells afterwards that for a while another
 * may have held the same, and that only fences kept the two apart.
 */
export class LoopMonitor {
  readonly #options: LoopMonitorOptions;
  /** Leaderships and shards of this process. */
  readonly #held = new Set<string>();
  readonly #stopListening: readonly (() => void)[];
  #timer: Timer | undefined;

  constructor(options: LoopMonitorOptions) {
    this.#options = options;
    const { events } = options;
    this.#stopListening = [
      events.on('leader-acquired', ({ name }) => void this.#held.add(`leadership ${name}`)),
      events.on('leader-lost', ({ name }) => void this.#held.delete(`leadership ${name}`)),
      events.on('shard-acquired', ({ name, shard }) => void this.#held.add(`shard ${name}/${shard}`)),
      events.on('shard-lost', ({ name, shard }) => void this.#held.delete(`shard ${name}/${shard}`)),
    ];
  }

  start(): void {
    this.#watch();
  }

  stop(): void {
    this.#timer?.cancel();
    for (const stop of this.#stopListening) stop();
  }

  #watch(): void {
    const { clock, blockedMs } = this.#options;
    const dueAt = clock.now() + INTERVAL_MS;
    const heldBefore = this.#held.size === 0 ? [] : [...this.#held];
    this.#timer = clock.setTimer(INTERVAL_MS, () => {
      const durationMs = Math.round(clock.now() - dueAt);
      // Timers of the client are as late as this one: let them say first what is lost.
      if (durationMs >= blockedMs) clock.soon(() => this.#tell(durationMs, heldBefore));
      this.#watch();
    });
  }

  #tell(durationMs: number, held: readonly string[]): void {
    const { logger, events, sessionTimeoutMs } = this.#options;
    const isPastSession = durationMs >= sessionTimeoutMs();
    const lost = held.filter((name) => isPastSession || !this.#held.has(name));
    const atRisk = held.filter((name) => !lost.includes(name));
    if (lost.length > 0)
      logger.error('the event loop stood still, and what this process held is lost', {
        durationMs,
        lost,
        atRisk,
      });
    else logger.warn('the event loop stood still', { durationMs, atRisk });
    events.emit({ type: 'loop-blocked', durationMs, lost, atRisk });
  }
}
