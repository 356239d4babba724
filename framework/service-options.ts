import { checkOptions, SIGNAL_OPTION, type OptionNames } from '../core/runtime/index.js';
import type { ServiceRequest } from './service-call.js';
import type { Strategy } from './service-strategies.js';

export interface SearchOptions {
  readonly signal?: AbortSignal | undefined;
}

export interface PickOptions<Payload = unknown> extends SearchOptions {
  /** How to choose; each in turn if left out. Made once and used for all calls, since it may count. */
  readonly strategy?: Strategy<Payload> | undefined;
  /** For `sticky`: what keeps calls together. */
  readonly key?: string | undefined;
  /** Ids of instances that are not wanted, unless there are no others. */
  readonly avoid?: ReadonlySet<string> | undefined;
}

export const PICK_OPTIONS: OptionNames<PickOptions> = {
  ...SIGNAL_OPTION,
  strategy: true,
  key: true,
  avoid: true,
};

/** Of `fetch`, with those that only Node's has or that types do not name everywhere. */
const FETCH_OPTIONS = {
  body: true,
  cache: true,
  credentials: true,
  dispatcher: true,
  duplex: true,
  headers: true,
  integrity: true,
  keepalive: true,
  method: true,
  mode: true,
  priority: true,
  redirect: true,
  referrer: true,
  referrerPolicy: true,
  window: true,
} as const;

const REQUEST_OPTIONS: OptionNames<ServiceRequest & PickOptions> & typeof FETCH_OPTIONS = {
  ...FETCH_OPTIONS,
  ...PICK_OPTIONS,
  deadlineMs: true,
  attempts: true,
};

/** @throws InvalidArgumentError for an option of `Services.fetch` of an unknown name. */
export function checkRequest<Payload>(request: ServiceRequest & PickOptions<Payload>): void {
  checkOptions('Services.fetch', request as ServiceRequest & PickOptions, REQUEST_OPTIONS);
}
