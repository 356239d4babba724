/** The names of the options of what programs call: `checkOptions` refuses all others. */
import type { OptionNames } from '../../runtime/index.js';
import { SERVER_OPTIONS } from '../configuration/index.js';
import type { RestoreOptions } from './backups/new-ensemble.js';
import type { DoctorOptions } from './doctor.js';
import type { EmbeddedOptions } from './embedded.js';
import type { ServeOptions } from './serve.js';

export const SERVE_OPTIONS: OptionNames<ServeOptions> = {
  data: true,
  host: true,
  port: true,
  ensemble: true,
  ...SERVER_OPTIONS,
  secret: true,
  secretFile: true,
  memberAuth: true,
  tlsCert: true,
  tlsKey: true,
  tlsCa: true,
  tlsClientAuth: true,
  tlsAllowPlain: true,
  authUsersFile: true,
  saslUsersFile: true,
  refuseLooseFiles: true,
  backupDir: true,
  backupEvery: true,
  backupKeep: true,
  observer: true,
  initialize: true,
  allowedOrigins: true,
  allowedHosts: true,
  maxConnectionsPerAddress: true,
  listeners: true,
  logger: true,
  clock: true,
  random: true,
};

export const EMBEDDED_OPTIONS: OptionNames<EmbeddedOptions> = {
  members: true,
  data: true,
  ...SERVER_OPTIONS,
  disk: true,
  secret: true,
  network: true,
  address: true,
  logger: true,
  clock: true,
  random: true,
};

export const DOCTOR_OPTIONS: OptionNames<DoctorOptions> = {
  disk: true,
  folder: true,
  repair: true,
  alone: true,
  logger: true,
};

export const RESTORE_OPTIONS: OptionNames<RestoreOptions> = {
  content: true,
  name: true,
  disk: true,
  id: true,
  members: true,
  restoration: true,
};
