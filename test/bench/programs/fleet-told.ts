/** What `fleet.ts` tells the process that started it; times are of the machine's monotonic clock, milliseconds. */
export type Told = { readonly atMs: number } & (
  { readonly type: 'ready' | 'leads' } | { readonly type: 'applied'; readonly count: number }
);

export const CONFIG_PATH = '/config/fleet';
export const QUEUE = 'fleet';
