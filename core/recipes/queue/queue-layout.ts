import { moment, parseJobName, type JobName } from './job-name.js';

/** What a path below a queue is about. */
export type QueueSubject =
  | { readonly type: 'job'; readonly name: string; readonly facts: JobName }
  | { readonly type: 'consumer' | 'dead' | 'result' | 'progress'; readonly name: string }
  | { readonly type: 'slot'; readonly name: string }
  | { readonly type: 'child'; readonly parent: string }
  | { readonly type: 'paused' }
  | { readonly type: 'delay'; readonly name: string; readonly job: string; readonly dueAt: number };

const DELAY = /^(\d{13})-(job-.+)$/;

/**
 * The znodes of a queue, all below `/queues/<name>`:
 *
 * - `jobs/<job>` persistent: what is to be done, and the name of the consumer that is at it. Taking a job is writing
 *   one's own name into it, and finishing it is deleting it, each only if it is at the version that one knows. So a
 *   job costs three operations: create, set, delete;
 * - `consumers/_c_<uuid>-consumer-<sequence>` ephemeral-sequential: who works here. A job with the name of one that is
 *   gone is free; no such name ever comes back;
 * - `delays/<due>-<job>` persistent, empty: a job that had been taken is free again, but not before `due`. That the time
 *   stands in the name lets every consumer know it without reading anything;
 * - `dead/<job>` persistent: given up;
 * - `results/<job>` with a time to live: what came of it;
 * - `keys/<key>` persistent, its data the job: no second job with this key as long as that one is there;
 * - `children/<job>/<child>` persistent, empty: what a job waits for;
 * - `progress/<job>` ephemeral: how far it is;
 * - `slots/<number>` ephemeral, its data a token of whoever has it: of so many jobs at once in the fleet;
 * - `rates/<group>` persistent: when jobs were begun lately;
 * - `paused` persistent: nobody begins a job.
 */
export class QueueLayout {
  readonly path: string;
  readonly jobs: string;
  readonly delays: string;
  readonly dead: string;
  readonly results: string;
  readonly consumers: string;
  readonly keys: string;
  readonly children: string;
  readonly progress: string;
  readonly slots: string;
  readonly rates: string;
  readonly paused: string;
  readonly #jobsSlash: string;

  constructor(path: string) {
    this.path = path;
    this.jobs = `${path}/jobs`;
    this.#jobsSlash = `${path}/jobs/`;
    this.delays = `${path}/delays`;
    this.dead = `${path}/dead`;
    this.results = `${path}/results`;
    this.consumers = `${path}/consumers`;
    this.keys = `${path}/keys`;
    this.children = `${path}/children`;
    this.progress = `${path}/progress`;
    this.slots = `${path}/slots`;
    this.rates = `${path}/rates`;
    this.paused = `${path}/paused`;
  }

  /** The parents that have to be there before anything else. */
  get parents(): readonly string[] {
    const { jobs, delays, dead, results, consumers, keys, children, progress, slots, rates } = this;
    return [jobs, delays, dead, results, consumers, keys, children, progress, slots, rates];
  }

  keyPath(key: string): string {
    return `${this.keys}/${encodeURIComponent(key)}`;
  }

  ratePath(group: string | null): string {
    return `${this.rates}/${group === null ? 'all' : `g-${encodeURIComponent(group)}`}`;
  }

  /** The name of the znode at `path` if it is among the jobs; it need not be a job's name. */
  jobAt(path: string): string | null {
    return path.startsWith(this.#jobsSlash) ? path.slice(this.#jobsSlash.length) : null;
  }

  /** What an event at `path` is about; null if it is of no interest to anybody. */
  subjectOf(path: string): QueueSubject | null {
    if (!path.startsWith(`${this.path}/`)) return null;
    const rest = path.slice(this.path.length + 1);
    const slash = rest.indexOf('/');
    if (slash < 0) return rest === 'paused' ? { type: 'paused' } : null;
    const name = rest.slice(slash + 1);
    const parent = rest.slice(0, slash);
    if (parent === 'children') return childOf(name);
    return name.includes('/') ? null : subjectBelow(parent, name);
  }
}

function subjectBelow(parent: string, name: string): QueueSubject | null {
  switch (parent) {
    case 'jobs': {
      const facts = parseJobName(name);
      return facts === null ? null : { type: 'job', name, facts };
    }
    case 'consumers':
      return { type: 'consumer', name };
    case 'slots':
      return { type: 'slot', name };
    case 'dead':
      return { type: 'dead', name };
    case 'results':
      return { type: 'result', name };
    case 'progress':
      return { type: 'progress', name };
    case 'delays': {
      const delay = parseDelay(name);
      return delay === null ? null : { type: 'delay', name, ...delay };
    }
    default:
      return null;
  }
}

function childOf(name: string): QueueSubject | null {
  const slash = name.indexOf('/');
  return slash < 0 ? null : { type: 'child', parent: name.slice(0, slash) };
}

export function delayName(job: string, dueAt: number): string {
  return `${moment(dueAt)}-${job}`;
}

export function parseDelay(name: string): { readonly job: string; readonly dueAt: number } | null {
  const match = DELAY.exec(name);
  return match === null ? null : { job: match[2]!, dueAt: Number(match[1]) };
}
