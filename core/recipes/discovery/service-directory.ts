import { checkOptions, type OptionNames, SIGNAL_OPTION } from '../../runtime/index.js';
import type { Client } from '../../client/index.js';
import type { NodeValue } from '../cache/node-value.js';
import { TreeCache } from '../cache/tree-cache.js';
import { pathBelow } from '../nodes/znode-name.js';
import { decodeInstance, type ServiceInstance } from './service-instance.js';

export type DirectoryEvent<Payload = unknown> =
  | { readonly type: 'added'; readonly instance: ServiceInstance<Payload> }
  | {
      readonly type: 'changed';
      readonly instance: ServiceInstance<Payload>;
      readonly previous: ServiceInstance<Payload>;
    }
  | { readonly type: 'removed'; readonly instance: ServiceInstance<Payload> };

/** A registered instance and the creation zxid of its znode. */
interface Entry<Payload> {
  readonly instance: ServiceInstance<Payload>;
  readonly czxid: bigint;
}

const DIRECTORY_OPTIONS: OptionNames<{ readonly root?: string | undefined }> = { root: true };

/**
 * The instances of one service, looked up without asking a server each time.
 *
 * States, and what suspension and loss mean, are those of `TreeCache`: the instances last known stay readable through an
 * outage. An instance that registered anew while its older registration is not yet expired is one instance, the newer.
 * A record that cannot be read is left out, with a log line.
 */
export class ServiceDirectory<Payload = unknown> implements AsyncDisposable {
  readonly name: string;
  readonly #client: Client;
  readonly #cache: TreeCache;
  readonly #path: string;
  /** Decoded once each; null for what is no record. */
  readonly #decoded = new WeakMap<NodeValue, ServiceInstance<Payload> | null>();

  /** Throws `InvalidNameError`. */
  constructor(client: Client, name: string, options: { readonly root?: string | undefined } = {}) {
    checkOptions('ServiceDirectory', options, DIRECTORY_OPTIONS);
    this.name = name;
    this.#client = client;
    this.#path = pathBelow(options.root ?? '/services', name, 'service');
    this.#cache = new TreeCache(client, this.#path, { maxDepth: 1 });
  }

  get state(): 'latent' | 'started' | 'failed' | 'closed' {
    return this.#cache.state;
  }

  /** Throws `RecipeStateError` if called twice or after `close`. */
  start(): this {
    this.#cache.start();
    return this;
  }

  /** Resolves once the instances have been read for the first time; there may be none. */
  async ready(options: { readonly signal?: AbortSignal | undefined } = {}): Promise<void> {
    checkOptions('ServiceDirectory.ready', options, SIGNAL_OPTION);
    return this.#cache.ready(options);
  }

  /** As last known, oldest registration first. */
  instances(): readonly ServiceInstance<Payload>[] {
    return [...this.#entries().values()].map((entry) => entry.instance);
  }

  /** Every change from this call on; what the first reading finds is added. Ends when `signal` aborts or the directory closes. */
  changes(
    options: { readonly signal?: AbortSignal | undefined } = {},
  ): AsyncIterableIterator<DirectoryEvent<Payload>> {
    checkOptions('ServiceDirectory.changes', options, SIGNAL_OPTION);
    return this.#tell(this.#cache.changes(options), this.#entries());
  }

  close(): Promise<void> {
    return this.#cache.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async *#tell(
    changes: AsyncIterable<unknown>,
    known: ReadonlyMap<string, Entry<Payload>>,
  ): AsyncGenerator<DirectoryEvent<Payload>, void, undefined> {
    for await (const _ of changes) {
      const before = known;
      known = this.#entries();
      yield* differences(before, known);
    }
  }

  #entries(): ReadonlyMap<string, Entry<Payload>> {
    const found: Entry<Payload>[] = [];
    for (const child of this.#cache.children(this.#path)) {
      const node = this.#cache.get(`${this.#path}/${child}`);
      const instance = node === null ? null : this.#decode(node);
      if (node !== null && instance !== null) found.push({ instance, czxid: node.stat.czxid });
    }
    return newestOfEach(found);
  }

  #decode(node: NodeValue): ServiceInstance<Payload> | null {
    const known = this.#decoded.get(node);
    if (known !== undefined) return known;
    const instance = decodeInstance<Payload>(node.data);
    this.#decoded.set(node, instance);
    if (instance === null)
      this.#client.logger.warn('a service instance has an unreadable record', { path: node.path });
    return instance;
  }
}

/** By id, oldest first; of two registrations of one id the newer. */
export function newestOfEach<Payload>(
  entries: readonly Entry<Payload>[],
): ReadonlyMap<string, Entry<Payload>> {
  const byAge = entries.toSorted((a, b) => (a.czxid < b.czxid ? -1 : a.czxid > b.czxid ? 1 : 0));
  const newest = new Map<string, Entry<Payload>>();
  for (const entry of byAge) {
    newest.delete(entry.instance.id);
    newest.set(entry.instance.id, entry);
  }
  return newest;
}

function* differences<Payload>(
  before: ReadonlyMap<string, Entry<Payload>>,
  after: ReadonlyMap<string, Entry<Payload>>,
): Generator<DirectoryEvent<Payload>> {
  for (const [id, { instance }] of before) if (!after.has(id)) yield { type: 'removed', instance };
  for (const [id, { instance }] of after) {
    const previous = before.get(id)?.instance;
    if (previous === undefined) yield { type: 'added', instance };
    else if (previous !== instance) yield { type: 'changed', instance, previous };
  }
}
