/** What a worker process tells the one that started it, over Node's own channel between the two. */
export type Told = { readonly worker: string; readonly pid: number; readonly atMs: number } & (
  | { readonly type: 'ready' }
  | { readonly type: 'config-applied'; readonly currency: string; readonly dailyLimit: number }
  | { readonly type: 'config-refused'; readonly violations: readonly string[]; readonly dailyLimit: number }
  | { readonly type: 'led'; readonly fence: string }
  | { readonly type: 'run'; readonly fence: string; readonly startedAtMs: number }
  | {
      readonly type: 'entry-made';
      readonly fence: string;
      readonly enteredAtMs: number;
      readonly balance: number;
    }
  | { readonly type: 'slowed' }
  | { readonly type: 'order-started'; readonly order: number; readonly attempt: number }
  | { readonly type: 'order-done'; readonly order: number; readonly attempt: number }
);

/** What a worker process can be asked to do. `slow-down` makes every order it begins from then on a long one. */
export type Asked =
  | { readonly type: 'make-entries'; readonly count: number }
  | { readonly type: 'slow-down' }
  | { readonly type: 'stop' };

/** Of the machine's monotonic clock: comparable between the processes of one machine. */
export function machineNowMs(): number {
  return Number(process.hrtime.bigint() / 1000n) / 1000;
}
