import { checkOptions, type OptionNames, SIGNAL_OPTION } from '../../runtime/index.js';
import { OutcomeUnknownError, type Client, type Stat } from '../../client/index.js';
import { LayoutConflictError } from '../errors.js';
import { pathBelow } from '../nodes/znode-name.js';
import { repeatRead, hasCode, isClosed, isTransient, pause } from '../waiting/failure.js';

/** How values stand in a znode. What it throws while decoding becomes a `LayoutConflictError`. */
export interface ValueCodec<T> {
  encode(value: T): Uint8Array;
  decode(data: Uint8Array): T;
}

export interface SharedValueOptions<T> {
  /** Parent of all shared values; `/shared` by default. */
  readonly root?: string | undefined;
  /** What the value is as long as nobody has set it. */
  readonly seed: T;
  readonly codec: ValueCodec<T>;
}

/** A value with the version that it has; -1 while nobody has set it. */
export interface Versioned<T> {
  readonly value: T;
  readonly version: number;
  /** zxid that created its znode: one that was removed and made again counts its versions anew. 0 while nobody has set it. */
  readonly czxid: bigint;
}

interface WaitOptions {
  readonly signal?: AbortSignal | undefined;
}

const VALUE_OPTIONS: OptionNames<SharedValueOptions<unknown>> = { root: true, seed: true, codec: true };

/**
 * One value that all share, in one persistent znode: read by anybody, changed by anybody, changes seen by anybody.
 * (Curator's SharedValue.)
 *
 * Guarantees: changes are totally ordered; `trySet` and `update` lose no change of another. Of a write whose connection broke
 * it is not known whether it took effect: `OutcomeUnknownError`.
 */
export class SharedValue<T> {
  readonly path: string;
  readonly #client: Client;
  readonly #seed: T;
  readonly #codec: ValueCodec<T>;

  /** `name` may have several segments. Throws `InvalidNameError`. */
  constructor(client: Client, name: string, options: SharedValueOptions<T>) {
    checkOptions('SharedValue', options, VALUE_OPTIONS);
    this.path = pathBelow(options.root ?? '/shared', name, 'shared value');
    this.#client = client;
    this.#seed = options.seed;
    this.#codec = options.codec;
  }

  /** As the server that answers knows it; `client.sync` before it makes it as new as anything acknowledged. */
  async get(options: WaitOptions = {}): Promise<Versioned<T>> {
    checkOptions('SharedValue.get', options, SIGNAL_OPTION);
    try {
      const { data, stat } = await repeatRead(this.#client, options, () =>
        this.#client.getData(this.path, options),
      );
      return { value: this.#decode(data), version: stat.version, czxid: stat.czxid };
    } catch (error) {
      if (hasCode(error, 'NO_NODE')) return { value: this.#seed, version: -1, czxid: 0n };
      throw error;
    }
  }

  /**
   * Sets it, whatever it was, once: what broke with the connection, or the session, is looked up, and set again only if it had no
   * effect, until `signal` aborts.
   * @throws OutcomeUnknownError if it was changed twice meanwhile, so that this one may have been among the changes.
   */
  async set(value: T, options: WaitOptions = {}): Promise<Versioned<T>> {
    checkOptions('SharedValue.set', options, SIGNAL_OPTION);
    const { signal } = options;
    for (let attempt = 0; ; attempt++) {
      signal?.throwIfAborted();
      const previous = await this.#newestStat(options);
      try {
        const done = await this.#write(value, previous?.version ?? null, options);
        if (done !== null) return done;
      } catch (error) {
        const isInDoubt = isTransient(error) || hasCode(error, 'SESSION_EXPIRED');
        if (!isInDoubt || isClosed(this.#client, error)) throw error;
        await pause(this.#client, attempt, ...(signal === undefined ? [] : [signal]));
        const done = await this.#outcomeOf(error, { value, previous }, options);
        if (done !== null) return done;
      }
    }
  }

  /**
   * Sets it if it has still the version of `previous`; null if another was faster, and nothing was changed. Servers compare
   * versions alone, so it is read first whether the znode is still the same. Not noticed is only a znode that is removed, made
   * again and changed as often as the old one between this reading and the write.
   */
  async trySet(previous: Versioned<T>, value: T, options: WaitOptions = {}): Promise<Versioned<T> | null> {
    checkOptions('SharedValue.trySet', options, SIGNAL_OPTION);
    if (previous.version > -1 && !(await this.#isSame(previous, options))) return null;
    return this.#write(value, previous.version, options);
  }

  /**
   * Replaces the value by what `change` makes of it, again as often as another was faster. `change` may be called several
   * times, and has no effect of its own.
   * @throws OutcomeUnknownError if the connection broke while it was written: changed or not.
   */
  async update(change: (value: T) => T, options: WaitOptions = {}): Promise<Versioned<T>> {
    checkOptions('SharedValue.update', options, SIGNAL_OPTION);
    for (;;) {
      options.signal?.throwIfAborted();
      const previous = await this.#getNewest(options);
      const done = await this.#write(change(previous.value), previous.version, options);
      if (done !== null) return done;
    }
  }

  /**
   * The value now, and then whenever it has changed, until the consumer leaves, `signal` aborts or the client closes. Changes
   * that follow each other quickly may be seen as one; the last one is always seen.
   */
  async *values(options: WaitOptions = {}): AsyncIterable<Versioned<T>> {
    checkOptions('SharedValue.values', options, SIGNAL_OPTION);
    let last: Versioned<T> | undefined;
    for await (const { type } of this.#client.watch(this.path, options)) {
      if (type === 'childrenChanged') continue;
      const now = await this.#unlessOver(options, () => this.get(options));
      if (now === null) return;
      if (now.version === last?.version && now.czxid === last.czxid) continue;
      last = now;
      yield now;
    }
  }

  async #isSame({ czxid }: Versioned<T>, options: WaitOptions): Promise<boolean> {
    return (await this.#getNewest(options)).czxid === czxid;
  }

  /** Of a write of `value` to `previous` that is in doubt; null: it had no effect, and has none to come once there is another version. */
  async #outcomeOf(
    cause: unknown,
    { value, previous }: { readonly value: T; readonly previous: Stat | null },
    options: WaitOptions,
  ): Promise<Versioned<T> | null> {
    const now = await this.#newest(options);
    if (now?.stat.czxid === previous?.czxid && now?.stat.version === previous?.version) return null;
    const isSame = now !== null && (previous === null || now.stat.czxid === previous.czxid);
    if (!isSame || now.stat.version !== (previous?.version ?? -1) + 1)
      throw new OutcomeUnknownError({ operation: 'set', path: this.path, cause });
    const isOwn = haveSameBytes(now.data ?? new Uint8Array(), this.#codec.encode(value));
    return isOwn ? { value, version: now.stat.version, czxid: now.stat.czxid } : null;
  }

  async #newestStat(options: WaitOptions): Promise<Stat | null> {
    return (await this.#newest(options))?.stat ?? null;
  }

  async #newest(
    options: WaitOptions,
  ): Promise<{ readonly data: Uint8Array | null; readonly stat: Stat } | null> {
    const read = async () => {
      const [, newest] = await Promise.all([
        this.#client.sync(this.path, options),
        this.#client.getData(this.path, options),
      ]);
      return newest;
    };
    try {
      return await repeatRead(this.#client, options, read);
    } catch (error) {
      if (hasCode(error, 'NO_NODE')) return null;
      throw error;
    }
  }

  /** A server that lags behind would show the value, or even the znode, of before. */
  async #getNewest(options: WaitOptions): Promise<Versioned<T>> {
    const read = async (): Promise<Versioned<T>> => {
      const [, newest] = await Promise.all([this.#client.sync(this.path, options), this.get(options)]);
      return newest;
    };
    return repeatRead(this.#client, options, read);
  }

  /** Null if the signal aborted, or the client closed, meanwhile. */
  async #unlessOver<Read>({ signal }: WaitOptions, read: () => Promise<Read>): Promise<Read | null> {
    try {
      return await read();
    } catch (error) {
      if (signal?.aborted === true || isClosed(this.#client, error)) return null;
      throw error;
    }
  }

  /** `version` null: whatever it is; -1: it is missing. Null if it has another version. */
  async #write(value: T, version: number | null, options: WaitOptions): Promise<Versioned<T> | null> {
    const data = this.#codec.encode(value);
    const { signal } = options;
    try {
      if (version !== -1) {
        const stat = await this.#client.setData(this.path, data, { version: version ?? -1, signal });
        return { value, version: stat.version, czxid: stat.czxid };
      }
      const { stat } = await this.#client.create(this.path, data, { createParents: true, signal });
      return { value, version: stat.version, czxid: stat.czxid };
    } catch (error) {
      if (hasCode(error, 'NO_NODE') && version === null) return this.#write(value, -1, options);
      if (hasCode(error, 'BAD_VERSION') || hasCode(error, 'NODE_EXISTS') || hasCode(error, 'NO_NODE'))
        return null;
      throw error;
    }
  }

  #decode(data: Uint8Array | null): T {
    try {
      return this.#codec.decode(data ?? new Uint8Array());
    } catch (error) {
      throw new LayoutConflictError(this.path, 'holds something else than a value of this kind', error);
    }
  }
}

function haveSameBytes(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && one.every((byte, at) => byte === other[at]);
}
