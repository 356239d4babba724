/**
 * What a job's znode holds: one line of JSON for the queue, then the payload as it was given. A person with any
 * ZooKeeper shell can read it. A znode without such a line is taken as a payload that was put there by hand.
 */
export interface JobHeader {
  /** Attempts begun so far. */
  readonly attempts: number;
  /** Milliseconds since 1970, by the clock of who enqueued it. */
  readonly enqueuedAt: number;
  /** Name of the consumer's znode that is at it. */
  readonly by?: string | undefined;
  /** Name of the znode that says from when on it may be claimed again. */
  readonly delay?: string | undefined;
  readonly key?: string | undefined;
  /** Attempts after the first, where the job has a number of its own. */
  readonly retries?: number | undefined;
  /** Path of the znode that keeps its parent waiting. */
  readonly parent?: string | undefined;
  /** Its parent does not wait for it any more when it is given up. */
  readonly isOptional?: boolean | undefined;
  /** Paths of the results of those that it waited for, once it has waited; absent in a job without children. */
  readonly children?: readonly string[] | undefined;
  /** All its children are over. */
  readonly isUnblocked?: boolean | undefined;
  /** Of the last attempt that failed. */
  readonly failure?: string | undefined;
  readonly failedAt?: number | undefined;
}

export interface JobRecord {
  readonly header: JobHeader;
  readonly payload: Uint8Array;
}

const NEWLINE = 0x0a;
const OPENING_BRACE = 0x7b;
/** A failure's text in a header is cut to this length, so that a header stays small. */
const LONGEST_FAILURE = 4_096;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

export function encodeRecord({ header, payload }: JobRecord): Uint8Array {
  const failure = header.failure?.slice(0, LONGEST_FAILURE);
  const line = encoder.encode(`${JSON.stringify({ job: 1, ...header, failure })}\n`);
  const bytes = new Uint8Array(line.length + payload.length);
  bytes.set(line);
  bytes.set(payload, line.length);
  return bytes;
}

/** `createdAt` stands in for the moment of enqueueing where there is no header. */
export function decodeRecord(data: Uint8Array | null, createdAt: number): JobRecord {
  const bytes = data ?? new Uint8Array();
  const end = bytes[0] === OPENING_BRACE ? bytes.indexOf(NEWLINE) : -1;
  const header = end < 0 ? null : parseHeader(bytes.subarray(0, end));
  return header === null
    ? { header: { attempts: 0, enqueuedAt: createdAt }, payload: bytes }
    : { header, payload: bytes.subarray(end + 1) };
}

function parseHeader(line: Uint8Array): JobHeader | null {
  try {
    const value: unknown = JSON.parse(decoder.decode(line));
    if (typeof value !== 'object' || value === null) return null;
    const header = value as Readonly<Record<keyof JobHeader | 'job', unknown>>;
    if (header.job !== 1 || typeof header.attempts !== 'number' || typeof header.enqueuedAt !== 'number')
      return null;
    return {
      attempts: header.attempts,
      enqueuedAt: header.enqueuedAt,
      by: text(header.by),
      delay: text(header.delay),
      key: text(header.key),
      retries: number(header.retries),
      parent: text(header.parent),
      isOptional: header.isOptional === true ? true : undefined,
      children: Array.isArray(header.children) ? header.children.map(String) : undefined,
      isUnblocked: header.isUnblocked === true ? true : undefined,
      failure: text(header.failure),
      failedAt: number(header.failedAt),
    };
  } catch {
    return null;
  }
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

function number(value: unknown): number | undefined {
  return typeof value === 'number' ? value : undefined;
}
