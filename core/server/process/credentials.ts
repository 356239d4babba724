import { readFile } from 'node:fs/promises';
import type { X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import type { Clock, Logger } from '../../runtime/index.js';
import {
  Accounts,
  ConfigurationError,
  type EnsembleMember,
  type MemberProof,
  ensembleSecrets,
  loopbackSecret,
  parseDigests,
  parsePasswords,
  SecretRing,
  type SecretSource,
  type ServerOptions,
} from '../configuration/index.js';
import type { CertificateCheck } from '../peers/index.js';
import { TlsFiles } from './tls-files.js';

export interface CredentialOptions extends SecretSource {
  /** Path of the member's certificate, PEM, with those between it and its authority. With it `port` accepts only TLS. Default: no TLS. */
  readonly tlsCert?: string;
  /** Path of its key, PEM. */
  readonly tlsKey?: string;
  /**
   * Path of the authorities that sign the certificates of members and clients, PEM. Without a secret the members know each other by
   * certificates that these have signed for the hosts of `ensemble`. Default: none; clients present no certificates.
   */
  readonly tlsCa?: string;
  /**
   * `required`: refuse clients that present no certificate. `optional`: accept them; what they may do is up to ACLs and `requireAuth`.
   * Default: `optional` at `port`, so that probes and browsers can connect, and `required` at the ZooKeeper port, as in ZooKeeper.
   */
  readonly tlsClientAuth?: 'required' | 'optional';
  /**
   * Path of a list of users that `requireAuth` accepts by the scheme `digest`, one on a line: `user:password`, or
   * `user:{digest}base64(sha1("user:password"))`. Default: none.
   */
  readonly authUsersFile?: string;
  /** Path of a list of users for SASL DIGEST-MD5, one `user:password` on a line. Default: no SASL. */
  readonly saslUsersFile?: string;
  /**
   * How the members of an ensemble prove who they are to each other: `secret`, `certificate`, or both with a comma between them while an
   * ensemble changes from one to the other; then the first proves, and both are accepted. `certificate` needs `tlsCa` and `wss://` addresses
   * of all members. Default: `secret` where one is given, else `certificate` where it can be.
   */
  readonly memberAuth?: string;
  /** Accept also connections without TLS at `port`, while the members of an ensemble change to TLS one by one. Default false. */
  readonly tlsAllowPlain?: boolean;
}

interface CredentialParts {
  readonly resolved: Pick<ServerOptions, 'requireAuth' | 'superDigest'>;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Null for a member that stands alone. */
  readonly members: readonly EnsembleMember[] | null;
  /** Where this member listens. */
  readonly host: string;
}

/** What proves the identity of this member to others, and of others to it. All of it can be replaced while the member runs. */
export class Credentials {
  /** Null without TLS. */
  readonly tls: TlsFiles | null;
  /** Null where the data directory holds the only secret. */
  readonly secrets: SecretRing | null;
  /** How the members prove who they are to each other. */
  readonly proofs: readonly MemberProof[];
  /** Who may prove an identity. */
  readonly accounts = new Accounts();
  readonly #options: CredentialOptions;
  readonly #parts: CredentialParts;

  private constructor(
    options: CredentialOptions,
    parts: CredentialParts,
    found: Pick<Credentials, 'tls' | 'secrets' | 'proofs'>,
  ) {
    this.#options = options;
    this.#parts = parts;
    this.tls = found.tls;
    this.secrets = found.secrets;
    this.proofs = found.proofs;
  }

  /** Rejects with `ConfigurationError`. Call `close` when the member has ended. */
  static async open(options: CredentialOptions, parts: CredentialParts): Promise<Credentials> {
    checkTlsOptions(options);
    checkRequiredAuth(options, parts);
    const proofs = proofsOf(options, parts);
    const secrets = proofs.includes('secret') ? await secretsOf(options, parts) : null;
    const tls = await tlsOf(options, parts);
    const credentials = new Credentials(options, parts, { tls, secrets, proofs });
    try {
      await credentials.#readAccounts();
      return credentials;
    } catch (error) {
      credentials.close();
      throw error;
    }
  }

  /** The check of a dialler's certificate; null where members do not know each other by certificates. */
  certificateCheck(certificate: X509Certificate | null): CertificateCheck | null {
    const { members } = this.#parts;
    if (!this.proofs.includes('certificate') || members === null) return null;
    return (id) => {
      const address = members.find((member) => member.id === id)?.address ?? '';
      return certificateProblem(certificate, id, new URL(address).hostname.replace(/^\[|\]$/g, ''));
    };
  }

  /** Reads the files again. Never rejects: what cannot be used is logged, and the member keeps what it has. */
  async reload(): Promise<void> {
    await this.tls?.reload();
    await this.#reloadSecrets();
    const { logger } = this.#parts;
    try {
      await this.#readAccounts();
    } catch (error) {
      logger.error('Lists of users not reloaded: they cannot be used; the member keeps the old ones', {
        error,
      });
    }
  }

  async #reloadSecrets(): Promise<void> {
    const { secret, secretFile } = this.#options;
    if (this.secrets === null || secretFile === undefined) return;
    const { logger } = this.#parts;
    try {
      const secrets = await ensembleSecrets({ secret, secretFile });
      this.secrets.replace(secrets);
      logger.info('Secret file reloaded', { secrets: secrets.length });
    } catch (error) {
      logger.error('Secret file not reloaded: it cannot be used; the member keeps the old secret', { error });
    }
  }

  /** Both or none: what cannot be used changes nothing. */
  async #readAccounts(): Promise<void> {
    const { authUsersFile, saslUsersFile } = this.#options;
    const digests =
      authUsersFile === undefined
        ? null
        : parseDigests('authUsersFile', await readText('authUsersFile', authUsersFile));
    const passwords =
      saslUsersFile === undefined
        ? null
        : parsePasswords('saslUsersFile', await readText('saslUsersFile', saslUsersFile));
    this.accounts.digests = digests;
    this.accounts.passwords = passwords;
  }

  close(): void {
    this.tls?.close();
  }
}

/** Otherwise nobody could connect, or a list would be without effect. */
function checkRequiredAuth(options: CredentialOptions, { resolved }: CredentialParts): void {
  const { authUsersFile, saslUsersFile, tlsCa } = options;
  if (authUsersFile !== undefined && !resolved.requireAuth)
    throw new ConfigurationError(
      'authUsersFile',
      'it has no effect without requireAuth: anybody may claim any digest then, and ACLs decide what it is good for',
      'Give requireAuth too, or leave this out.',
    );
  const ways = [authUsersFile, saslUsersFile, tlsCa, resolved.superDigest ?? undefined];
  if (!resolved.requireAuth || ways.some((way) => way !== undefined)) return;
  throw new ConfigurationError(
    'requireAuth',
    'nobody could prove an identity',
    'Give authUsersFile, saslUsersFile, tlsCa or superDigest too.',
  );
}

function proofsOf(options: CredentialOptions, { members }: CredentialParts): readonly MemberProof[] {
  const hasSecret = options.secret !== undefined || options.secretFile !== undefined;
  const canCertify =
    options.tlsCa !== undefined &&
    members !== null &&
    members.every(({ address }) => address.startsWith('wss://'));
  if (options.memberAuth === undefined) return !hasSecret && canCertify ? ['certificate'] : ['secret'];
  const proofs = options.memberAuth.split(',').map((word) => word.trim());
  const refuse = (problem: string, remedy: string): never => {
    throw new ConfigurationError('memberAuth', problem, remedy);
  };
  if (members === null) refuse('it has no effect on a member that stands alone', 'Leave it out.');
  const isKnown = (word: string): word is MemberProof => word === 'secret' || word === 'certificate';
  if (!proofs.every(isKnown) || new Set(proofs).size !== proofs.length)
    refuse(
      `${options.memberAuth} is unknown`,
      'Give secret, certificate, or both with a comma between them.',
    );
  if (proofs.includes('certificate') && !canCertify)
    refuse('certificates need tlsCa and members at wss:// addresses', 'Give these, or secret alone.');
  if (proofs.includes('secret') !== hasSecret)
    refuse(
      hasSecret ? 'there is a secret, which it leaves out' : 'there is no secret',
      'Give secret or secretFile exactly where memberAuth has secret.',
    );
  return proofs.filter(isKnown);
}

async function readText(option: string, path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new ConfigurationError(option, `it cannot be read: ${why}`, 'Give the path of a text file.');
  }
}

function checkTlsOptions(options: CredentialOptions): void {
  const { tlsCert, tlsKey, tlsClientAuth } = options;
  if (tlsCert !== undefined && tlsKey === undefined)
    throw new ConfigurationError('tlsKey', 'tlsCert needs it', 'Give the path of a PEM file.');
  for (const option of ['tlsKey', 'tlsCa', 'tlsClientAuth', 'tlsAllowPlain'] as const)
    if (options[option] !== undefined && tlsCert === undefined)
      throw new ConfigurationError(
        option,
        'it has no effect without tlsCert',
        'Give that too, or leave this out.',
      );
  if (tlsClientAuth === undefined) return;
  if (!['required', 'optional'].includes(tlsClientAuth))
    throw new ConfigurationError(
      'tlsClientAuth',
      `${tlsClientAuth as string} is unknown`,
      'Give required or optional.',
    );
  if (options.tlsCa === undefined)
    throw new ConfigurationError('tlsClientAuth', 'it has no effect without tlsCa', 'Give that too.');
}

async function tlsOf(
  { tlsCert, tlsKey, tlsCa }: CredentialOptions,
  parts: CredentialParts,
): Promise<TlsFiles | null> {
  if (tlsCert === undefined || tlsKey === undefined) return null;
  return TlsFiles.open({ cert: tlsCert, key: tlsKey, ca: tlsCa }, parts);
}

/** Null for a member that stands alone and is given none. */
async function secretsOf(
  options: CredentialOptions,
  { members, host, logger }: CredentialParts,
): Promise<SecretRing | null> {
  if (options.secret !== undefined || options.secretFile !== undefined)
    return new SecretRing(await ensembleSecrets(options));
  if (members === null) return null;
  const derived = loopbackSecret(members, host);
  if (derived === null) return new SecretRing(await ensembleSecrets(options));
  logger.warn(
    'This ensemble has no secret: everybody on this machine can join it as a member, and take up the sessions of its clients. ' +
      'Give every member the same secret, or secretFile, unless it is there to try things out',
  );
  return new SecretRing([derived]);
}

/** The subject is not looked at: it names clients. A certificate without names of hosts is that of no member. */
function certificateProblem(certificate: X509Certificate | null, id: number, host: string): string | null {
  if (certificate === null) return `member ${id} presented no certificate`;
  const isFor =
    isIP(host) === 0
      ? certificate.checkHost(host, { subject: 'never' }) !== undefined
      : certificate.checkIP(host) !== undefined;
  return isFor ? null : `the certificate is not for ${host}, the host of member ${id}`;
}
