import type { Client } from '../core/client/index.js';
import { ServiceRegistry, type ServiceDirectory, type ServiceInstance } from '../core/recipes/index.js';
import { QuorateError } from '../core/runtime/index.js';

/** No instance of a service is registered. Code `SERVICE_UNAVAILABLE`. */
export class ServiceUnavailableError extends QuorateError {
  constructor(name: string) {
    super(
      'SERVICE_UNAVAILABLE',
      `no instance of service '${name}' is registered; start one, or try again later`,
      {
        fields: { name },
      },
    );
  }
}

export interface SearchOptions {
  readonly signal?: AbortSignal | undefined;
}

/**
 * The services of the fleet, by name; to be injected. What was found once is kept up to date by a watch and remembered
 * through an outage: asking again costs nothing.
 */
export class Services implements AsyncDisposable {
  readonly #registry: ServiceRegistry;
  readonly #directories = new Map<string, ServiceDirectory>();
  /** Where the next `pick` of each service goes on. */
  readonly #turns = new Map<string, number>();

  constructor(client: Client) {
    this.#registry = new ServiceRegistry(client);
  }

  /** All instances, oldest registration first. */
  async find<Payload = unknown>(
    name: string,
    options: SearchOptions = {},
  ): Promise<readonly ServiceInstance<Payload>[]> {
    return (await this.#directory<Payload>(name, options)).instances();
  }

  /**
   * One instance, each in turn.
   * @throws ServiceUnavailableError when there is none.
   */
  async pick<Payload = unknown>(
    name: string,
    options: SearchOptions = {},
  ): Promise<ServiceInstance<Payload>> {
    const instances = await this.find<Payload>(name, options);
    const turn = this.#turns.get(name) ?? 0;
    const picked = instances[turn % instances.length];
    if (picked === undefined) throw new ServiceUnavailableError(name);
    this.#turns.set(name, (turn + 1) % Number.MAX_SAFE_INTEGER);
    return picked;
  }

  /** All instances, now and after every change, until `signal` aborts or the application stops. */
  async *watch<Payload = unknown>(
    name: string,
    options: SearchOptions = {},
  ): AsyncIterable<readonly ServiceInstance<Payload>[]> {
    const directory = await this.#directory<Payload>(name, options);
    // Subscribed before the first look, so that no change falls between the two.
    const changes = directory.changes(options)[Symbol.asyncIterator]();
    yield directory.instances();
    for (let next = await changes.next(); next.done !== true; next = await changes.next()) {
      yield directory.instances();
    }
  }

  /** Names of the services that have, or had, an instance. */
  names(options: SearchOptions = {}): Promise<readonly string[]> {
    return this.#registry.names(options);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#directories.values()].map((directory) => directory.close()));
    await this.#registry.close();
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
