import { checkOptions, type OptionNames } from '../../core/runtime/index.js';
import type { Client, Operation } from '../../core/client/index.js';
import type { Schema } from '../schema.js';
import { decodeApplied, type AppliedConfig } from './applied-config.js';
import { merge } from './candidate.js';
import {
  ConfigRefusedError,
  ConfigRevisionError,
  ConfigRulesError,
  ConfigUnreadableError,
} from './config-errors.js';
import { parseConfigJson } from './config-json.js';
import { configPathsOf, type ConfigPaths } from './config-paths.js';
import { differences, type Difference } from './difference.js';
import { isObject } from './overlay.js';
import { resolveReferences, type Resolution } from './references.js';
import { RulesCheck } from './rules-check.js';

/** Values of one configuration that are kept. */
const HISTORY_LENGTH = 20;

/** Times that a write is tried again because somebody else wrote at the same moment. */
const MOST_ATTEMPTS = 5;

/** What lies beside a value: how it is judged. */
export interface ConfigRules {
  readonly schema: Schema | null;
  /** What the declaring class gives its fields: values are put over it before they are judged. */
  readonly defaults: Readonly<Record<string, unknown>>;
  /** Fields that the environment of each process may set, such as `smtp.password`: they may be missing in the value. */
  readonly env?: readonly string[] | undefined;
}

export interface StoredConfig {
  readonly value: unknown;
  /** Of the znode: grows by one with each write. */
  readonly version: number;
}

export interface ConfigHistoryEntry {
  /** Grows by one with each write through a store; for `rollback` and `diff`. */
  readonly revision: number;
  readonly value: unknown;
  /** Milliseconds since 1970, by the servers' clock. */
  readonly writtenAt: number;
}

const WRITE_OPTIONS: OptionNames<{ readonly version?: number }> = { version: true };

/**
 * Writes configuration so that no application ever refuses it: a value is judged by the same rules before it is
 * written. The value is at `/config/<name>`, its rules at `/config/<name>.schema`, earlier values below
 * `/config/<name>/history`.
 */
export class ConfigStore {
  readonly #client: Client;

  constructor(client: Client) {
    this.#client = client;
  }

  /**
   * Null when there is no value, so that the defaults hold.
   * @throws ConfigUnreadableError when the data of the znode is not JSON.
   */
  async read(name: string): Promise<StoredConfig | null> {
    const path = configPathsOf(name).value;
    const found = await this.#read(path);
    if (found === null || found.text === '') return null;
    return { value: parse(found.text, path), version: found.version };
  }

  /**
   * Writes a value and keeps a copy in the history, both or neither.
   * @param options.version the version that is to be replaced; any if left out.
   * @throws ConfigRefusedError when it does not fit the rules; nothing was written.
   * @throws ConfigRulesError when the rules in the tree cannot be used; nothing was written.
   * @throws BadVersionError when somebody else wrote since.
   */
  async write(
    name: string,
    value: unknown,
    options: { readonly version?: number } = {},
  ): Promise<StoredConfig> {
    checkOptions('ConfigStore.write', options, WRITE_OPTIONS);
    const paths = configPathsOf(name);
    const text = textOf(value, paths.value);
    const written = text === undefined ? undefined : refusable(text, paths.value);
    await this.#judge(name, written);
    const version = await this.#write(paths, text!, options.version ?? -1);
    await this.#trimHistory(paths);
    return { value: written, version };
  }

  /**
   * Writes an earlier value again: that of `revision`, or the one before the newest.
   * @throws ConfigRevisionError when it is not kept (any more).
   * @throws ConfigRefusedError when it does not fit the rules of today; nothing was written.
   */
  async rollback(name: string, revision?: number): Promise<StoredConfig> {
    // A server that lags behind would take the value to be got rid of for one not written yet, and what came before it for the newest.
    await this.#client.sync(configPathsOf(name).history);
    const history = await this.history(name);
    const entry = revision === undefined ? history[1] : history.find((one) => one.revision === revision);
    if (entry === undefined)
      throw new ConfigRevisionError(
        name,
        revision,
        history.map((one) => one.revision),
      );
    return this.write(name, entry.value);
  }

  /** Where two revisions differ, of which the later one is what is in force if left out, and the earlier the one before it. */
  async diff(name: string, from?: number, to?: number): Promise<readonly Difference[]> {
    const history = await this.history(name);
    const revisions = history.map(({ revision }) => revision);
    const entryOf = (revision: number | undefined): ConfigHistoryEntry => {
      const entry = history.find((one) => one.revision === revision);
      if (entry === undefined) throw new ConfigRevisionError(name, revision, revisions);
      return entry;
    };
    const after = to === undefined ? ((await this.read(name))?.value ?? {}) : entryOf(to).value;
    const before = entryOf(from ?? revisions[to === undefined ? 1 : revisions.indexOf(to) + 1]).value;
    return differences(before, after);
  }

  /** Which process uses which version, in the order of their ids. */
  async applied(name: string): Promise<readonly AppliedConfig[]> {
    const { applied: path } = configPathsOf(name);
    const found: AppliedConfig[] = [];
    for (const child of await this.#children(path)) {
      const node = await this.#read(`${path}/${child}`);
      const one =
        node === null
          ? null
          : decodeApplied(new TextEncoder().encode(node.text), decodeURIComponent(child), node.writtenAt);
      if (one !== null) found.push(one);
    }
    return found;
  }

  /** Names of all configurations that have a value or rules. */
  async names(): Promise<readonly string[]> {
    const children = await this.#children('/config');
    const names = children.map((child) => child.replace(/\.(?:schema|applied)$/, ''));
    return [...new Set(names)];
  }

  /** Newest first. */
  async history(name: string): Promise<readonly ConfigHistoryEntry[]> {
    const { history } = configPathsOf(name);
    const entries: ConfigHistoryEntry[] = [];
    for (const child of (await this.#children(history)).toReversed()) {
      const found = await this.#read(`${history}/${child}`);
      if (found === null) continue;
      const revision = Number(child.slice(child.lastIndexOf('-') + 1));
      const value = parse(found.text, `${history}/${child}`);
      entries.push({ revision, value, writtenAt: found.writtenAt });
    }
    return entries;
  }

  /**
   * Null when no application has declared this configuration yet.
   * @throws ConfigRulesError when what is there are no rules.
   */
  async rules(name: string): Promise<ConfigRules | null> {
    const { schema: path } = configPathsOf(name);
    const found = await this.#read(path);
    return found === null ? null : rulesOf(found.text, path);
  }

  /** Publishes how values are judged; writes nothing when the same is there already. */
  async publishRules(name: string, rules: ConfigRules): Promise<void> {
    const { schema: path } = configPathsOf(name);
    const text = JSON.stringify(rules);
    const found = await this.#read(path);
    if (found?.text === text) return;
    if (found !== null) await this.#client.setData(path, text);
    else
      await this.#client.create(path, text, { createParents: true }).catch((error: unknown) => {
        // Another process of the fleet published at the same moment.
        if (!hasCode(error, 'NODE_EXISTS')) throw error;
      });
  }

  /** Validates a value as its users will, and what others make of it that refer to it. */
  async #judge(name: string, value: unknown): Promise<void> {
    await using check = new RulesCheck();
    const known = new Map<string, { readonly value: unknown }>([[name, { value }]]);
    await this.#judgeOne(name, value, { known, check, remedy: 'correct the value' });
    for (const other of await this.names()) {
      const stored = other === name ? null : await this.#readable(other);
      if (stored === null || !(await this.#dependsOn(stored.value, name))) continue;
      const remedy = `it refers to ${name}; change that first, or both in steps`;
      try {
        await this.#judgeOne(other, stored.value, { known, check, remedy });
      } catch (error) {
        // Rules of another configuration that cannot be used must not stand in the way of this one.
        if (!(error instanceof ConfigRulesError)) throw error;
      }
    }
  }

  async #judgeOne(
    name: string,
    value: unknown,
    {
      known,
      check,
      remedy,
    }: {
      readonly known: Map<string, { readonly value: unknown }>;
      readonly check: RulesCheck;
      readonly remedy: string;
    },
  ): Promise<void> {
    const { schema, defaults, env } = (await this.rules(name)) ?? { schema: null, defaults: {}, env: [] };
    const resolved = await this.#resolve(value, known);
    const merged = merge(defaults, resolved.value);
    let found: readonly string[] = [];
    if ('violations' in merged) found = merged.violations;
    else if (schema !== null && resolved.violations.length === 0) {
      const outcome = await check.run(schema, merged.value);
      if ('problem' in outcome) throw new ConfigRulesError(configPathsOf(name).schema, outcome.problem);
      found = outcome.violations.filter((one) => !isLeftToEnvironment(one, env ?? []));
    }
    const violations = [...resolved.violations, ...found];
    if (violations.length > 0)
      throw new ConfigRefusedError(configPathsOf(name).value, violations, `Nothing was written; ${remedy}.`);
  }

  /** Null for data that is not JSON too: it is in force nowhere, and must not stand in the way of other configurations. */
  async #readable(name: string): Promise<StoredConfig | null> {
    return await this.read(name).catch((error: unknown) => {
      if (error instanceof ConfigUnreadableError) return null;
      throw error;
    });
  }

  async #dependsOn(value: unknown, name: string): Promise<boolean> {
    return (await this.#resolve(value, new Map())).names.has(name);
  }

  /** Looks up what is referred to, as often as it takes. `known` holds what is not to be looked up, and grows. */
  async #resolve(value: unknown, known: Map<string, { readonly value: unknown }>): Promise<Resolution> {
    for (;;) {
      const resolution = resolveReferences(value, (name) => known.get(name));
      if (resolution.missing.size === 0) return resolution;
      for (const name of resolution.missing) known.set(name, { value: (await this.#readable(name))?.value });
    }
  }

  async #write(paths: ConfigPaths, text: string, version: number): Promise<number> {
    const keep: Operation = {
      type: 'create',
      path: `${paths.history}/value-`,
      data: text,
      mode: 'persistent-sequential',
    };
    for (let attempt = 1; ; attempt++) {
      const isThere = (await this.#client.exists(paths.value)) !== null;
      const hasHistory = (await this.#client.exists(paths.history)) !== null;
      const operations: Operation[] = [
        isThere || version !== -1
          ? { type: 'setData', path: paths.value, data: text, version }
          : { type: 'create', path: paths.value, data: text },
        ...(hasHistory ? [] : [{ type: 'create', path: paths.history } as const]),
        keep,
      ];
      try {
        if (!isThere) await this.#createRoot(paths.root);
        const [first] = await this.#client.multi(operations);
        return first?.type === 'setData' ? first.stat.version : 0;
      } catch (error) {
        const cause: unknown = (error as { cause?: unknown }).cause;
        if (hasCode(cause, 'BAD_VERSION')) throw cause;
        const isRace = hasCode(cause, 'NODE_EXISTS') || hasCode(cause, 'NO_NODE');
        // Of a version that the caller knows only the value itself may not have changed under it; for the rest, a server that
        // lags behind may have told what is there no more.
        const isTheValue = (error as { index?: unknown }).index === 0;
        if (!isRace || attempt === MOST_ATTEMPTS || (version !== -1 && isTheValue)) throw error;
      }
    }
  }

  async #createRoot(root: string): Promise<void> {
    await this.#client.create(root).catch((error: unknown) => {
      if (!hasCode(error, 'NODE_EXISTS')) throw error;
    });
  }

  async #trimHistory({ history }: ConfigPaths): Promise<void> {
    const children = await this.#children(history);
    for (const child of children.slice(0, Math.max(0, children.length - HISTORY_LENGTH))) {
      await this.#client.delete(`${history}/${child}`).catch((error: unknown) => {
        if (!hasCode(error, 'NO_NODE')) throw error;
      });
    }
  }

  async #children(path: string): Promise<readonly string[]> {
    try {
      return (await this.#client.getChildren(path)).children.toSorted();
    } catch (error) {
      if (hasCode(error, 'NO_NODE')) return [];
      throw error;
    }
  }

  async #read(path: string): Promise<{ text: string; version: number; writtenAt: number } | null> {
    try {
      const { data, stat } = await this.#client.getData(path);
      return {
        text: new TextDecoder().decode(data ?? undefined),
        version: stat.version,
        writtenAt: stat.mtime,
      };
    } catch (error) {
      if (hasCode(error, 'NO_NODE')) return null;
      throw error;
    }
  }
}

function parse(text: string, path: string): unknown {
  const parsed = parseConfigJson(text);
  if ('value' in parsed) return parsed.value;
  throw new ConfigUnreadableError(path, parsed.problem);
}

/** What was given to be written, as those will read it who use it. */
function refusable(text: string, path: string): unknown {
  const parsed = parseConfigJson(text);
  if ('value' in parsed) return parsed.value;
  throw new ConfigRefusedError(path, [parsed.problem], 'Nothing was written; correct the value.');
}

function rulesOf(text: string, path: string): ConfigRules {
  const parsed = parseConfigJson(text);
  if ('problem' in parsed) throw new ConfigRulesError(path, `they are not JSON (${parsed.problem})`);
  const { value } = parsed;
  if (!isObject(value)) throw new ConfigRulesError(path, 'they are no object');
  const { schema = null, defaults = {}, env } = value;
  if (schema !== null && !isObject(schema)) throw new ConfigRulesError(path, '"schema" is no object');
  if (!isObject(defaults)) throw new ConfigRulesError(path, '"defaults" is no object');
  if (env !== undefined && !(Array.isArray(env) && env.every((field) => typeof field === 'string')))
    throw new ConfigRulesError(path, '"env" is no list of texts');
  return { schema, defaults, env };
}

/** Undefined for what JSON leaves out, which is refused later as any other value that is no object. */
function textOf(value: unknown, path: string): string | undefined {
  try {
    return JSON.stringify(value);
  } catch (error) {
    const why = (error as Error).message.split('\n')[0]!;
    throw new ConfigRefusedError(
      path,
      [`the value is not JSON: ${why}`],
      'Nothing was written; correct the value.',
    );
  }
}

/** A field that is missing in the value, and that the environment may set. */
function isLeftToEnvironment(violation: string, env: readonly string[]): boolean {
  return env.some((field) => {
    const steps = field.split('.');
    const where = steps.length === 1 ? 'the value' : `/${steps.slice(0, -1).join('/')}`;
    return violation === `${where} must have required property '${steps.at(-1)}'`;
  });
}

function hasCode(error: unknown, code: string): boolean {
  return error !== null && typeof error === 'object' && 'code' in error && error.code === code;
}
