import type { ConsumeOptions } from '../core/recipes/index.js';
import type { Constructor } from './constructor.js';
import type { LayerOptions } from './config/layers.js';
import type { LockedMember } from './declarations.js';
import type { Schema, Validator } from './schema.js';
import type { ServiceOptions } from './decorators/service.js';
import type { BatchOptions, IsolatedOptions } from './decorators/worker.js';
import type { Schedule } from './runtime/schedule.js';

/** Declarations that were read and found to make sense, ready for their runners. */
export interface Plan {
  readonly configs: readonly PlannedConfig[];
  readonly services: readonly PlannedService[];
  readonly leaderJobs: readonly PlannedLeaderJob[];
  readonly shards: readonly PlannedShards[];
  readonly workers: readonly PlannedWorker[];
}

export interface PlannedConfig {
  readonly target: new () => object;
  readonly name: string;
  readonly schema: Schema | undefined;
  readonly validate: Validator;
  readonly layers: LayerOptions;
}

export interface PlannedService {
  readonly target: Constructor;
  readonly options: ServiceOptions;
  readonly health: PlannedHealth;
}

export interface PlannedHealth {
  readonly everyMs: number;
  readonly timeoutMs: number;
  readonly failures: number;
}

export interface PlannedLeaderJob {
  readonly target: Constructor;
  readonly name: string;
  readonly schedule: Schedule;
  /** How many of the last runs are kept. */
  readonly history: number;
}

export interface PlannedShards {
  readonly target: Constructor;
  readonly name: string;
  readonly shards: number;
  readonly rejoinMs: number;
}

export interface PlannedWorker {
  readonly target: Constructor;
  readonly queue: string;
  readonly schema: Schema | undefined;
  readonly validate: Validator;
  readonly concurrency: number;
  /** Attempts after the first. */
  readonly retries: number;
  readonly batch: BatchOptions | undefined;
  readonly isolated: IsolatedOptions | undefined;
  /** Of the fleet, and the delays between attempts. */
  readonly limits: Pick<ConsumeOptions, 'fleetConcurrency' | 'rateLimit' | 'groupRateLimit' | 'backoffMs'>;
}

/** A method whose calls hold a lock. */
export interface PlannedLock {
  readonly member: string | symbol;
  readonly name: LockedMember['name'];
  /** Undefined: for ever. */
  readonly waitMs: number | undefined;
  readonly mode: 'read' | 'write' | undefined;
  readonly permits: number | undefined;
}
