/** One job in the hands of a worker. */
export interface Job<T> {
  /** Unique within its queue; the same at every attempt. */
  readonly id: string;
  readonly queue: string;
  readonly data: T;
  /** 1 at the first attempt. */
  readonly attempt: number;
  /** Aborts when the claim is lost, before another worker can have the job, and at the end of a drain. */
  readonly signal: AbortSignal;
  /** Grows from one claim of the job to the next. */
  readonly fence: bigint;
}
