import type { EnsembleMember } from './ensemble.js';
import type { ServerOptions } from './server-options.js';

/**
 * Options of which a difference changes what clients see or how long the members wait for each other. `maxDataBytes` is not among them: the
 * least of it counts, and machines may differ. Nor are `superDigest` and `superUser`, which are nobody else's business.
 */
const SHARED_OPTIONS = [
  'tickMs',
  'initLimit',
  'syncLimit',
  'minSessionMs',
  'maxSessionMs',
  'requireAuth',
  'enforceQuota',
  'ttlNodes',
  'maxPacketBytes',
  'maxReplyBytes',
  'maxTxnBytes',
] as const satisfies readonly (keyof ServerOptions)[];

/** What is to be the same on all members of an ensemble, as text: options by their name, and how each member is listed. */
export function sharedSettings(
  options: ServerOptions,
  members: readonly EnsembleMember[],
): ReadonlyMap<string, string> {
  const settings = new Map<string, string>(SHARED_OPTIONS.map((option) => [option, String(options[option])]));
  for (const { id, address, isObserver } of members)
    settings.set(`ensemble: member ${id}`, isObserver === true ? `${address}, an observer` : address);
  return settings;
}
