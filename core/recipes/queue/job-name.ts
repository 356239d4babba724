import { parseSequence } from '../contention/sequence.js';

/**
 * What the name of a job's znode says, so that every consumer knows it without reading anything:
 * `job-<milliseconds>-<producer>-<number>[.p<priority>][.d<due>][.s<bytes>][.w][.g<group>]`. Whoever enqueues chooses the
 * name, so a job has its id before it is there, and adding it once more adds nothing.
 */
export interface JobName {
  /** Milliseconds since 1970 when it was enqueued, by the clock of who did; 0 of a job made by hand. */
  readonly enqueuedAt: number;
  /** Counts the jobs of one producer; of a job made by hand the sequence number of its znode. */
  readonly number: number;
  /** Higher goes first; 0 by default. */
  readonly priority: number;
  /** Not before this moment, milliseconds since 1970; 0: at once. */
  readonly dueAt: number;
  /** Of the encoded payload; 0 if the name does not tell. */
  readonly bytes: number;
  /** It waits for its children. */
  readonly isParent: boolean;
  readonly group: string | null;
}

const JOB =
  /^job-(\d{13})-[0-9a-f]{12}-([0-9a-z]+)(?:\.p(-?\d{1,4}))?(?:\.d(\d{13}))?(?:\.s([0-9a-z]+))?(\.w)?(?:\.g([^/]+))?$/;
/** With any ZooKeeper shell: `create -s /queues/<name>/jobs/job- '{"some":"data"}'`. */
const BY_HAND = /^job-(-?\d+)$/;

/** `producer` is twelve hexadecimal digits. */
export function formatJobName(name: JobName, producer: string): string {
  const { enqueuedAt, number, priority, dueAt, bytes, isParent, group } = name;
  return [
    `job-${moment(enqueuedAt)}-${producer}-${number.toString(36)}`,
    priority === 0 ? '' : `.p${priority}`,
    dueAt === 0 ? '' : `.d${moment(dueAt)}`,
    bytes === 0 ? '' : `.s${bytes.toString(36)}`,
    isParent ? '.w' : '',
    group === null ? '' : `.g${encodeURIComponent(group)}`,
  ].join('');
}

/** Null if it is no job's name. */
export function parseJobName(name: string): JobName | null {
  const match = JOB.exec(name);
  if (match === null) return parseByHand(name);
  const [, enqueuedAt, number, priority, dueAt, bytes, isParent, group] = match;
  return {
    enqueuedAt: Number(enqueuedAt),
    number: Number.parseInt(number!, 36),
    priority: Number(priority ?? 0),
    dueAt: Number(dueAt ?? 0),
    bytes: bytes === undefined ? 0 : Number.parseInt(bytes, 36),
    isParent: isParent !== undefined,
    group: group === undefined ? null : decodeGroup(group),
  };
}

/** Negative if `a` goes before `b`: by priority, then by age. */
export function compareJobs(a: JobName, b: JobName): number {
  return b.priority - a.priority || a.enqueuedAt - b.enqueuedAt || a.number - b.number;
}

/** A moment as it stands in names: thirteen digits sort as text until the year 2286. */
export function moment(wallMs: number): string {
  return String(Math.max(0, Math.ceil(wallMs))).padStart(13, '0');
}

function parseByHand(name: string): JobName | null {
  const digits = BY_HAND.exec(name)?.[1];
  const number = digits === undefined ? null : parseSequence(digits);
  if (number === null) return null;
  return { enqueuedAt: 0, number, priority: 0, dueAt: 0, bytes: 0, isParent: false, group: null };
}

function decodeGroup(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
