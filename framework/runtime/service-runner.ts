import type { ServiceRegistration, ServiceRegistry } from '../../core/recipes/index.js';
import { QuorateError } from '../../core/runtime/index.js';
import type { FromInstance, ServiceLifecycle } from '../decorators/service.js';
import type { PlannedService } from '../plan.js';
import { HealthWatch } from './health-watch.js';
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
  /** The same over all registrations, so that others see one instance come and go. */
  readonly #id: string;
  #registering: Promise<ServiceRegistration | undefined> = Promise.resolve(undefined);
  #registration: ServiceRegistration | undefined;
  /** Why it is not registered. */
  #absence = 'is not registered yet';
  #watch: HealthWatch | undefined;

  constructor(planned: PlannedService, instance: object, context: RunnerContext, registry: ServiceRegistry) {
    this.subject = `service ${planned.options.name}`;
    this.#planned = planned;
    this.#instance = instance;
    this.#context = context;
    this.#registry = registry;
    this.#id = context.random.uuid();
  }

  /** What keeps it from being found, for people; null when it is. */
  get impediment(): string | null {
    if (this.#registration === undefined) return this.#absence;
    return this.#registration.isRegistered ? null : 'is to be registered in a new session';
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
    this.#watchHealth();
  }

  async unregister(): Promise<void> {
    this.#unregistering.abort();
    await this.#watch?.stop();
    await this.#takeOut();
  }

  async stopInstance(): Promise<void> {
    await this.#instance.stop?.();
  }

  async #takeOut(): Promise<void> {
    const registration = await this.#registering.catch(() => undefined);
    this.#registering = Promise.resolve(undefined);
    this.#registration = undefined;
    if (registration === undefined) return;
    await registration.unregister();
    const { name, id } = registration.instance;
    this.#context.logger.info('service unregistered', { service: name, id });
    this.#context.events.emit({ type: 'service-unregistered', name, id });
  }

  /** Asks the instance how it is, if it can say. */
  #watchHealth(): void {
    if (this.#instance.healthy === undefined) return;
    this.#watch = new HealthWatch({
      ...this.#planned.health,
      clock: this.#context.clock,
      check: (signal) => this.#instance.healthy?.(signal),
      changed: (isHealthy, error) => this.#healthChanged(isHealthy, error),
    });
    this.#watch.start();
  }

  async #healthChanged(isHealthy: boolean, error: unknown): Promise<void> {
    const { events, logger } = this.#context;
    const { name } = this.#planned.options;
    try {
      if (isHealthy) {
        logger.info('service is healthy again', { service: name, id: this.#id });
        events.emit({ type: 'service-healthy', name, id: this.#id });
        this.#registering = this.#register();
        await this.#registering;
      } else {
        logger.warn('service is not healthy, it is taken out', { service: name, id: this.#id, error });
        events.emit({ type: 'service-unhealthy', name, id: this.#id, error });
        this.#absence = `is taken out, it is not healthy: ${messageOf(error)}`;
        await this.#takeOut();
      }
    } catch (failure) {
      logger.error('the registration of a service does not follow its health', {
        service: name,
        error: failure,
      });
    }
  }

  async #register(): Promise<ServiceRegistration | undefined> {
    const { name, address, port } = this.#planned.options;
    const record = {
      name,
      id: this.#id,
      address: this.#ask(address) ?? hostAddress(),
      port: this.#ask(port) ?? null,
      payload: this.#payload(),
    };
    try {
      const registration = await this.#registry.register<unknown>(record, {
        signal: this.#unregistering.signal,
      });
      this.#registration = registration;
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
      this.#absence = `cannot be registered: ${messageOf(error)}`;
      this.#context.logger.error('service cannot be registered', { service: name, error });
      throw error;
    }
  }

  #payload(): unknown {
    const { payload, zone, weight } = this.#planned.options;
    const own: unknown = this.#ask(payload) ?? null;
    if (zone === undefined && weight === undefined) return own;
    if (own !== null && (typeof own !== 'object' || Array.isArray(own)))
      throw new QuorateError(
        'SERVICE_PAYLOAD_INVALID',
        `service '${this.#planned.options.name}' publishes a zone or a weight, which stand in its payload: make that an object`,
        { fields: { name: this.#planned.options.name } },
      );
    return { ...own, ...(zone === undefined ? {} : { zone }), ...(weight === undefined ? {} : { weight }) };
  }

  #ask<V>(declared: FromInstance<V, never> | undefined): V | undefined {
    return typeof declared === 'function' ? (declared as (instance: object) => V)(this.#instance) : declared;
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
