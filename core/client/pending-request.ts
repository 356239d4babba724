import {
  ErrorCode,
  type ClientOp,
  type JuteReader,
  type ReplyBodies,
  type ReplySize,
  type RequestBodies,
  OpCode,
  readReplyBody,
  readReplyTooLarge,
} from '../protocol/index.js';
import { onAbort } from '../runtime/index.js';
import { ReplyTooLargeError, WatchLimitError } from './client-errors.js';
import { errorOfCode } from './errors.js';
import { whatIsMissing } from './server-features.js';
import type { WatchClaim } from './watch-registry.js';

/**
 * What becomes of a request that was sent when its connection breaks:
 * - resend: it changes nothing, so it is sent again;
 * - unknown: it rejects with `OutcomeUnknownError`;
 * - lookup: a create of a unique name, which is looked for and sent again only if it is not there;
 * - drop: it belonged to the connection and rejects with `ConnectionLossError`, sent or not.
 */
export type LossRule = 'resend' | 'unknown' | 'lookup' | 'drop';

/** A request, and how its answer is to be understood. */
export interface RequestSpec<Op extends ClientOp = ClientOp, Result = unknown> {
  readonly op: Op;
  readonly body: RequestBodies[Op];
  readonly rule: LossRule;
  /** Verb and path for errors; the path as the caller gave it. */
  readonly operation: string;
  readonly path?: string | undefined;
  /** The result, from the body of an answer that says ok. Runs while the answer is read, before anything behind it. */
  readonly result: (body: ReplyBodies[Op]) => Result;
  /** The result if there is no such znode; without it that is a `NoNodeError`. */
  readonly whenMissing?: (() => Result) | undefined;
  /** The one-shot watch that comes with a read. */
  readonly claim?: WatchClaim | undefined;
}

/** What can exceed a quota; of other requests the same code says that there are too many watches. */
const GROWING: ReadonlySet<number> = new Set([
  OpCode.create,
  OpCode.create2,
  OpCode.createContainer,
  OpCode.createTtl,
  OpCode.setData,
  OpCode.setAcl,
  OpCode.multi,
]);

type Settled = 'resolved' | 'rejected';

/** A request on its way: waiting, sent, in doubt, or settled. Settles once; what comes later is ignored. */
export class PendingRequest<Op extends ClientOp = ClientOp, Result = unknown> {
  readonly spec: RequestSpec<Op, Result>;
  readonly promise: Promise<Result>;
  /** Roughly the bytes that it holds in memory. */
  readonly weight: number;
  /** On the present connection. */
  xid = 0;
  sentAt = 0;
  /** It was sent, its connection broke, and nobody has looked yet whether it took effect. */
  isInDoubt = false;
  /** Connections that broke while it was under way or in doubt. */
  losses = 0;
  #settled: Settled | null = null;
  #resolve!: (result: Result) => void;
  #reject!: (error: unknown) => void;
  #stopWaitingForAbort: (() => void) | null = null;
  readonly #onSettled: (request: PendingRequest) => void;

  constructor(
    spec: RequestSpec<Op, Result>,
    options: {
      readonly weight: number;
      readonly signal?: AbortSignal | undefined;
      readonly onSettled?: (request: PendingRequest) => void;
    },
  ) {
    this.spec = spec;
    this.weight = options.weight;
    this.#onSettled = options.onSettled ?? (() => undefined);
    this.promise = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    const { signal } = options;
    if (signal !== undefined) this.#stopWaitingForAbort = onAbort(signal, () => this.reject(signal.reason));
  }

  get isSettled(): boolean {
    return this.#settled !== null;
  }

  /** Throws what the codec throws if the body is not what it should be; the request is still pending then. */
  answer(err: ErrorCode, reader: JuteReader): void {
    if (this.isSettled) return;
    const { op, operation, path, result, whenMissing, claim } = this.spec;
    if (err === ErrorCode.ok) {
      const value = result(readReplyBody(op, reader));
      claim?.confirm(true);
      this.resolve(value);
    } else if (err === ErrorCode.noNode && whenMissing !== undefined) {
      claim?.confirm(false);
      this.resolve(whenMissing());
    } else {
      const size = readReplyTooLarge(err, reader);
      if (size !== null) this.reject(tooLarge(this.spec, size));
      else if (err === ErrorCode.quotaExceeded && !GROWING.has(op))
        this.reject(new WatchLimitError({ operation, path }));
      else this.reject(errorOfCode(err, { operation, path, what: whatIsMissing(op, err) }));
    }
  }

  resolve(result: Result): void {
    if (this.#settle('resolved')) this.#resolve(result);
  }

  reject(error: unknown): void {
    if (this.#settle('rejected')) this.#reject(error);
  }

  #settle(how: Settled): boolean {
    if (this.#settled !== null) return false;
    this.#settled = how;
    this.#stopWaitingForAbort?.();
    this.spec.claim?.release();
    this.#onSettled(this as unknown as PendingRequest);
    return true;
  }
}

function tooLarge(
  { operation, path }: Pick<RequestSpec, 'operation' | 'path'>,
  { bytes, limit }: ReplySize,
): Error {
  const what = `the answer takes at least ${bytes} bytes, of ${limit} that the server allows`;
  return new ReplyTooLargeError({ operation, path, what, fields: { bytes, limit } });
}
