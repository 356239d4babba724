/**
 * What a member is configured with: options and their limits, the list of members, secrets.
 *
 * Promises: whatever leaves here was validated; what is wrong is refused with a `ConfigurationError` before anything is opened.
 * Owns: nothing but the file `session-secret` of a data directory. Calls: nothing above. Called by: every layer.
 */
export { Accounts, parseDigests, parsePasswords } from './accounts.js';
export {
  checkEnsemble,
  describeEnsemble,
  parseEnsemble,
  type EnsembleMember,
  type EnsembleParts,
  type MemberProof,
} from './ensemble.js';
export { ensembleSecrets, loopbackSecret, type SecretSource } from './ensemble-secret.js';
export { isLoopback } from './loopback.js';
export { memberSecret, SECRET_BYTES } from './member-secret.js';
export { publishedConfiguration, publishedMembers } from './published-configuration.js';
export { ringOf, SecretRing } from './secret-ring.js';
export { sharedSettings } from './shared-settings.js';
export {
  ConfigurationError,
  resolveServerOptions,
  SERVER_OPTIONS,
  type ServerOptions,
} from './server-options.js';
