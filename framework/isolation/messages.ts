import type { MessagePort } from 'node:worker_threads';

/** What a thread is given to do. Over `port` comes the reason, as text, when the job's signal aborts. */
export interface Task {
  readonly id: string;
  readonly data: unknown;
  readonly attempt: number;
  readonly enqueuedAt: number;
  readonly fence: bigint;
  readonly port: MessagePort;
}

/** What goes back over `port`; a thread that ends early says nothing of how the function did. */
export type FromThread =
  { readonly type: 'begun' } | { readonly type: 'progress'; readonly value: unknown } | Outcome;

export type Outcome =
  { readonly type: 'done'; readonly result: unknown } | { readonly type: 'failed'; readonly error: unknown };

/** What a thread is started with. */
export interface ThreadData {
  readonly module: string;
  readonly exportName: string;
}
