import type { ConfigStore } from '../config/config-store.js';
import type { LastKnownGood } from '../config/last-known-good.js';
import type { PlannedConfig } from '../plan.js';
import { ConfigRunner } from './config-runner.js';
import { ConfigSources } from './config-sources.js';
import type { RunnerContext } from './runner.js';

export interface ConfigFamilyParts {
  readonly store: ConfigStore;
  readonly known: LastKnownGood | undefined;
}

/**
 * All configurations of an application: they may refer to each other, so what changes together is judged together and swapped in
 * within one turn of the event loop.
 */
export class ConfigFamily {
  readonly runners: readonly ConfigRunner[];
  readonly #sources: ConfigSources;
  #isLoaded = false;
  /** Whose znodes are not followed for now; there may be such among them that others refer to. */
  readonly #unfollowed = new Set<string>();
  /** Listeners of one reload have been told before the next begins. */
  #telling: Promise<void> = Promise.resolve();

  constructor(configs: readonly PlannedConfig[], context: RunnerContext, parts: ConfigFamilyParts) {
    const { client, clock, logger } = context;
    this.#sources = new ConfigSources(client, clock, {
      changed: () => this.#changed(),
      failed: (name, error) => {
        this.#unfollowed.add(name);
        logger.error('configuration is not followed for now', { name, error });
      },
      followed: (name) => {
        this.#unfollowed.delete(name);
        logger.info('configuration is followed again', { name });
      },
    });
    const { store, known } = parts;
    this.runners = configs.map(
      (planned) => new ConfigRunner(planned, context, { store, known, sources: this.#sources }),
    );
  }

  /** What keeps its configurations from being ready, for people; null when they are. */
  get impediment(): string | null {
    if (this.#unfollowed.size > 0)
      return `changes of ${[...this.#unfollowed].join(', ')} are not followed for now`;
    return this.#isLoaded ? null : 'is not loaded yet';
  }

  /** Resolves when every configuration has a good value; rejects as `ConfigRunner.load` does. */
  async load({ isOnline }: { readonly isOnline: boolean }): Promise<void> {
    await Promise.all(this.runners.map((runner) => runner.readLayers()));
    for (const { name } of this.runners) this.#sources.open(name);
    if (isOnline) await this.#loadSources();
    await Promise.all(this.runners.map((runner) => runner.load({ isOnline })));
    this.#isLoaded = true;
    // What changed, or became known, in between.
    this.#changed();
  }

  async close(): Promise<void> {
    this.#isLoaded = false;
    await this.#sources.close();
    await this.#telling;
    await Promise.all(this.runners.map((runner) => runner.close()));
  }

  async #loadSources(): Promise<void> {
    await this.#sources.ready(this.runners.map(({ name }) => name));
    for (let step = 0; ; step++) {
      const missing = new Set(this.runners.flatMap((runner) => [...runner.judge().missing]));
      const unknown = [...missing].filter((name) => this.#sources.current(name) === undefined);
      if (unknown.length === 0 || step > 10) return;
      await this.#sources.tried(unknown);
    }
  }

  #changed(): void {
    if (!this.#isLoaded) return;
    const news = this.runners
      .filter(({ name }) => this.#sources.current(name) !== undefined)
      .map((runner) => ({ runner, judgement: runner.judge() }))
      .filter(({ judgement }) => this.#isComplete(judgement.missing))
      .filter(({ runner, judgement }) => runner.isNews(judgement));
    const announcements = news.map(({ runner, judgement }) => runner.adopt(judgement));
    // Only now, when all are in place, does anybody hear of it.
    this.#telling = this.#telling.then(async () => {
      for (const announce of announcements) await announce?.();
    });
  }

  /** What is not known yet is looked up, and tells when it is. */
  #isComplete(missing: ReadonlySet<string>): boolean {
    for (const name of missing) this.#sources.open(name);
    return missing.size === 0;
  }
}
