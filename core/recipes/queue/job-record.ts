/**
 * What a job's znode holds: one line of JSON for the queue, then the payload as it was given. A person with any
 * ZooKeeper shell can read it. A znode without such a line is taken as a payload that was put there by hand.
 */
export interface JobHeader {
  /** Attempts begun so far. */
  readonly attempts: number;
  /** Milliseconds since 1970, by the clock of who enqueued it. */
  readonly enqueuedAt: number;
  /** Only of a dead letter. */
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

export function encodeRecord({ header, payload }: JobRecord): Uint8Array {
  const failure = header.failure?.slice(0, LONGEST_FAILURE);
  const line = new TextEncoder().encode(`${JSON.stringify({ job: 1, ...header, failure })}\n`);
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
    const value: unknown = JSON.parse(new TextDecoder().decode(line));
    if (typeof value !== 'object' || value === null) return null;
    const { job, attempts, enqueuedAt, failure, failedAt } = value as Readonly<Record<string, unknown>>;
    if (job !== 1 || typeof attempts !== 'number' || typeof enqueuedAt !== 'number') return null;
    return {
      attempts,
      enqueuedAt,
      failure: typeof failure === 'string' ? failure : undefined,
      failedAt: typeof failedAt === 'number' ? failedAt : undefined,
    };
  } catch {
    return null;
  }
}
