import { QuorateError } from '../../runtime/index.js';

/** Why a run took place: the leader was elected, its time had come, its time had come while nobody led, or somebody asked for it. */
export type RunKind = 'election' | 'scheduled' | 'missed' | 'triggered';

/**
 * - running: begun, and its leader still leads as far as is known;
 * - done, failed: by its own account;
 * - aborted: it was told to stop, since the leadership or the application ended, and did;
 * - lost: its leader was replaced before it told of an end.
 */
export type RunOutcome = 'running' | 'done' | 'failed' | 'aborted' | 'lost';

/** One run of a job of which there is one in the whole fleet, as its znode holds it. */
export interface RunRecord {
  readonly kind: RunKind;
  /** Milliseconds since 1970: when it was due. */
  readonly scheduledAt: number;
  /** Milliseconds since 1970, by the clock of who ran it. */
  readonly startedAt: number;
  /** Who ran it. */
  readonly by: string;
  readonly fence: bigint;
  readonly outcome: RunOutcome;
  readonly durationMs?: number | undefined;
  /** Of one that failed. */
  readonly error?: string | undefined;
}

/** Longest text of an error that is kept. */
const LONGEST_ERROR = 2000;

export function encodeRun(record: RunRecord): string {
  const { fence, error, ...rest } = record;
  return JSON.stringify({ ...rest, fence: `0x${fence.toString(16)}`, error: error?.slice(0, LONGEST_ERROR) });
}

/** Null if it is no record of a run. */
export function decodeRun(data: Uint8Array | null): RunRecord | null {
  try {
    const value = JSON.parse(new TextDecoder().decode(data ?? new Uint8Array())) as Readonly<
      Record<string, unknown>
    >;
    const { kind, scheduledAt, startedAt, by, fence, outcome, durationMs, error } = value;
    if (typeof scheduledAt !== 'number' || typeof startedAt !== 'number' || typeof fence !== 'string')
      return null;
    return {
      kind: kind as RunKind,
      scheduledAt,
      startedAt,
      by: String(by),
      fence: BigInt(fence),
      outcome: outcome as RunOutcome,
      durationMs: typeof durationMs === 'number' ? durationMs : undefined,
      error: typeof error === 'string' ? error : undefined,
    };
  } catch {
    return null;
  }
}

/** What is kept of an error. */
export function describeFailure(error: unknown): string {
  if (error instanceof QuorateError) return `${error.code}: ${error.message}`;
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}
