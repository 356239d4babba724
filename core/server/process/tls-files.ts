import { X509Certificate } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { createSecureContext } from 'node:tls';
import type { Clock, Logger, Timer } from '../../runtime/index.js';
import type { TlsOptions } from '../../transport/index.js';
import { contextOf, type ServerTls, type TlsMaterial } from '../../transport/listener.js';
import { ConfigurationError } from '../configuration/index.js';

/** Paths of PEM files. */
export interface TlsFilePaths {
  readonly cert: string;
  readonly key: string;
  readonly ca?: string | undefined;
}

export interface TlsFilesParts {
  readonly clock: Clock;
  readonly logger: Logger;
}

/** How often the files are looked at (ms). */
const POLL_MS = 1_000;
const CERTIFICATE = /-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g;

/**
 * The certificates of a member, read from files and read again when these change. Files are replaced one after the other, so new ones
 * are read when they have not changed for a moment. Files that cannot be used are reported, and the member goes on with what it has.
 */
export class TlsFiles implements ServerTls {
  readonly #paths: TlsFilePaths;
  readonly #parts: TlsFilesParts;
  readonly #listeners = new Set<() => void>();
  #material: TlsMaterial;
  /** State of the files that was read last, and when they were looked at last. */
  #readState: string;
  #seenState: string;
  #timer: Timer | null = null;
  #isClosed = false;

  private constructor(paths: TlsFilePaths, parts: TlsFilesParts, state: string, material: TlsMaterial) {
    this.#paths = paths;
    this.#parts = parts;
    this.#readState = this.#seenState = state;
    this.#material = material;
    this.#watch();
  }

  /** Rejects with `ConfigurationError` if the files cannot be used. */
  static async open(paths: TlsFilePaths, parts: TlsFilesParts): Promise<TlsFiles> {
    const state = await stateOf(paths);
    const material = await readMaterial(paths);
    const problem = validityProblem(material, parts.clock.wall());
    if (problem !== null) parts.logger.error('TLS certificate is not valid now', { problem });
    return new TlsFiles(paths, parts, state, material);
  }

  get material(): TlsMaterial {
    return this.#material;
  }

  /** The same for connections that this member opens. */
  get options(): TlsOptions {
    const { cert, key, ca } = this.#material;
    return { cert, key, ...(ca === null ? {} : { ca }) };
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Reads the files now. Never rejects: what cannot be used is logged. */
  async reload(): Promise<void> {
    const state = await stateOf(this.#paths);
    const { clock, logger } = this.#parts;
    this.#readState = state;
    try {
      const material = await readMaterial(this.#paths);
      const { cert, key, ca } = this.#material;
      if (material.cert === cert && material.key === key && material.ca === ca) return;
      const problem = validityProblem(material, clock.wall());
      if (problem !== null)
        throw new ConfigurationError('tlsCert', problem, 'Give a certificate that is valid now.');
      this.#material = material;
      for (const listener of this.#listeners) listener();
      logger.info('TLS certificates reloaded', { validTo: new X509Certificate(material.cert).validTo });
    } catch (error) {
      logger.error('TLS certificates not reloaded: the files cannot be used; the member keeps the old ones', {
        error,
      });
    }
  }

  /** Idempotent. */
  close(): void {
    this.#isClosed = true;
    this.#timer?.cancel();
  }

  #watch(): void {
    if (!this.#isClosed) this.#timer = this.#parts.clock.setTimer(POLL_MS, () => void this.#look());
  }

  async #look(): Promise<void> {
    const state = await stateOf(this.#paths);
    const isSettled = state === this.#seenState;
    this.#seenState = state;
    if (isSettled && state !== this.#readState && !this.#isClosed) await this.reload();
    this.#watch();
  }
}

/** What changes whenever one of the files is written or replaced. */
async function stateOf({ cert, key, ca }: TlsFilePaths): Promise<string> {
  const paths = [cert, key, ...(ca === undefined ? [] : [ca])];
  const states = await Promise.all(
    paths.map((path) =>
      stat(path).then(
        ({ ino, size, mtimeMs }) => `${ino} ${size} ${mtimeMs}`,
        () => 'missing',
      ),
    ),
  );
  return states.join();
}

async function readMaterial(paths: TlsFilePaths): Promise<TlsMaterial> {
  const cert = await readPem('tlsCert', paths.cert);
  const key = await readPem('tlsKey', paths.key);
  const ca = paths.ca === undefined ? null : await readPem('tlsCa', paths.ca);
  for (const [option, path, text] of [
    ['tlsCert', paths.cert, cert],
    ['tlsCa', paths.ca, ca],
  ] as const)
    if (text !== null) checkCertificates(option, path!, text);
  const material = { cert, key, ca };
  try {
    createSecureContext(contextOf(material));
  } catch (error) {
    throw new ConfigurationError(
      'tlsKey',
      `the key of ${paths.key} cannot be used with the certificate of ${paths.cert}: ${messageOf(error)}`,
      'Give the key that belongs to the certificate, without a passphrase.',
    );
  }
  return material;
}

async function readPem(option: string, path: string): Promise<string> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    throw new ConfigurationError(
      option,
      `it cannot be read: ${messageOf(error)}`,
      'Give the path of a PEM file.',
    );
  }
  if (text.includes('-----BEGIN ')) return text;
  throw new ConfigurationError(option, `${path} is no PEM file`, 'Give one that begins with "-----BEGIN …".');
}

function checkCertificates(option: string, path: string, text: string): void {
  let certificates: readonly X509Certificate[];
  try {
    certificates = (text.match(CERTIFICATE) ?? []).map((certificate) => new X509Certificate(certificate));
  } catch (error) {
    throw new ConfigurationError(option, `${path}: ${messageOf(error)}`, 'Give certificates as PEM.');
  }
  if (certificates.length > 0) return;
  throw new ConfigurationError(option, `${path} holds no certificate`, 'Give certificates as PEM.');
}

/** Null if the member's own certificate is valid now. */
function validityProblem({ cert }: TlsMaterial, now: number): string | null {
  const { validFrom, validTo } = new X509Certificate(cert);
  if (now > Date.parse(validTo)) return `the certificate has expired, on ${validTo}`;
  if (now < Date.parse(validFrom)) return `the certificate is not valid before ${validFrom}`;
  return null;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
