import { checkOptions, type OptionNames, SIGNAL_OPTION } from '../../runtime/index.js';
import { allChildren, type Client } from '../../client/index.js';
import { InvalidInstanceError, RecipeStateError } from '../errors.js';
import { KeptNode } from '../nodes/kept-node.js';
import { pathBelow } from '../nodes/znode-name.js';
import { repeatRead, hasCode } from '../waiting/failure.js';
import { newestOfEach, ServiceDirectory } from './service-directory.js';
import {
  completeInstance,
  decodeInstance,
  encodeInstance,
  type NewServiceInstance,
  type ServiceInstance,
} from './service-instance.js';

/** A registration that is kept true until it is taken back. */
export interface ServiceRegistration<Payload = unknown> extends AsyncDisposable {
  readonly instance: ServiceInstance<Payload>;
  /** Whether the znode is known to be there now. */
  readonly isRegistered: boolean;
  /** Replaces the payload. Resolves when the servers have it. */
  update(payload: Payload | null): Promise<void>;
  /** Idempotent. */
  unregister(): Promise<void>;
}

const DISCOVERY_OPTIONS: OptionNames<{ readonly root?: string | undefined }> = { root: true };

/**
 * Registers instances of services, and finds them.
 *
 * Layout: `/services/<name>/<id>-<sequence>`, ephemeral-sequential, its data the JSON record of Curator's service
 * discovery. Curator takes every child for an instance and reads the record in it, so its readers find ours, and
 * ours find Curator's `/services/<name>/<id>`.
 *
 * - open: registrations are kept true. Suspended changes nothing. After a lost session every one of them is made anew
 *   in the next; until the servers have expired the old session both are there, and readers take the newer. One that
 *   somebody deletes is made again;
 * - closed: all are taken back; final.
 */
export class ServiceRegistry implements AsyncDisposable {
  readonly #client: Client;
  readonly #root: string;
  /** By path without the number: one id at most once, so that an own znode can be told by its session. */
  readonly #registrations = new Map<string, Registration>();
  #isClosed = false;

  constructor(client: Client, options: { readonly root?: string | undefined } = {}) {
    checkOptions('ServiceRegistry', options, DISCOVERY_OPTIONS);
    this.#client = client;
    this.#root = options.root ?? '/services';
  }

  /**
   * Resolves when registered for the first time. Throws `InvalidInstanceError` (also for an id that this registry has
   * registered already). If `signal` aborts, or the servers refuse, nothing stays registered.
   */
  async register<Payload>(
    instance: NewServiceInstance<Payload>,
    options: { readonly signal?: AbortSignal | undefined } = {},
  ): Promise<ServiceRegistration<Payload>> {
    checkOptions('ServiceRegistry.register', options, SIGNAL_OPTION);
    if (this.#isClosed) throw new RecipeStateError('ServiceRegistry', this.#root, 'closed', 'register');
    const complete = completeInstance(instance, {
      id: this.#client.random.uuid(),
      registrationTimeUTC: this.#client.clock.wall(),
    });
    const path = `${this.#root}/${complete.name}/${complete.id}-`;
    if (this.#registrations.has(path))
      throw new InvalidInstanceError(complete.name, `id ${complete.id} is registered already`);
    const registration = new Registration<Payload>(this.#client, path, complete, () =>
      this.#registrations.delete(path),
    );
    this.#registrations.set(path, registration);
    try {
      await registration.ready(options);
      return registration;
    } catch (error) {
      void registration.unregister();
      throw error;
    }
  }

  /** Read from the servers, oldest registration first; unreadable records are left out with a log line. */
  async instances<Payload = unknown>(
    name: string,
    options: { readonly signal?: AbortSignal | undefined } = {},
  ): Promise<readonly ServiceInstance<Payload>[]> {
    checkOptions('ServiceRegistry.instances', options, SIGNAL_OPTION);
    const path = pathBelow(this.#root, name, 'service');
    const entries = await Promise.all(
      (await this.#children(path, options)).map((child) => this.#read<Payload>(`${path}/${child}`, options)),
    );
    return [...newestOfEach(entries.filter((entry) => entry !== null)).values()].map(
      (entry) => entry.instance,
    );
  }

  /** Names of the services that have, or had, an instance. */
  async names(options: { readonly signal?: AbortSignal | undefined } = {}): Promise<readonly string[]> {
    checkOptions('ServiceRegistry.names', options, SIGNAL_OPTION);
    return this.#children(this.#root, options);
  }

  /** A started directory of one service; the caller closes it. */
  directory<Payload = unknown>(name: string): ServiceDirectory<Payload> {
    return new ServiceDirectory<Payload>(this.#client, name, { root: this.#root }).start();
  }

  /** Takes all registrations back. Idempotent. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.all([...this.#registrations.values()].map((registration) => registration.unregister()));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #children(
    path: string,
    options: { readonly signal?: AbortSignal | undefined },
  ): Promise<readonly string[]> {
    try {
      return await repeatRead(this.#client, options, () => allChildren(this.#client, path, options));
    } catch (error) {
      if (hasCode(error, 'NO_NODE')) return [];
      throw error;
    }
  }

  async #read<Payload>(
    path: string,
    options: { readonly signal?: AbortSignal | undefined },
  ): Promise<{ readonly instance: ServiceInstance<Payload>; readonly czxid: bigint } | null> {
    try {
      const { data, stat } = await repeatRead(this.#client, options, () =>
        this.#client.getData(path, options),
      );
      const instance = decodeInstance<Payload>(data);
      if (instance !== null) return { instance, czxid: stat.czxid };
      this.#client.logger.warn('a service instance has an unreadable record', { path });
      return null;
    } catch (error) {
      if (hasCode(error, 'NO_NODE')) return null;
      throw error;
    }
  }
}

class Registration<Payload = unknown> implements ServiceRegistration<Payload> {
  #instance: ServiceInstance<Payload>;
  readonly #node: KeptNode;
  readonly #gone: () => void;
  #unregistered: Promise<void> | null = null;

  constructor(client: Client, path: string, instance: ServiceInstance<Payload>, gone: () => void) {
    this.#instance = instance;
    this.#gone = gone;
    const data = encodeInstance(instance);
    this.#node = new KeptNode(client, { path, data, isSequential: true }).start();
  }

  get instance(): ServiceInstance<Payload> {
    return this.#instance;
  }

  get isRegistered(): boolean {
    return this.#node.isThere;
  }

  ready(options: { readonly signal?: AbortSignal | undefined }): Promise<void> {
    return this.#node.ready(options);
  }

  async update(payload: Payload | null): Promise<void> {
    const instance = { ...this.#instance, payload };
    const data = encodeInstance(instance);
    this.#instance = instance;
    await this.#node.setData(data);
  }

  unregister(): Promise<void> {
    this.#unregistered ??= this.#node.close().finally(this.#gone);
    return this.#unregistered;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.unregister();
  }
}
