import type { Behaviours } from '../behaviour.js';
import { composition } from './composition.js';
import { configuration } from './configuration.js';
import { connecting } from './connecting.js';
import { discovery } from './discovery.js';
import { elections } from './elections.js';
import { expiry } from './expiry.js';
import { isolation } from './isolation.js';
import { jobInspection } from './job-inspection.js';
import { jobLimits } from './job-limits.js';
import { lockHolders } from './lock-holders.js';
import { locks } from './locks.js';
import { membership } from './membership.js';
import { operations } from './operations.js';
import { queues } from './queues.js';
import { reconnection } from './reconnection.js';
import { schedules } from './schedules.js';
import { shared } from './shared.js';
import { shutdown } from './shutdown.js';
import { turmoil } from './turmoil.js';

/** Every behaviour that all engines have to show, by subject. What is added here runs on each of them. */
export const BEHAVIOURS: Readonly<Record<string, Behaviours>> = {
  connecting,
  operations,
  composition,
  locks,
  lockHolders,
  shared,
  elections,
  schedules,
  configuration,
  discovery,
  queues,
  jobLimits,
  jobInspection,
  isolation,
  membership,
  expiry,
  reconnection,
  shutdown,
  turmoil,
};
