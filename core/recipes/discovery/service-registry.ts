import type { Client } from '../../client/index.js';
import type { ServiceDirectory } from './service-directory.js';
import type { NewServiceInstance, ServiceInstance } from './service-instance.js';

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

export declare class ServiceRegistry implements AsyncDisposable {
  constructor(client: Client, options?: { readonly root?: string | undefined });
  /** Resolves when registered for the first time. Throws `InvalidInstanceError`. If `signal` aborts first nothing stays registered. */
  register<Payload>(
    instance: NewServiceInstance<Payload>,
    options?: { readonly signal?: AbortSignal | undefined },
  ): Promise<ServiceRegistration<Payload>>;
  /** Read from the servers, oldest registration first; unreadable records are left out with a log line. */
  instances<Payload = unknown>(
    name: string,
    options?: { readonly signal?: AbortSignal | undefined },
  ): Promise<readonly ServiceInstance<Payload>[]>;
  /** Names of the services that have, or had, an instance. */
  names(options?: { readonly signal?: AbortSignal | undefined }): Promise<readonly string[]>;
  /** A started directory of one service; the caller closes it. */
  directory<Payload = unknown>(name: string): ServiceDirectory<Payload>;
  /** Takes all registrations back. Idempotent. */
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}
