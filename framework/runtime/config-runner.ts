import { KeptNode, type NodeValue } from '../../core/recipes/index.js';
import { encodeApplied } from '../config/applied-config.js';
import { candidateOf, parseValue, type Candidate } from '../config/candidate.js';
import { ConfigRefusedError, ConfigUnknownError } from '../config/config-errors.js';
import { configPathsOf } from '../config/config-paths.js';
import type { ConfigStore } from '../config/config-store.js';
import type { LastKnownGood } from '../config/last-known-good.js';
import { Layers } from '../config/layers.js';
import { LiveConfig } from '../config/live-config.js';
import { overlay } from '../config/overlay.js';
import { resolveReferences, type Lookup } from '../config/references.js';
import { withoutSecrets } from '../config/secrets.js';
import type { PlannedConfig } from '../plan.js';
import type { ConfigSources } from './config-sources.js';
import type { RunnerContext } from './runner.js';

export interface ConfigRunnerParts {
  readonly store: ConfigStore;
  /** Undefined: nothing is kept on disk. */
  readonly known: LastKnownGood | undefined;
  readonly sources: ConfigSources;
}

/** What the znodes say now, judged. */
export interface Judgement {
  /** Tells it from every other state of the znodes that it depends on. */
  readonly identity: string;
  readonly candidate: Candidate;
  /** What the fleet says, with references put in, before the local layers; null: nothing. */
  readonly fleetValue: unknown;
  /** Referred to, and not known yet: nothing can be said. */
  readonly missing: ReadonlySet<string>;
}

/**
 * One configuration: what is in force, and how a state of its znodes is judged. A value that is refused — no JSON, not an
 * object, not fitting the schema, a reference to nothing — never reaches the application: the last good value stays, and the
 * refusal is an event and a log line.
 */
export class ConfigRunner {
  readonly live: LiveConfig;
  readonly name: string;
  readonly #planned: PlannedConfig;
  readonly #context: RunnerContext;
  readonly #parts: ConfigRunnerParts;
  readonly #path: string;
  readonly #applied: KeptNode;
  #layers: Layers | undefined;
  /** The state of the znodes that was judged last. */
  #judged: string | undefined;

  constructor(planned: PlannedConfig, context: RunnerContext, parts: ConfigRunnerParts) {
    this.name = planned.name;
    this.#planned = planned;
    this.#context = context;
    this.#parts = parts;
    const { value, applied } = configPathsOf(planned.name);
    this.#path = value;
    this.live = new LiveConfig(planned.target);
    this.#applied = new KeptNode(context.client, {
      path: `${applied}/${encodeURIComponent(context.id)}`,
      data: null,
      isSequential: false,
    });
  }

  /** @throws ConfigLayerError when a file or a variable cannot be used. */
  async readLayers(): Promise<void> {
    const { schema, layers } = this.#planned;
    this.#layers = await Layers.read(layers, { schema, environment: this.#context.environment });
  }

  /**
   * Puts the first good value in place. With no server (`isOnline` false) it is the one kept on disk.
   * @throws ConfigRefusedError when the value is refused and none is known from earlier.
   * @throws ConfigUnknownError when there is no server and none is known from earlier.
   */
  async load({ isOnline }: { readonly isOnline: boolean }): Promise<void> {
    if (!isOnline) return this.#loadFromDisk();
    await this.#publishRules();
    const judgement = this.judge();
    this.#judged = judgement.identity;
    const candidate = known(judgement);
    if (candidate.isValid) {
      this.live.swap(candidate.value);
      await this.#keep(judgement);
      this.#announceLoaded(this.#node === null ? 'defaults' : 'znode');
    } else {
      this.#refuse(candidate.violations);
      if (!(await this.#adoptKnownGood()))
        throw new ConfigRefusedError(
          this.#path,
          candidate.violations,
          'Nothing better is known from earlier; correct the znode or delete it.',
        );
    }
    this.#tell(candidate.isValid ? 'applied' : 'refused');
  }

  /** What the znodes say now; changes nothing. Never throws: a value that cannot be evaluated is refused. */
  judge(): Judgement {
    try {
      return this.#evaluate();
    } catch (error) {
      // Not its message, which may quote the value.
      const kind = error instanceof Error ? error.name : typeof error;
      return {
        identity: `${identityOf(this.#node)}, not evaluated`,
        candidate: { isValid: false, violations: [`the value cannot be evaluated (${kind})`] },
        fleetValue: null,
        missing: new Set(),
      };
    }
  }

  #evaluate(): Judgement {
    const identities = [identityOf(this.#node)];
    const unreadable: string[] = [];
    const found = new Map<string, ReturnType<Lookup>>();
    // Each znode is parsed once, however often it is referred to.
    const lookup: Lookup = (name) => {
      if (!found.has(name)) found.set(name, read(name));
      return found.get(name);
    };
    const read: Lookup = (name) => {
      const node = this.#parts.sources.current(name);
      if (node === undefined) return undefined;
      identities.push(`${name}=${identityOf(node)}`);
      const parsed = parseValue(node?.data ?? null);
      if (parsed !== undefined && 'violations' in parsed)
        unreadable.push(`${name}: ${parsed.violations.join('; ')}`);
      return { value: parsed !== undefined && 'value' in parsed ? parsed.value : undefined };
    };
    const parsed = parseValue(this.#node?.data ?? null);
    const own = parsed ?? { value: {} };
    if ('violations' in own)
      return {
        identity: identities.join(),
        candidate: { isValid: false, violations: own.violations },
        fleetValue: null,
        missing: new Set(),
      };
    const { value, violations, missing } = resolveReferences(own.value, lookup);
    const problems = [...violations, ...unreadable];
    return {
      identity: identities.join(),
      candidate: problems.length > 0 ? { isValid: false, violations: problems } : this.#candidate(value),
      fleetValue: parsed === undefined ? null : value,
      missing,
    };
  }

  /** Whether it is about another state of the znodes than was judged last; from now on this is the last one. */
  isNews({ identity }: Judgement): boolean {
    const isNews = identity !== this.#judged;
    this.#judged = identity;
    return isNews;
  }

  /** Puts a good value in place, or says that it is not; returns how listeners are told, once all is in place. */
  adopt(judgement: Judgement): (() => Promise<void>) | null {
    const { candidate } = judgement;
    if (!candidate.isValid) {
      this.#refuse(candidate.violations);
      this.#tell('refused');
      return null;
    }
    const previous = Object.freeze({ ...this.live.instance });
    try {
      this.live.swap(candidate.value);
    } catch {
      this.#refuse(['the configuration object does not take the value: its class seals it']);
      this.#tell('refused');
      return null;
    }
    return () => this.#announceReloaded(previous, judgement);
  }

  close(): Promise<void> {
    return this.#applied.close();
  }

  get #node(): NodeValue | null {
    return this.#parts.sources.current(this.name) ?? null;
  }

  async #loadFromDisk(): Promise<void> {
    if (await this.#adoptKnownGood()) return;
    const remedy =
      this.#parts.known === undefined
        ? 'Set lastKnownGood to a directory, so that a start without a server is possible.'
        : 'It was never loaded on this machine before, or was kept without secrets that the environment does not set.';
    throw new ConfigUnknownError(this.name, remedy);
  }

  async #adoptKnownGood(): Promise<boolean> {
    const known = await this.#parts.known?.load(this.name);
    if (known === undefined) return false;
    const { overridden } = this.#layers!;
    const absent = known.withheld.filter((field) => !overridden.includes(field));
    if (absent.length > 0) {
      // A default in the place of a secret would be a wrong value.
      this.#context.logger.warn('the last known good configuration was kept without its secrets', {
        name: this.name,
        secrets: absent,
      });
      return false;
    }
    const candidate = this.#candidate(known.value ?? {});
    if (!candidate.isValid) {
      const { violations } = candidate;
      this.#context.logger.warn('the last known good configuration does not fit any more', {
        name: this.name,
        violations,
      });
      return false;
    }
    this.live.swap(candidate.value);
    this.#announceLoaded('disk');
    return true;
  }

  #candidate(fleetValue: unknown): Candidate {
    return candidateOf(this.live.defaults, this.#layers!.around(fleetValue), this.#planned.validate);
  }

  async #announceReloaded(previous: Readonly<Record<string, unknown>>, judgement: Judgement): Promise<void> {
    const { events, logger } = this.#context;
    for (const error of this.live.announce(previous))
      logger.error('a reload listener threw', { path: this.#path, error });
    const version = this.#node?.stat.version ?? -1;
    logger.info('configuration reloaded', { path: this.#path, version });
    events.emit({ type: 'config-reloaded', name: this.name, version });
    this.#tell('applied');
    await this.#keep(judgement);
  }

  #refuse(violations: readonly string[]): void {
    const facts = { path: this.#path, version: this.#node?.stat.version ?? -1, violations };
    this.#context.logger.error('configuration refused, the last good value stays', facts);
    this.#context.events.emit({ type: 'config-refused', name: this.name, ...facts });
  }

  #announceLoaded(source: 'znode' | 'disk' | 'defaults'): void {
    const { overridden } = this.#layers!;
    this.#context.logger.info('configuration loaded', { path: this.#path, source, overridden });
    this.#context.events.emit({ type: 'config-loaded', name: this.name, source });
  }

  async #keep({ fleetValue }: Judgement): Promise<void> {
    await this.#parts.known?.save(this.name, fleetValue, this.#planned.schema);
  }

  /** Lets the fleet know which version is in force here. Nothing depends on it. */
  #tell(state: 'applied' | 'refused'): void {
    const { overridden } = this.#layers!;
    const data = encodeApplied({ version: this.#node?.stat.version ?? -1, state, overridden });
    const telling = this.#applied.setData(data);
    if (this.#applied.state === 'latent') this.#applied.start();
    telling.catch((error: unknown) =>
      this.#context.logger.debug('it was not told which configuration is in force', {
        path: this.#path,
        error,
      }),
    );
  }

  /** So that writers judge as this application will. No application depends on it. */
  async #publishRules(): Promise<void> {
    const { schema = null, layers } = this.#planned;
    const all = overlay(this.live.defaults, this.#layers!.below);
    // The tree is read by many. What is left out may be missing in a value, as if the environment set it.
    const { value, withheld } = withoutSecrets(all, schema);
    const defaults = (value ?? {}) as Readonly<Record<string, unknown>>;
    const absent = [...new Set([...Object.keys(layers.env ?? {}), ...withheld])];
    try {
      const env = layers.env === undefined && absent.length === 0 ? undefined : absent;
      await this.#parts.store.publishRules(this.name, { schema, defaults, env });
    } catch (error) {
      this.#context.logger.warn('the schema of a configuration could not be published', {
        path: this.#path,
        error,
      });
    }
  }
}

/** What is referred to and cannot be read is refused: the value is not known without it. */
function known({ candidate, missing }: Judgement): Candidate {
  if (missing.size === 0) return candidate;
  return {
    isValid: false,
    violations: [...missing].map((name) => `the value refers to ${name}, which cannot be read`),
  };
}

function identityOf(node: NodeValue | null): string {
  return node === null ? 'missing' : `${node.stat.czxid}:${node.stat.mzxid}:${node.stat.version}`;
}
