import type { Client } from '../../client/index.js';
import type { ServiceInstance } from './service-instance.js';

export type DirectoryEvent<Payload = unknown> =
  | { readonly type: 'added'; readonly instance: ServiceInstance<Payload> }
  | {
      readonly type: 'changed';
      readonly instance: ServiceInstance<Payload>;
      readonly previous: ServiceInstance<Payload>;
    }
  | { readonly type: 'removed'; readonly instance: ServiceInstance<Payload> };

export declare class ServiceDirectory<Payload = unknown> implements AsyncDisposable {
  readonly name: string;
  constructor(client: Client, name: string, options?: { readonly root?: string | undefined });
  get state(): 'latent' | 'started' | 'failed' | 'closed';
  start(): this;
  ready(options?: { readonly signal?: AbortSignal | undefined }): Promise<void>;
  /** As last known, oldest registration first; kept through an outage. */
  instances(): readonly ServiceInstance<Payload>[];
  changes(options?: { readonly signal?: AbortSignal | undefined }): AsyncIterable<DirectoryEvent<Payload>>;
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}
