/** What an isolated handler and its threads tell each other. */
export type ToThread =
  | {
      readonly type: 'run';
      readonly id: string;
      readonly data: unknown;
      readonly attempt: number;
      readonly enqueuedAt: number;
      readonly fence: bigint;
    }
  | { readonly type: 'abort'; readonly reason: string };

export type FromThread =
  | { readonly type: 'progress'; readonly value: unknown }
  | { readonly type: 'done'; readonly result: unknown }
  | { readonly type: 'failed'; readonly error: unknown };

/** What a thread is started with. */
export interface ThreadData {
  readonly module: string;
  readonly exportName: string;
}
