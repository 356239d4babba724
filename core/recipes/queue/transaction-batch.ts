import { MultiError, type Client, type Operation, type OperationResult } from '../../client/index.js';
import { Fifo } from '../../runtime/index.js';
import { hasCode } from '../waiting/failure.js';

export interface TransactionBatchOptions {
  /** Operations in one transaction, unless one alone has more; 256 by default. */
  readonly maxOperations?: number | undefined;
  /** Bytes in one transaction, unless one alone has more; 256 KiB by default, of the 1 MiB that ZooKeeper takes. */
  readonly maxBytes?: number | undefined;
  /** Transactions on their way at once; 2 by default. */
  readonly maxInFlight?: number | undefined;
}

interface Submission {
  readonly operations: readonly Operation[];
  readonly session: number | undefined;
  readonly bytes: number;
  readonly resolve: (results: readonly OperationResult[]) => void;
  readonly reject: (error: unknown) => void;
}

const DEFAULT_MAX_OPERATIONS = 256;
const DEFAULT_MAX_BYTES = 256 * 1024;
const DEFAULT_MAX_IN_FLIGHT = 2;
/** What an operation takes beside its path and data, roughly. */
const OPERATION_BYTES = 64;

/**
 * Makes few transactions of many: what is submitted in one turn of the loop goes together, and what is submitted while
 * others are on their way with what the answer to one of them brings about. Nothing waits for a timer, and the more
 * there is to do the more goes together.
 *
 * A submission does or fails as if it were a transaction of its own: one that is refused is taken out, and the others are
 * asked for again without it. If the outcome of a transaction is unknown, it is for all in it.
 */
export class TransactionBatch {
  readonly #client: Client;
  readonly #maxOperations: number;
  readonly #maxBytes: number;
  readonly #maxInFlight: number;
  readonly #waiting = new Fifo<Submission>();
  #inFlight = 0;
  #isScheduled = false;

  constructor(client: Client, options: TransactionBatchOptions = {}) {
    this.#client = client;
    this.#maxOperations = options.maxOperations ?? DEFAULT_MAX_OPERATIONS;
    this.#maxBytes = options.maxBytes ?? DEFAULT_MAX_BYTES;
    this.#maxInFlight = options.maxInFlight ?? DEFAULT_MAX_IN_FLIGHT;
  }

  /** Submissions that have not left yet. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /** As `Client.multi` with `session`. */
  submit(operations: readonly Operation[], session?: number): Promise<readonly OperationResult[]> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ operations, session, bytes: bytesOf(operations), resolve, reject });
      this.#schedule();
    });
  }

  /** What is submitted in the same turn of the loop goes along. */
  #schedule(): void {
    if (this.#waiting.length === 0 || this.#isScheduled || this.#inFlight >= this.#maxInFlight) return;
    this.#isScheduled = true;
    this.#client.clock.soon(() => {
      this.#isScheduled = false;
      this.#pump();
    });
  }

  #pump(): void {
    while (this.#inFlight < this.#maxInFlight && this.#waiting.length > 0) {
      this.#inFlight++;
      void this.#carryOut(this.#gather()).finally(() => {
        this.#inFlight--;
        this.#schedule();
      });
    }
  }

  #gather(): Submission[] {
    const gathered = [this.#waiting.shift()!];
    const [{ session }] = gathered as [Submission];
    let operations = gathered[0]!.operations.length;
    let { bytes } = gathered[0]!;
    for (let next = this.#waiting.peek(); next?.session === session; next = this.#waiting.peek()) {
      if (next === undefined) break;
      operations += next.operations.length;
      bytes += next.bytes;
      if (operations > this.#maxOperations || bytes > this.#maxBytes) break;
      gathered.push(this.#waiting.shift()!);
    }
    return gathered;
  }

  /** Never rejects. */
  async #carryOut(submissions: readonly Submission[]): Promise<void> {
    for (let left = submissions; left.length > 0;) {
      try {
        const results = await this.#client.multi(
          left.flatMap(({ operations }) => operations),
          { session: left[0]!.session },
        );
        let at = 0;
        for (const { operations, resolve } of left) resolve(results.slice(at, (at += operations.length)));
        return;
      } catch (error) {
        left = withoutRefused(left, error);
      }
    }
  }
}

/** Tells those who are concerned; whoever is left has to ask again. */
function withoutRefused(submissions: readonly Submission[], error: unknown): readonly Submission[] {
  if (!hasCode(error, 'MULTI_FAILED')) {
    for (const { reject } of submissions) reject(error);
    return [];
  }
  const { index, cause } = error as MultiError;
  let at = 0;
  for (const submission of submissions) {
    const { length } = submission.operations;
    if (index < at + length) {
      submission.reject(new MultiError({ index: index - at, cause }));
      return submissions.filter((other) => other !== submission);
    }
    at += length;
  }
  throw new TypeError('a multi failed at an operation that it does not have');
}

function bytesOf(operations: readonly Operation[]): number {
  let bytes = 0;
  for (const operation of operations) {
    bytes += OPERATION_BYTES + operation.path.length;
    if ('data' in operation && operation.data !== undefined && operation.data !== null)
      bytes += operation.data.length;
  }
  return bytes;
}
