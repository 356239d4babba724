import { checkOptions, type OptionNames, SIGNAL_OPTION } from '../core/runtime/index.js';
import type { Client } from '../core/client/index.js';
import { ServiceRegistry, type ServiceDirectory, type ServiceInstance } from '../core/recipes/index.js';
import { AllowedHosts } from './service-allow.js';
import { checkRequest, PICK_OPTIONS, type PickOptions, type SearchOptions } from './service-options.js';
import { fetchFrom, type ServiceRequest } from './service-call.js';
import type { FetchService } from './service-redirects.js';
import { ServiceUnavailableError } from './service-errors.js';
import { ServiceFailures } from './service-failures.js';
import { roundRobin, type Strategy } from './service-strategies.js';

export interface ServicesOptions {
  /**
   * Where instances may be: hosts, `*.domains`, addresses and networks such as `10.0.0.0/8`. Instances elsewhere, or without an address,
   * are left out, since everybody who may write to the tree can register one. Any if left out. Names are not resolved.
   */
  readonly allow?: readonly string[] | undefined;
}

const SERVICES_OPTIONS: OptionNames<ServicesOptions & { readonly fetch?: FetchService | undefined }> = {
  allow: true,
  fetch: true,
};

/**
 * The services of the fleet, by name; to be injected. What was found once is kept up to date by a watch and remembered
 * through an outage: asking again costs nothing.
 */
export class Services implements AsyncDisposable {
  readonly #client: Client;
  readonly #registry: ServiceRegistry;
  readonly #fetch: FetchService;
  readonly #directories = new Map<string, ServiceDirectory>();
  /** The turns of each service. */
  readonly #inTurn = new Map<string, Strategy<never>>();
  /** Calls in hand, by instance. */
  readonly #load = new Map<string, number>();
  readonly #allowed: AllowedHosts | null;
  /** Those that failed come last for a while. */
  readonly #failures: ServiceFailures;

  /**
   * `fetch` makes the calls of `Services.fetch`; that of the platform if left out.
   * @throws InvalidArgumentError when `allow` has an entry that is no host and no network.
   */
  constructor(client: Client, options: ServicesOptions & { readonly fetch?: FetchService | undefined } = {}) {
    checkOptions('Services', options, SERVICES_OPTIONS);
    this.#client = client;
    this.#registry = new ServiceRegistry(client);
    this.#failures = new ServiceFailures(client.clock);
    this.#allowed = options.allow === undefined ? null : new AllowedHosts(options.allow);
    this.#fetch = options.fetch ?? ((url, init) => globalThis.fetch(url, init));
  }

  /** All instances that are enabled and allowed, oldest registration first. */
  async find<Payload = unknown>(
    name: string,
    options: SearchOptions = {},
  ): Promise<readonly ServiceInstance<Payload>[]> {
    checkOptions('Services.find', options, SIGNAL_OPTION);
    return this.#usable((await this.#directory<Payload>(name, options)).instances());
  }

  /**
   * One instance, chosen by the strategy; those that could not be reached a moment ago come last.
   * @throws ServiceUnavailableError when there is none.
   */
  async pick<Payload = unknown>(
    name: string,
    options: PickOptions<Payload> = {},
  ): Promise<ServiceInstance<Payload>> {
    checkOptions('Services.pick', options, PICK_OPTIONS);
    const { strategy = this.#turnsOf<Payload>(name), key, avoid, signal } = options;
    const instances = await this.find<Payload>(name, { signal });
    if (instances.length === 0) {
      const registered = (await this.#directory<Payload>(name, { signal })).instances();
      throw new ServiceUnavailableError(name, this.#allowed === null ? 0 : registered.length);
    }
    const wanted = instances.filter(({ id }) => avoid?.has(id) !== true);
    const reachable = (wanted.length > 0 ? wanted : instances).filter(
      ({ id }) => !this.#failures.has(`${name}/${id}`),
    );
    const candidates = reachable.length > 0 ? reachable : wanted.length > 0 ? wanted : instances;
    return strategy(candidates, {
      chance: () => this.#client.random.next(),
      load: ({ id }) => this.#load.get(`${name}/${id}`) ?? 0,
      key,
    });
  }

  /** Runs `task` with one instance, which counts as busy meanwhile. What it throws is passed on; nothing is tried again. */
  async use<T, Payload = unknown>(
    name: string,
    task: (instance: ServiceInstance<Payload>) => T | Promise<T>,
    options: PickOptions<Payload> = {},
  ): Promise<T> {
    checkOptions('Services.use', options, PICK_OPTIONS);
    const instance = await this.pick<Payload>(name, options);
    const key = `${name}/${instance.id}`;
    this.#load.set(key, (this.#load.get(key) ?? 0) + 1);
    try {
      return await task(instance);
    } finally {
      const left = (this.#load.get(key) ?? 1) - 1;
      if (left > 0) this.#load.set(key, left);
      else this.#load.delete(key);
    }
  }

  /**
   * Calls a service over HTTP, as `fetch` would with an address: an instance is chosen, and another one if it cannot be
   * reached, until the deadline. What may have begun to take effect (a connection that broke while a POST was under way) is
   * not repeated; a response is a response, whatever its status. Redirects are not followed unless `redirect` says so, and never carry
   * headers to another host.
   * @throws ServiceUnavailableError, ServiceNotCallableError, ServiceDeadlineError, ServiceCallError
   */
  async fetch<Payload = unknown>(
    name: string,
    path: string,
    request: ServiceRequest & PickOptions<Payload> = {},
  ): Promise<Response> {
    checkRequest(request);
    const { strategy, key, ...call } = request;
    return await fetchFrom(
      {
        name,
        clock: this.#client.clock,
        fetch: this.#fetch,
        isAllowed: (host) => this.#allowed?.includes(host) ?? true,
        use: (tried, signal, task) => this.use(name, task, { strategy, key, signal, avoid: tried }),
        failed: (id) => this.#failures.add(`${name}/${id}`),
        count: async (signal) => (await this.find(name, { signal })).length,
      },
      path,
      call,
    );
  }

  /** All instances that are enabled and allowed, now and after every change, until `signal` aborts or the application stops. */
  async *watch<Payload = unknown>(
    name: string,
    options: SearchOptions = {},
  ): AsyncIterable<readonly ServiceInstance<Payload>[]> {
    checkOptions('Services.watch', options, SIGNAL_OPTION);
    const directory = await this.#directory<Payload>(name, options);
    // Subscribed before the first look, so that no change falls between the two.
    const changes = directory.changes(options)[Symbol.asyncIterator]();
    yield this.#usable(directory.instances());
    for (let next = await changes.next(); next.done !== true; next = await changes.next()) {
      yield this.#usable(directory.instances());
    }
  }

  /** Names of the services that have, or had, an instance. */
  async names(options: SearchOptions = {}): Promise<readonly string[]> {
    checkOptions('Services.names', options, SIGNAL_OPTION);
    return this.#registry.names(options);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#directories.values()].map((directory) => directory.close()));
    await this.#registry.close();
  }

  #usable<Payload>(instances: readonly ServiceInstance<Payload>[]): readonly ServiceInstance<Payload>[] {
    const allowed = this.#allowed;
    return instances.filter(
      ({ enabled, address }) =>
        enabled && (allowed === null || (address !== null && allowed.includes(address))),
    );
  }

  #turnsOf<Payload>(name: string): Strategy<Payload> {
    const known = this.#inTurn.get(name);
    if (known !== undefined) return known as unknown as Strategy<Payload>;
    const turns = roundRobin<Payload>();
    this.#inTurn.set(name, turns as unknown as Strategy<never>);
    return turns;
  }

  async #directory<Payload>(name: string, options: SearchOptions): Promise<ServiceDirectory<Payload>> {
    let directory = this.#directories.get(name);
    if (directory === undefined) {
      directory = this.#registry.directory(name);
      this.#directories.set(name, directory);
    }
    await directory.ready(options);
    return directory as ServiceDirectory<Payload>;
  }
}
