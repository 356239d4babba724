import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { EnsembleMember } from './ensemble.js';
import { isLoopback } from './loopback.js';
import { ConfigurationError } from './server-options.js';

/** Shorter ones can be guessed by whoever sees a handshake. */
const MIN_CHARACTERS = 16;

/** More would hide that a rotation was never finished. */
const MOST_SECRETS = 2;

export interface SecretSource {
  /** The secret itself, or two of them on a line each. */
  readonly secret?: string | undefined;
  /**
   * Or the path of a file that holds it; white space around a line does not count. With two lines the first secret proves and both are
   * accepted, so that a secret can be replaced while the ensemble runs.
   */
  readonly secretFile?: string | undefined;
}

/**
 * The secrets by which the members of an ensemble know each other, and which prove their clients' sessions: 32 bytes each, from text
 * that is the same for every member. Rejects with `ConfigurationError` if there is none.
 */
export async function ensembleSecrets({ secret, secretFile }: SecretSource): Promise<readonly Uint8Array[]> {
  if (secret !== undefined && secretFile !== undefined) {
    throw new ConfigurationError('secret', 'it is given twice', 'Give either secret or secretFile.');
  }
  const text = secretFile === undefined ? secret : await read(secretFile);
  const lines = [...new Set((text ?? '').split('\n').map((line) => line.trim()))].filter(
    (line) => line !== '',
  );
  if (lines.length === 0) {
    throw new ConfigurationError(
      'secret',
      'an ensemble of several members needs one',
      'Give every member the same secret, or secretFile: for one, what `openssl rand -hex 32` prints; or certificates (tlsCert, tlsKey, ' +
        'tlsCa) and members at wss:// addresses. Only an ensemble that listens and is reached at no other address than those of ' +
        'loopback (localhost, 127.0.0.1, ::1) can do without.',
    );
  }
  if (lines.length > MOST_SECRETS) {
    throw new ConfigurationError(
      'secret',
      `there are ${lines.length} of them`,
      'Give one, or two on a line each while one takes the place of the other.',
    );
  }
  return lines.map(toBytes);
}

function toBytes(text: string): Uint8Array {
  if (text.length >= MIN_CHARACTERS)
    return createHash('sha256').update('quorate ensemble\0').update(text).digest();
  throw new ConfigurationError(
    'secret',
    `it has ${text.length} characters`,
    `Give at least ${MIN_CHARACTERS}.`,
  );
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
