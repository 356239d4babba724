import type { Directory } from './disk.js';
import { UnknownFormatError } from './storage-error.js';

/**
 * Accepts what this version of Quorate can read. Throws `UnknownFormatError` for a file of a later version; a checksum has to show
 * first that the number is what was written.
 */
export function requireKnownVersion(
  { location }: Directory,
  file: string,
  { version, newestKnown }: { readonly version: number; readonly newestKnown: number },
): void {
  if (version > newestKnown) throw new UnknownFormatError({ location, file, version, newestKnown });
}
