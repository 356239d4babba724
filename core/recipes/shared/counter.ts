import { checkOptions, type OptionNames, SIGNAL_OPTION } from '../../runtime/index.js';
import type { Client } from '../../client/index.js';
import { repeatRead } from '../waiting/failure.js';
import { SharedValue, type ValueCodec, type Versioned } from './shared-value.js';

const LONG_BYTES = 8;
const INT_BYTES = 4;

export interface CounterOptions {
  /** Parent of all counters; `/counters` by default. */
  readonly root?: string | undefined;
  /** What it is as long as nobody has changed it; 0 if left out. */
  readonly seed?: bigint | undefined;
  /**
   * `long`: 64 bits, as Curator's DistributedAtomicLong writes it, the default; `int`: 32 bits, as its SharedCount and
   * DistributedAtomicInteger; `text`: decimal digits, as kazoo's Counter.
   */
  readonly format?: 'long' | 'int' | 'text' | undefined;
}

const COUNTER_OPTIONS: OptionNames<CounterOptions> = { root: true, seed: true, format: true };

/**
 * A whole number that all share and anybody changes; no change is lost. It wraps around at the end of its format.
 *
 * Each change is one write if nobody else is at it, one more for each that was faster: for a few changes a second, not for
 * thousands. `add` that rejects with `OutcomeUnknownError` may have taken effect: who must count exactly looks before it
 * adds again.
 */
export class Counter {
  readonly path: string;
  readonly #client: Client;
  readonly #value: SharedValue<bigint>;
  readonly #wrap: (value: bigint) => bigint;

  /** `name` may have several segments. Throws `InvalidNameError`. */
  constructor(client: Client, name: string, options: CounterOptions = {}) {
    checkOptions('Counter', options, COUNTER_OPTIONS);
    const { root = '/counters', seed = 0n, format = 'long' } = options;
    this.#client = client;
    this.#value = new SharedValue(client, name, { root, seed, codec: CODECS[format] });
    this.path = this.#value.path;
    this.#wrap = (value) => (format === 'text' ? value : BigInt.asIntN(format === 'int' ? 32 : 64, value));
  }

  async get(options: { readonly signal?: AbortSignal | undefined } = {}): Promise<bigint> {
    checkOptions('Counter.get', options, SIGNAL_OPTION);
    return (await this.#value.get(options)).value;
  }

  /** Returns what it is now. */
  async add(amount: bigint, options: { readonly signal?: AbortSignal | undefined } = {}): Promise<bigint> {
    checkOptions('Counter.add', options, SIGNAL_OPTION);
    return (await this.#value.update((value) => this.#wrap(value + amount), options)).value;
  }

  increment(): Promise<bigint> {
    return this.add(1n);
  }

  decrement(): Promise<bigint> {
    return this.add(-1n);
  }

  /** Whether it was `expected`, and is `value` now; false changes nothing. */
  async compareAndSet(expected: bigint, value: bigint): Promise<boolean> {
    for (let isCaughtUp = false; ;) {
      const previous = await this.#value.get();
      if (previous.value !== expected) {
        if (isCaughtUp) return false;
        // The server that answers reads may be behind the one whose answer the caller goes by.
        await repeatRead(this.#client, {}, () => this.#client.sync(this.path));
        isCaughtUp = true;
        continue;
      }
      if ((await this.#value.trySet(previous, this.#wrap(value))) !== null) return true;
    }
  }

  /** As `SharedValue.set`. */
  async set(value: bigint, options: { readonly signal?: AbortSignal | undefined } = {}): Promise<void> {
    checkOptions('Counter.set', options, SIGNAL_OPTION);
    await this.#value.set(this.#wrap(value), options);
  }

  /** What it is now, and whenever it has changed; as `SharedValue.values`. */
  values(options: { readonly signal?: AbortSignal | undefined } = {}): AsyncIterable<Versioned<bigint>> {
    checkOptions('Counter.values', options, SIGNAL_OPTION);
    return this.#value.values(options);
  }
}

const CODECS: Readonly<Record<'long' | 'int' | 'text', ValueCodec<bigint>>> = {
  long: {
    encode(value) {
      const bytes = new Uint8Array(LONG_BYTES);
      new DataView(bytes.buffer).setBigInt64(0, value);
      return bytes;
    },
    decode: (data) => viewOf(data, LONG_BYTES)?.getBigInt64(0) ?? 0n,
  },
  int: {
    encode(value) {
      const bytes = new Uint8Array(INT_BYTES);
      new DataView(bytes.buffer).setInt32(0, Number(value));
      return bytes;
    },
    decode: (data) => BigInt(viewOf(data, INT_BYTES)?.getInt32(0) ?? 0),
  },
  text: {
    encode: (value) => new TextEncoder().encode(String(value)),
    decode: (data) => BigInt(new TextDecoder().decode(data)),
  },
};

/** Null if there is nothing; throws if it is something else. */
function viewOf(data: Uint8Array, bytes: number): DataView | null {
  if (data.length === 0) return null;
  if (data.length !== bytes) throw new RangeError(`${data.length} bytes instead of ${bytes}`);
  return new DataView(data.buffer, data.byteOffset, data.byteLength);
}
