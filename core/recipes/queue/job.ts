/** A job in the hands of a worker. Settled once: by `complete`, by `fail`, or by the loss of the claim. */
export interface Job<Data = unknown> {
  /** Name of the job's znode; the same at every attempt. */
  readonly id: string;
  readonly data: Data;
  /** 1 at the first attempt; attempts that ended in a crash count too. */
  readonly attempt: number;
  /** Milliseconds since 1970, by the clock of who enqueued it. */
  readonly enqueuedAt: number;
  /** Aborts when the claim is lost (`ClaimLostError`), when the drain deadline passed, or when the job was settled. */
  readonly signal: AbortSignal;
  /** Creation zxid of the claim: a later attempt has a higher one. */
  readonly fence: bigint;
  /** Removes the job, and keeps `result` for a while if there is one. Rejects with `ClaimLostError` if the job may belong to another; then nothing changed. */
  complete(result?: unknown): Promise<void>;
  /** Puts the job back for a later attempt, or among the dead letters if it had all its attempts or `retry` is false. Rejects as `complete` does. */
  fail(error: unknown, options?: { readonly retry?: boolean | undefined }): Promise<void>;
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

/** How values become bytes; JSON by default. */
export interface JobCodec<Data> {
  encode(data: Data): Uint8Array;
  decode(bytes: Uint8Array): Data;
}

export interface QueueCounts {
  /** All that are not done and not dead: waiting, delayed and claimed. */
  readonly jobs: number;
  readonly claimed: number;
  readonly delayed: number;
  readonly dead: number;
  readonly consumers: number;
}
