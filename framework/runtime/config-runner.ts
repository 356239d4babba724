import { NodeCache, type NodeValue } from '../../core/recipes/index.js';
import { candidateOf, parseValue, type Candidate } from '../config/candidate.js';
import { ConfigRefusedError, ConfigUnknownError } from '../config/config-errors.js';
import { configPathsOf } from '../config/config-paths.js';
import type { ConfigStore } from '../config/config-store.js';
import type { LastKnownGood } from '../config/last-known-good.js';
import { LiveConfig } from '../config/live-config.js';
import type { PlannedConfig } from '../plan.js';
import type { RunnerContext } from './runner.js';

export interface ConfigRunnerParts {
  readonly store: ConfigStore;
  /** Undefined: nothing is kept on disk. */
  readonly known: LastKnownGood | undefined;
}

/**
 * Loads one configuration and follows its znode. A value that is refused — no JSON, not an object, not fitting the
 * schema — never reaches the application: the last good value stays, and the refusal is an event and a log line.
 */
export class ConfigRunner {
  readonly live: LiveConfig;
  readonly #planned: PlannedConfig;
  readonly #context: RunnerContext;
  readonly #parts: ConfigRunnerParts;
  readonly #path: string;
  readonly #cache: NodeCache;
  readonly #closing = new AbortController();
  #following: Promise<void> = Promise.resolve();
  /** Which state of the znode was judged last: its creation and version, or that it was missing. */
  #judged: string | undefined;

  constructor(planned: PlannedConfig, context: RunnerContext, parts: ConfigRunnerParts) {
    this.#planned = planned;
    this.#context = context;
    this.#parts = parts;
    this.#path = configPathsOf(planned.name).value;
    this.#cache = new NodeCache(context.client, this.#path);
    this.live = new LiveConfig(planned.target);
  }

  /**
   * Resolves when a good value is in place. Without a server (`isOnline` false) it is the one kept on disk.
   * @throws ConfigRefusedError when the value is refused and none is known from earlier.
   * @throws ConfigUnknownError when there is no server and none is known from earlier.
   */
  async load({ isOnline }: { readonly isOnline: boolean }): Promise<void> {
    const changes = this.#cache.changes({ signal: this.#closing.signal });
    this.#cache.start();
    if (isOnline) await this.#loadFromServer();
    else await this.#loadFromDisk();
    this.#following = this.#follow(changes);
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.#cache.close();
    await this.#following;
  }

  async #loadFromServer(): Promise<void> {
    await this.#cache.ready({ signal: this.#closing.signal });
    await this.#publishRules();
    const node = this.#cache.current;
    const candidate = this.#judge(node);
    if (candidate.isValid) {
      this.live.swap(candidate.value);
      await this.#keep(node);
      this.#announceLoaded(node === null ? 'defaults' : 'znode');
      return;
    }
    this.#refuse(node, candidate.violations);
    if (!(await this.#adoptKnownGood()))
      throw new ConfigRefusedError(
        this.#path,
        candidate.violations,
        'Nothing better is known from earlier; correct the znode or delete it.',
      );
  }

  async #loadFromDisk(): Promise<void> {
    if (await this.#adoptKnownGood()) return;
    const remedy =
      this.#parts.known === undefined
        ? 'Set lastKnownGood to a directory, so that a start without a server is possible.'
        : 'It was never loaded on this machine before.';
    throw new ConfigUnknownError(this.#planned.name, remedy);
  }

  async #adoptKnownGood(): Promise<boolean> {
    const known = await this.#parts.known?.load(this.#planned.name);
    if (known === undefined) return false;
    const candidate = this.#candidate(known.value ?? {});
    if (!candidate.isValid) {
      const { violations } = candidate;
      this.#context.logger.warn('the last known good configuration does not fit any more', {
        name: this.#planned.name,
        violations,
      });
      return false;
    }
    this.live.swap(candidate.value);
    this.#announceLoaded('disk');
    return true;
  }

  /** The znode may have changed since it was loaded, or be read for the first time now. */
  async #follow(changes: AsyncIterable<unknown>): Promise<void> {
    try {
      await this.#cache.ready({ signal: this.#closing.signal });
      await this.#reload();
      for await (const _ of changes) await this.#reload();
    } catch (error) {
      if (!this.#closing.signal.aborted)
        this.#context.logger.error('configuration is not followed any more', { path: this.#path, error });
    }
  }

  async #reload(): Promise<void> {
    const node = this.#cache.current;
    if (identityOf(node) === this.#judged) return;
    const candidate = this.#judge(node);
    if (!candidate.isValid) {
      this.#refuse(node, candidate.violations);
      return;
    }
    const previous = Object.freeze({ ...this.live.instance });
    this.live.swap(candidate.value);
    for (const error of this.live.announce(previous))
      this.#context.logger.error('a reload listener threw', { path: this.#path, error });
    const version = node?.stat.version ?? -1;
    this.#context.logger.info('configuration reloaded', { path: this.#path, version });
    this.#context.events.emit({ type: 'config-reloaded', name: this.#planned.name, version });
    await this.#keep(node);
  }

  #judge(node: NodeValue | null): Candidate {
    this.#judged = identityOf(node);
    const parsed = parseValue(node?.data ?? null);
    if (parsed === undefined) return this.#candidate({});
    return 'violations' in parsed
      ? { isValid: false, violations: parsed.violations }
      : this.#candidate(parsed.value);
  }

  #candidate(value: unknown): Candidate {
    return candidateOf(this.live.defaults, value, this.#planned.validate);
  }

  #refuse(node: NodeValue | null, violations: readonly string[]): void {
    const facts = { path: this.#path, version: node?.stat.version ?? -1, violations };
    this.#context.logger.error('configuration refused, the last good value stays', facts);
    this.#context.events.emit({ type: 'config-refused', name: this.#planned.name, ...facts });
  }

  #announceLoaded(source: 'znode' | 'disk' | 'defaults'): void {
    this.#context.logger.info('configuration loaded', { path: this.#path, source });
    this.#context.events.emit({ type: 'config-loaded', name: this.#planned.name, source });
  }

  async #keep(node: NodeValue | null): Promise<void> {
    const parsed = parseValue(node?.data ?? null);
    const value = parsed !== undefined && 'value' in parsed ? parsed.value : null;
    await this.#parts.known?.save(this.#planned.name, value);
  }

  /** So that writers judge as this application will. No application depends on it. */
  async #publishRules(): Promise<void> {
    const rules = { schema: this.#planned.schema ?? null, defaults: this.live.defaults };
    try {
      await this.#parts.store.publishRules(this.#planned.name, rules);
    } catch (error) {
      this.#context.logger.warn('the schema of a configuration could not be published', {
        path: this.#path,
        error,
      });
    }
  }
}

function identityOf(node: NodeValue | null): string {
  return node === null ? 'missing' : `${node.stat.czxid}:${node.stat.mzxid}:${node.stat.version}`;
}
