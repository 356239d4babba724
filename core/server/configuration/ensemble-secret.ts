import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { EnsembleMember } from './ensemble.js';
import { isLoopback } from './loopback.js';
import { ConfigurationError } from './server-options.js';

/** Shorter ones can be guessed by whoever sees a handshake. */
const MIN_CHARACTERS = 16;

export interface SecretSource {
  /** The secret itself. */
  readonly secret?: string | undefined;
  /** Or the path of a file that holds it; white space around it does not count. */
  readonly secretFile?: string | undefined;
}

/**
 * The secret by which the members of an ensemble know each other, and which proves their clients' sessions: 32 bytes, from
 * text that is the same for every member. Rejects with `ConfigurationError` if there is none.
 */
export async function ensembleSecret({ secret, secretFile }: SecretSource): Promise<Uint8Array> {
  if (secret !== undefined && secretFile !== undefined) {
    throw new ConfigurationError('secret', 'it is given twice', 'Give either secret or secretFile.');
  }
  const text = secretFile === undefined ? secret : await read(secretFile);
  if (text === undefined || text.trim() === '') {
    throw new ConfigurationError(
      'secret',
      'an ensemble of several members needs one',
      'Give every member the same secret, or secretFile: for one, what `openssl rand -hex 32` prints. Only an ensemble that listens ' +
        'and is reached at no other address than those of loopback (localhost, 127.0.0.1, ::1) can do without.',
    );
  }
  if (text.trim().length < MIN_CHARACTERS) {
    throw new ConfigurationError(
      'secret',
      `it has ${text.trim().length} characters`,
      `Give at least ${MIN_CHARACTERS}.`,
    );
  }
  return createHash('sha256').update('quorate ensemble\0').update(text.trim()).digest();
}

/**
 * In place of a secret, for an ensemble that nobody can reach but from this machine: 32 bytes that follow from its members' numbers
 * and ports, so that nothing but its description is needed to join it. Null if one of the members, or `host`, where this one listens, is not of
 * loopback.
 */
export function loopbackSecret(members: readonly EnsembleMember[], host: string): Uint8Array | null {
  const addresses = members.map(({ address }) => /^wss?:\/\/(\[[^\]]+\]|[^:/]+)(.*)$/.exec(address));
  if (![host, ...addresses.map((match) => match?.[1] ?? '')].every(isLoopback)) return null;
  // Observers may come and go, and the machine has several names.
  const voters = members.flatMap(({ id, isObserver }, index) =>
    isObserver === true ? [] : [`${id}=${addresses[index]![2]}`],
  );
  return createHash('sha256').update('quorate loopback ensemble\0').update(voters.sort().join()).digest();
}

async function read(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new ConfigurationError('secretFile', `it cannot be read: ${why}`, 'Give the path of a text file.');
  }
}
