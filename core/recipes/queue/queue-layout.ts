import { parseSequence } from '../contention/sequence.js';

/** What a path below a queue is about. */
export type QueueSubject =
  | { readonly type: 'job' | 'claim' | 'consumer'; readonly name: string }
  | { readonly type: 'delay'; readonly name: string; readonly job: string; readonly dueAt: number };

/** As `enqueue` makes it, or with any ZooKeeper shell by hand, without the id. */
const JOB = /^job-(?:[0-9a-f-]{36}-)?(.+)$/;
const DELAY = /^(\d{13})-(job-.+)$/;

/**
 * The znodes of a queue, all below `/queues/<name>`:
 *
 * - `jobs/job-<uuid>-<sequence>` persistent-sequential: what is to be done;
 * - `claims/<job>` ephemeral: whose turn it is;
 * - `delays/<due>-<job>` persistent, empty: not before `due` (milliseconds since 1970). That the time stands in the
 *   name lets every consumer know it without reading anything;
 * - `dead/<job>` persistent: given up;
 * - `results/<job>` with a time to live: what came of it;
 * - `consumers/_c_<uuid>-consumer-<sequence>` ephemeral-sequential: who works here.
 */
export class QueueLayout {
  readonly path: string;
  readonly jobs: string;
  readonly claims: string;
  readonly delays: string;
  readonly dead: string;
  readonly results: string;
  readonly consumers: string;

  constructor(path: string) {
    this.path = path;
    this.jobs = `${path}/jobs`;
    this.claims = `${path}/claims`;
    this.delays = `${path}/delays`;
    this.dead = `${path}/dead`;
    this.results = `${path}/results`;
    this.consumers = `${path}/consumers`;
  }

  /** The parents that have to be there before anything else. */
  get parents(): readonly string[] {
    return [this.jobs, this.claims, this.delays, this.dead, this.results, this.consumers];
  }

  /** What an event at `path` is about; null if it is of no interest to a consumer. */
  subjectOf(path: string): QueueSubject | null {
    if (!path.startsWith(`${this.path}/`)) return null;
    const [parent, name, ...deeper] = path.slice(this.path.length + 1).split('/');
    if (name === undefined || deeper.length > 0) return null;
    switch (parent) {
      case 'jobs':
        return jobSequence(name) === null ? null : { type: 'job', name };
      case 'claims':
        return { type: 'claim', name };
      case 'consumers':
        return { type: 'consumer', name };
      case 'delays': {
        const delay = parseDelay(name);
        return delay === null ? null : { type: 'delay', name, ...delay };
      }
      default:
        return null;
    }
  }
}

/** Number of a job's znode; null if it is none. */
export function jobSequence(name: string): number | null {
  const digits = JOB.exec(name)?.[1];
  return digits === undefined ? null : parseSequence(digits);
}

export function delayName(job: string, dueAt: number): string {
  return `${String(Math.max(0, Math.ceil(dueAt))).padStart(13, '0')}-${job}`;
}

export function parseDelay(name: string): { readonly job: string; readonly dueAt: number } | null {
  const match = DELAY.exec(name);
  return match === null ? null : { job: match[2]!, dueAt: Number(match[1]) };
}
