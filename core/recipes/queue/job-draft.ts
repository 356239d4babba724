import type { Operation } from '../../client/index.js';
import { describeOptionProblem, describeValue, type OptionNames } from '../../runtime/index.js';
import { InvalidJobOptionsError } from '../errors.js';
import type { JobHeader } from './job-record.js';
import { encodeRecord } from './job-record.js';
import type { QueueLayout } from './queue-layout.js';

/** How a job is to be done. */
export interface JobOptions {
  /** Higher goes first; a whole number from -999 to 999, 0 by default. Jobs of the same go by age. */
  readonly priority?: number | undefined;
  /** Not before so many milliseconds have passed. */
  readonly delayMs?: number | undefined;
  /** Not before this moment. */
  readonly notBefore?: Date | undefined;
  /** As long as a job with this key is neither done nor given up, another one is not added: `enqueue` gives the id of that one. */
  readonly key?: string | undefined;
  /** Whatever rate limits are declared per group count it with those of the same. */
  readonly group?: string | undefined;
  /** Attempts after the first, instead of what the worker says. */
  readonly retries?: number | undefined;
  /** Jobs that have to be done before this one is begun; they may be of other queues. */
  readonly children?: readonly JobDraft[] | undefined;
  /** Of a child: when it is given up its parent goes on without it. By default the parent waits until it is revived or removed. */
  readonly isOptional?: boolean | undefined;
}

/** Names every option once. `signal` is one of `enqueue` alone. */
const OPTION_NAMES: OptionNames<JobOptions & { readonly signal?: AbortSignal | undefined }> = {
  priority: true,
  delayMs: true,
  notBefore: true,
  key: true,
  group: true,
  retries: true,
  children: true,
  isOptional: true,
  signal: true,
};

/** Longest delay: names have thirteen digits for a moment. */
const LATEST = 9_999_999_999_999;
const LARGEST_PRIORITY = 999;
const LONGEST_TEXT = 200;

/** Throws `InvalidJobOptionsError`. Types do not keep every program from giving something else. */
export function checkJobOptions(queue: string, options: JobOptions): void {
  const refuse = (problem: string): never => {
    throw new InvalidJobOptionsError(queue, problem);
  };
  const problem = describeOptionProblem(options, OPTION_NAMES);
  if (problem !== null) refuse(problem);
  const { priority = 0, delayMs = 0, notBefore, key, group, retries = 0, children = [] } = options;
  if (!Number.isInteger(priority) || Math.abs(priority) > LARGEST_PRIORITY)
    refuse(
      `priority must be a whole number from -${LARGEST_PRIORITY} to ${LARGEST_PRIORITY}, not ${describeValue(priority)}`,
    );
  if (typeof delayMs !== 'number' || !(delayMs >= 0 && delayMs <= LATEST))
    refuse(`delayMs must be a number of milliseconds from 0, not ${describeValue(delayMs)}`);
  const isMoment = notBefore instanceof Date && notBefore.getTime() >= 0 && notBefore.getTime() <= LATEST;
  if (notBefore !== undefined && !isMoment)
    refuse('notBefore must be a Date from 1970 to 2286 that is not invalid');
  if (!Number.isInteger(retries) || retries < 0)
    refuse(`retries must be a whole number from 0, not ${describeValue(retries)}`);
  for (const [option, text] of [
    ['key', key],
    ['group', group],
  ] as const) {
    if (text !== undefined && !isShortText(text))
      refuse(`${option} must be a text of 1 to ${LONGEST_TEXT} characters as they stand in a URL`);
  }
  if (!Array.isArray(children) || !children.every((child) => child instanceof JobDraft))
    refuse('children must be an array of what draft gives');
}

function isShortText(text: unknown): boolean {
  return typeof text === 'string' && text !== '' && encodeURIComponent(text).length <= LONGEST_TEXT;
}

/** What a draft needs of its queue. */
export interface DraftQueue {
  readonly name: string;
  readonly layout: QueueLayout;
  /** Makes the znodes below which jobs are. */
  prepare(): Promise<void>;
  takeRoom(bytes: number, options: { readonly signal?: AbortSignal | undefined }): Promise<void>;
}

/** A job that is not in its queue yet, made by `WorkQueue.draft`: to be enqueued, or given to another one as its child. */
export class JobDraft {
  readonly id: string;
  readonly key: string | undefined;
  readonly children: readonly JobDraft[];
  readonly queue: DraftQueue;
  readonly #header: JobHeader;
  readonly #payload: Uint8Array;

  constructor(
    queue: DraftQueue,
    parts: {
      readonly id: string;
      readonly header: JobHeader;
      readonly payload: Uint8Array;
      readonly children: readonly JobDraft[];
    },
  ) {
    this.queue = queue;
    this.id = parts.id;
    this.key = parts.header.key;
    this.children = parts.children;
    this.#header = parts.header;
    this.#payload = parts.payload;
  }

  get bytes(): number {
    return this.#payload.length;
  }

  /** This one and those below it. */
  get family(): readonly JobDraft[] {
    return [this, ...this.children.flatMap(({ family }) => family)];
  }

  /** What adds it, together with its children. The first one creates the job itself, the second its key. */
  operations(parent?: string): Operation[] {
    const { layout } = this.queue;
    const waiting = `${layout.children}/${this.id}`;
    const children = this.children.map(({ queue, id }) => `${queue.layout.results}/${id}`);
    const header = { ...this.#header, parent, children: children.length === 0 ? undefined : children };
    const data = encodeRecord({ header, payload: this.#payload });
    return [
      { type: 'create', path: `${layout.jobs}/${this.id}`, data, mode: 'persistent' },
      ...(this.key === undefined
        ? []
        : [{ type: 'create', path: layout.keyPath(this.key), data: this.id, mode: 'persistent' } as const]),
      ...(this.children.length === 0
        ? []
        : [{ type: 'create', path: waiting, data: null, mode: 'persistent' } as const]),
      ...this.children.flatMap((child) => {
        const marker = `${waiting}/${child.id}`;
        return [
          { type: 'create', path: marker, data: null, mode: 'persistent' } as const,
          ...child.operations(marker),
        ];
      }),
    ];
  }
}
