import type { RunKind } from '../core/recipes/index.js';
import { didYouMean, InvalidArgumentError, type Logger } from '../core/runtime/index.js';

/** The life of an application: `starting → running → draining → stopped`, or `failed` when it could not start. */
export type ApplicationState = 'starting' | 'running' | 'draining' | 'stopped' | 'failed';

/** Everything an application tells of itself while it runs, as one tagged union. */
export type ApplicationEvent =
  | { readonly type: 'state'; readonly state: ApplicationState }
  | { readonly type: 'connection'; readonly state: string }
  | {
      /** The event loop stood still, so that nothing of this process was carried out and no signal could be seen. */
      readonly type: 'loop-blocked';
      readonly durationMs: number;
      /** Leaderships, shards, locks and jobs that were held meanwhile and are, or must be taken to be, lost. */
      readonly lost: readonly string[];
      /** Those that were held meanwhile and are not lost. */
      readonly atRisk: readonly string[];
    }
  | {
      readonly type: 'config-loaded';
      readonly name: string;
      /** Where the value came from; `defaults` when there is no znode. */
      readonly source: 'znode' | 'disk' | 'defaults';
    }
  | { readonly type: 'config-reloaded'; readonly name: string; readonly version: number }
  | {
      readonly type: 'config-refused';
      readonly name: string;
      readonly path: string;
      /** Of the znode; -1 when the znode is not known. */
      readonly version: number;
      readonly violations: readonly string[];
    }
  | { readonly type: 'service-registered'; readonly name: string; readonly id: string }
  | { readonly type: 'service-unregistered'; readonly name: string; readonly id: string }
  | {
      /** Its own check failed, so that it was taken out of the registry. */
      readonly type: 'service-unhealthy';
      readonly name: string;
      readonly id: string;
      readonly error: unknown;
    }
  | { readonly type: 'service-healthy'; readonly name: string; readonly id: string }
  | { readonly type: 'leader-acquired'; readonly name: string; readonly fence: bigint }
  | { readonly type: 'leader-lost'; readonly name: string; readonly fence: bigint }
  | {
      readonly type: 'shard-acquired';
      readonly name: string;
      readonly shard: number;
      readonly fence: bigint;
    }
  | { readonly type: 'shard-lost'; readonly name: string; readonly shard: number; readonly fence: bigint }
  | {
      /** Its task threw; the shard is given up, and taken again after a pause. */
      readonly type: 'shard-failed';
      readonly name: string;
      readonly shard: number;
      readonly fence: bigint;
      readonly error: unknown;
    }
  | {
      /** A lock that was taken through `Locks`, by `@Locked` for one. */
      readonly type: 'lock-acquired';
      readonly name: string;
      readonly fence: bigint;
    }
  | {
      /** It is not held any more. */
      readonly type: 'lock-released';
      readonly name: string;
      readonly fence: bigint;
      /** Not given back by this process, but lost: with the session, or since somebody deleted its znode. */
      readonly isLost: boolean;
    }
  | {
      /** Moments of its calendar passed while nobody led; `madeUpFor` of them are run now. */
      readonly type: 'runs-missed';
      readonly name: string;
      readonly since: Date;
      readonly madeUpFor: number;
    }
  | {
      /** Its time came while a run was in hand, or it was taken before. */
      readonly type: 'run-skipped';
      readonly name: string;
      readonly scheduledAt: Date;
      readonly reason: 'overlap' | 'taken';
    }
  | {
      readonly type: 'run-started';
      readonly name: string;
      readonly scheduledAt: Date;
      readonly kind: RunKind;
    }
  | {
      readonly type: 'run-done';
      readonly name: string;
      readonly scheduledAt: Date;
      readonly durationMs: number;
    }
  | {
      readonly type: 'run-failed';
      readonly name: string;
      readonly scheduledAt: Date;
      readonly error: unknown;
    }
  | {
      readonly type: 'job-started';
      readonly queue: string;
      readonly id: string;
      readonly attempt: number;
    }
  | {
      readonly type: 'job-done';
      readonly queue: string;
      readonly id: string;
      readonly attempt: number;
      readonly durationMs: number;
    }
  | {
      readonly type: 'job-failed';
      readonly queue: string;
      readonly id: string;
      readonly attempt: number;
      /** False when another attempt will follow. */
      readonly isFinal: boolean;
      /** When that attempt may begin; undefined when none follows, or the servers refused to note the failure. */
      readonly retryAt: Date | undefined;
      readonly error: unknown;
    }
  | {
      /** Somebody cancelled the job while it was in hand. */
      readonly type: 'job-cancelled';
      readonly queue: string;
      readonly id: string;
      readonly attempt: number;
    }
  | {
      /** The claim was lost, or the drain deadline passed: the job is another's now. */
      readonly type: 'job-lost';
      readonly queue: string;
      readonly id: string;
      readonly attempt: number;
      readonly reason: unknown;
    };

export type ApplicationEventType = ApplicationEvent['type'];

/** Names every type once: the compiler refuses a list with one too many or too few. */
const EVENT_TYPES: Readonly<Record<ApplicationEventType | '*', true>> = {
  state: true,
  connection: true,
  'loop-blocked': true,
  'config-loaded': true,
  'config-reloaded': true,
  'config-refused': true,
  'service-registered': true,
  'service-unregistered': true,
  'service-unhealthy': true,
  'service-healthy': true,
  'leader-acquired': true,
  'leader-lost': true,
  'shard-acquired': true,
  'shard-lost': true,
  'shard-failed': true,
  'lock-acquired': true,
  'lock-released': true,
  'runs-missed': true,
  'run-skipped': true,
  'run-started': true,
  'run-done': true,
  'run-failed': true,
  'job-started': true,
  'job-done': true,
  'job-failed': true,
  'job-cancelled': true,
  'job-lost': true,
  '*': true,
};

export type EventOf<Type extends ApplicationEventType> = Extract<ApplicationEvent, { readonly type: Type }>;

/** Tells listeners of events, in order, at once. A listener that throws is logged and disturbs nobody. */
export class EventHub {
  readonly #listeners = new Map<ApplicationEventType | '*', Set<(event: never) => void>>();
  readonly #logger: Logger;

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  /** Calls `listener` with every event of one type, or of all with `*`; returns how to stop it. */
  on<Type extends ApplicationEventType>(type: Type, listener: (event: EventOf<Type>) => void): () => void;
  on(type: '*', listener: (event: ApplicationEvent) => void): () => void;
  on(type: ApplicationEventType | '*', listener: (event: never) => void): () => void {
    checkListener(type, listener);
    const listeners = this.#listeners.get(type) ?? new Set();
    this.#listeners.set(type, listeners);
    const own = (event: never): void => listener(event);
    listeners.add(own);
    return () => listeners.delete(own);
  }

  emit(event: ApplicationEvent): void {
    for (const type of [event.type, '*'] as const) {
      for (const listener of this.#listeners.get(type) ?? []) {
        try {
          listener(event as never);
        } catch (error) {
          this.#logger.error('a listener of an application event threw', { type: event.type, error });
        }
      }
    }
  }
}

/** Only a program without types can give anything else: a listener of a misspelt type would never be called. */
function checkListener(type: unknown, listener: unknown): void {
  const known = Object.keys(EVENT_TYPES);
  if (typeof type !== 'string' || !Object.hasOwn(EVENT_TYPES, type))
    throw new InvalidArgumentError(
      'Application.on',
      'the type of event',
      `one of ${known.join(', ')}`,
      type,
      typeof type === 'string' ? didYouMean(type, known) : '',
    );
  if (typeof listener !== 'function')
    throw new InvalidArgumentError('Application.on', 'the listener', 'a function', listener);
}
