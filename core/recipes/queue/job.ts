/** A job in the hands of a worker. Settled once: by `complete`, by `fail`, or by the loss of the claim. */
export interface Job<Data = unknown> {
  /** Name of the job's znode; the same at every attempt. */
  readonly id: string;
  readonly data: Data;
  /** 1 at the first attempt; attempts that ended in a crash count too. */
  readonly attempt: number;
  /** Milliseconds since 1970, by the clock of who enqueued it. */
  readonly enqueuedAt: number;
  /** What it was enqueued with. */
  readonly priority: number;
  readonly group: string | null;
  readonly key: string | null;
  /**
   * Aborts when the claim is lost (`ClaimLostError`), when somebody cancelled the job (`JobCancelledError`), when the drain
   * deadline passed (`DrainDeadlineError`), or when the job was settled (`JobSettledError`).
   */
  readonly signal: AbortSignal;
  /** The zxid of the claim: a later attempt has a higher one. */
  readonly fence: bigint;
  /**
   * Removes the job, and keeps `result` for a while if there is one. Rejects with `ClaimLostError` if the job may belong to
   * another, with `JobCancelledError` if it was cancelled; then nothing changed.
   */
  complete(result?: unknown): Promise<void>;
  /** Puts the job back for a later attempt, or among the dead letters if it had all its attempts or `retry` is false. Rejects as `complete` does. */
  fail(
    error: unknown,
    options?: {
      readonly retry?: boolean | undefined;
      /** Instead of the backoff. */
      readonly delayMs?: number | undefined;
    },
  ): Promise<void>;
  /**
   * Tells whoever watches how far the job is, as JSON. Of what is told while the servers are busy with the one before only the
   * last is written. Rejects with `ClaimLostError` or `JobTooLargeError`.
   */
  progress(value: unknown): Promise<void>;
  /** Results of the jobs that this one waited for, in their order; undefined of one without, or that was given up or cancelled. */
  childResults(): Promise<readonly unknown[]>;
}

/** A job that is given up. */
export interface DeadLetter<Data = unknown> {
  readonly id: string;
  /** Undefined if the data could not be decoded. */
  readonly data: Data | undefined;
  readonly attempts: number;
  readonly failure: string;
  /** Milliseconds since 1970. */
  readonly enqueuedAt: number;
  readonly failedAt: number;
}

/** A job as it is in the queue now. */
export interface JobStatus<Data = unknown> {
  readonly id: string;
  /**
   * - waiting: until a worker takes it;
   * - delayed: until `dueAt`;
   * - blocked: until its children are over;
   * - active: a worker has it;
   * - dead: given up;
   * - done: over, and its result is still there;
   * - cancelled.
   */
  readonly state: 'waiting' | 'delayed' | 'blocked' | 'active' | 'dead' | 'done' | 'cancelled';
  /** Undefined if the job is over, or its data could not be decoded. */
  readonly data: Data | undefined;
  readonly attempts: number;
  readonly enqueuedAt: number;
  readonly dueAt: number | undefined;
  /** What the worker told last. */
  readonly progress: unknown;
  /** Of the last attempt that failed. */
  readonly failure: string | undefined;
}

/** How values become bytes; JSON by default. */
export interface JobCodec<Data> {
  encode(data: Data): Uint8Array;
  decode(bytes: Uint8Array): Data;
}

export interface QueueCounts {
  /** All that are not done and not dead: waiting, delayed, blocked and in hand. */
  readonly jobs: number;
  /** Put back for a later attempt. */
  readonly delayed: number;
  readonly dead: number;
  readonly consumers: number;
  readonly isPaused: boolean;
}
