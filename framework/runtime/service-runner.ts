import type { ServiceRegistration, ServiceRegistry } from '../../core/recipes/index.js';
import type { FromInstance, ServiceLifecycle } from '../decorators/service.js';
import type { PlannedService } from '../plan.js';
import { hostAddress } from './host-address.js';
import type { RunnerContext } from './runner.js';

/** Runs one service: starts its instance, then keeps it registered, until it is taken back. */
export class ServiceRunner {
  readonly subject: string;
  readonly #planned: PlannedService;
  readonly #instance: object & ServiceLifecycle;
  readonly #context: RunnerContext;
  readonly #registry: ServiceRegistry;
  readonly #unregistering = new AbortController();
  #registering: Promise<ServiceRegistration | undefined> = Promise.resolve(undefined);

  constructor(planned: PlannedService, instance: object, context: RunnerContext, registry: ServiceRegistry) {
    this.subject = `service ${planned.options.name}`;
    this.#planned = planned;
    this.#instance = instance;
    this.#context = context;
    this.#registry = registry;
  }

  /** Starts the instance: afterwards it serves, although nobody can find it yet. */
  async startInstance(): Promise<void> {
    await this.#instance.start?.();
  }

  /**
   * Resolves when others can find it; without a server (`isOnline` false) at once, and it is registered as soon as
   * one is there.
   */
  async register({ isOnline }: { readonly isOnline: boolean }): Promise<void> {
    this.#registering = this.#register();
    if (isOnline) await this.#registering;
    else this.#registering.catch(() => undefined);
  }

  async unregister(): Promise<void> {
    this.#unregistering.abort();
    const registration = await this.#registering.catch(() => undefined);
    if (registration === undefined) return;
    await registration.unregister();
    const { name, id } = registration.instance;
    this.#context.logger.info('service unregistered', { service: name, id });
    this.#context.events.emit({ type: 'service-unregistered', name, id });
  }

  async stopInstance(): Promise<void> {
    await this.#instance.stop?.();
  }

  async #register(): Promise<ServiceRegistration | undefined> {
    const { name, address, port, payload } = this.#planned.options;
    const record = {
      name,
      address: this.#ask(address) ?? hostAddress(),
      port: this.#ask(port) ?? null,
      payload: this.#ask(payload) ?? null,
    };
    try {
      const registration = await this.#registry.register<unknown>(record, {
        signal: this.#unregistering.signal,
      });
      const { id } = registration.instance;
      this.#context.logger.info('service registered', {
        service: name,
        id,
        address: record.address,
        port: record.port,
      });
      this.#context.events.emit({ type: 'service-registered', name, id });
      return registration;
    } catch (error) {
      if (this.#unregistering.signal.aborted) return undefined;
      this.#context.logger.error('service cannot be registered', { service: name, error });
      throw error;
    }
  }

  #ask<V>(declared: FromInstance<V, never> | undefined): V | undefined {
    return typeof declared === 'function' ? (declared as (instance: object) => V)(this.#instance) : declared;
  }
}
