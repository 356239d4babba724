import type { Client, Operation } from '../../core/client/index.js';
import { compileSchema, type Schema } from '../schema.js';
import { candidateOf } from './candidate.js';
import { ConfigRefusedError } from './config-errors.js';
import { configPathsOf, type ConfigPaths } from './config-paths.js';

/** Values of one configuration that are kept. */
const HISTORY_LENGTH = 20;

/** Times that a write is tried again because somebody else wrote at the same moment. */
const MOST_ATTEMPTS = 5;

/** What lies beside a value: how it is judged. */
export interface ConfigRules {
  readonly schema: Schema | null;
  /** What the declaring class gives its fields: values are put over it before they are judged. */
  readonly defaults: Readonly<Record<string, unknown>>;
}

export interface StoredConfig {
  readonly value: unknown;
  /** Of the znode: grows by one with each write. */
  readonly version: number;
}

export interface ConfigHistoryEntry {
  readonly value: unknown;
  /** Milliseconds since 1970, by the servers' clock. */
  readonly writtenAt: number;
}

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

  /** Null when there is no value, so that the defaults hold. */
  async read(name: string): Promise<StoredConfig | null> {
    const found = await this.#read(configPathsOf(name).value);
    return found === null || found.text === ''
      ? null
      : { value: JSON.parse(found.text), version: found.version };
  }

  /**
   * Writes a value and keeps a copy in the history, both or neither.
   * @param options.version the version that is to be replaced; any if left out.
   * @throws ConfigRefusedError when it does not fit the rules; nothing was written.
   * @throws BadVersionError when somebody else wrote since.
   */
  async write(
    name: string,
    value: unknown,
    options: { readonly version?: number } = {},
  ): Promise<StoredConfig> {
    const paths = configPathsOf(name);
    const text = JSON.stringify(value) as string | undefined;
    const rules = await this.rules(name);
    const { schema, defaults } = rules ?? { schema: null, defaults: {} };
    const written: unknown = text === undefined ? undefined : JSON.parse(text);
    const candidate = candidateOf(defaults, written, schema === null ? () => [] : compileSchema(schema));
    if (!candidate.isValid)
      throw new ConfigRefusedError(
        paths.value,
        candidate.violations,
        'Nothing was written; correct the value.',
      );
    const version = await this.#write(paths, text!, options.version ?? -1);
    await this.#trimHistory(paths);
    return { value: written, version };
  }

  /** Newest first. */
  async history(name: string): Promise<readonly ConfigHistoryEntry[]> {
    const { history } = configPathsOf(name);
    const entries: ConfigHistoryEntry[] = [];
    for (const child of (await this.#children(history)).toReversed()) {
      const found = await this.#read(`${history}/${child}`);
      if (found !== null) entries.push({ value: JSON.parse(found.text), writtenAt: found.writtenAt });
    }
    return entries;
  }

  /** Null when no application has declared this configuration yet. */
  async rules(name: string): Promise<ConfigRules | null> {
    const found = await this.#read(configPathsOf(name).schema);
    return found === null ? null : (JSON.parse(found.text) as ConfigRules);
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

function hasCode(error: unknown, code: string): boolean {
  return error !== null && typeof error === 'object' && 'code' in error && error.code === code;
}
