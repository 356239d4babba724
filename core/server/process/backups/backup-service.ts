import type { X509Certificate } from 'node:crypto';
import type { Id } from '../../../protocol/index.js';
import { parseJson, QuorateError, type Clock, type Logger } from '../../../runtime/index.js';
import { CloseCode, type Connection } from '../../../transport/index.js';
import { type Authentication, identitiesOfCertificate } from '../../clients/index.js';
import { isLoopback, type ServerOptions } from '../../configuration/index.js';
import { backupOf } from '../../state/index.js';
import type { Member } from '../../member/index.js';

/** Path and subprotocol at which a member gives backups. */
export const BACKUP_PATH = '/backup';
export const BACKUP_SUBPROTOCOL = 'quorate.backup.v1';
/** Of a request for a backup. */
const MAX_BACKUP_REQUEST_BYTES = 65_536;
/** How such connections are made. */
export const BACKUP_ROUTE = {
  subprotocol: BACKUP_SUBPROTOCOL,
  from: 'client',
  maxMessageBytes: MAX_BACKUP_REQUEST_BYTES,
} as const;

/** Backups that a member sends at once: each keeps what changes meanwhile in memory. */
const MOST_BACKUPS = 2;
/** Bytes of a backup that wait for its receiver; no more are encoded before they have left. */
const MAX_UNSENT_BYTES = 1024 * 1024;
/** A receiver that takes nothing in for so long is cut off. */
const STALLED_MS = 30_000;

/** What comes first: nothing else if it has a code, else the bytes of the backup follow, a message for each part. */
export interface BackupAnswer {
  readonly code?: string;
  readonly message?: string;
}

export interface BackupServiceParts {
  readonly options: ServerOptions;
  readonly authentication: () => Authentication;
  readonly member: () => Member | null;
  readonly clock: Clock;
  readonly logger: Logger;
}

/**
 * Sends backups of the state of this member to whoever may have them, while the member goes on serving. A backup has everything, past all
 * ACLs: where there is an identity that passes every ACL, it is needed; else the request has to come from this machine.
 */
export class BackupService {
  readonly #parts: BackupServiceParts;
  #running = 0;

  constructor(parts: BackupServiceParts) {
    this.#parts = parts;
  }

  /** Takes a connection whose first message is the request, `{ "auth": [["digest", "user:password"]] }`. */
  accept(connection: Connection, certificate: X509Certificate | null): void {
    const { clock, options } = this.#parts;
    let isAsked = false;
    const deadline = clock.setTimer(options.handshakeMs, () => connection.terminate());
    const flow = new Flow(connection, clock);
    connection.handle({
      message: (bytes) => {
        deadline.cancel();
        if (isAsked) return;
        isAsked = true;
        void this.#answer(connection, flow, [
          ...identitiesOfCertificate(certificate),
          ...this.#identities(bytes),
        ]);
      },
      drained: () => flow.proceed(),
      closed: () => {
        deadline.cancel();
        flow.proceed();
      },
    });
  }

  async #answer(connection: Connection, flow: Flow, identities: readonly Id[]): Promise<void> {
    const refusal = this.#refusal(identities, connection.remoteAddress);
    const member = this.#parts.member();
    if (refusal !== null || member === null) {
      const { code, message } =
        refusal ?? new BackupRefused('BACKUP_UNAVAILABLE', 'the member is starting. Try again.');
      answer(connection, { code, message });
      return connection.close();
    }
    this.#running += 1;
    try {
      await this.#send(connection, flow, member);
    } catch (error) {
      this.#parts.logger.error('Backup failed', { remote: connection.remoteAddress, error });
      connection.close({ code: CloseCode.internalError, text: 'the backup failed' });
    } finally {
      this.#running -= 1;
    }
  }

  async #send(connection: Connection, flow: Flow, member: Member): Promise<void> {
    const { clock, logger, options } = this.#parts;
    const { ensemble, epoch } = member.health();
    const startedAt = clock.now();
    const takenAt = new Date(clock.wall()).toISOString();
    const origin = { ensemble, epoch, member: options.id, takenAt };
    let bytes = 0;
    answer(connection, {});
    const pause = (): Promise<void> => new Promise((resolve) => clock.soon(resolve));
    for await (const piece of backupOf(member.snapshot(), origin, pause)) {
      if (!connection.isOpen) break;
      connection.send(piece);
      bytes += piece.length;
      await flow.room();
    }
    const isWhole = connection.isOpen;
    connection.close();
    const fields = { remote: connection.remoteAddress, bytes, ms: Math.round(clock.now() - startedAt) };
    if (isWhole) logger.info('Backup sent', fields);
    else logger.warn('Backup broken off by its receiver', fields);
  }

  #refusal(identities: readonly Id[], remoteAddress: string): QuorateError | null {
    const { options } = this.#parts;
    const isSuper = identities.some(({ scheme }) => scheme === 'super');
    if (!isSuper && options.superDigest !== null)
      return new BackupRefused(
        'BACKUP_REFUSED',
        'it reads past every ACL. Give the identity of --super-digest with --auth or QUORATE_AUTH.',
      );
    if (!isSuper && options.requireAuth)
      return new BackupRefused(
        'BACKUP_REFUSED',
        'it reads past every ACL, and this member, which requires an identity, has none that may do so. Start the members with --super-digest.',
      );
    if (!isSuper && !isLoopback(hostOf(remoteAddress)))
      return new BackupRefused(
        'BACKUP_REFUSED',
        'it reads past every ACL, and the request comes from another machine. Run it on the machine of a member, or start the members with ' +
          '--super-digest and give that identity with --auth.',
      );
    if (this.#running >= MOST_BACKUPS)
      return new BackupRefused(
        'BACKUP_BUSY',
        `it sends ${this.#running} already. Try again when they are done.`,
      );
    return null;
  }

  #identities(bytes: Uint8Array): Id[] {
    const authentication = this.#parts.authentication();
    return authOf(bytes).flatMap(([scheme, text]) => {
      const request = { type: 0, scheme, auth: Buffer.from(text) };
      return authentication.identities(request) ?? [];
    });
  }
}

/** Waits until the other end has taken in what was sent. */
class Flow {
  readonly #connection: Connection;
  readonly #clock: Clock;
  #waiting: (() => void) | null = null;

  constructor(connection: Connection, clock: Clock) {
    this.#connection = connection;
    this.#clock = clock;
  }

  proceed(): void {
    this.#waiting?.();
    this.#waiting = null;
  }

  async room(): Promise<void> {
    if (this.#connection.bufferedBytes < MAX_UNSENT_BYTES) return;
    const stalled = this.#clock.setTimer(STALLED_MS, () => this.#connection.terminate());
    await new Promise<void>((resolve) => (this.#waiting = resolve));
    stalled.cancel();
  }
}

/** A member gives no backup. */
class BackupRefused extends QuorateError {
  constructor(code: 'BACKUP_REFUSED' | 'BACKUP_BUSY' | 'BACKUP_UNAVAILABLE', why: string) {
    super(code, `The member gives no backup: ${why}`);
  }
}

function answer(connection: Connection, { code, message }: BackupAnswer): void {
  connection.send(Buffer.from(JSON.stringify({ code, message })));
}

/** Empty if the request cannot be read. */
function authOf(bytes: Uint8Array): readonly (readonly [string, string])[] {
  try {
    const { auth } = parseJson(Buffer.from(bytes).toString()) as { readonly auth?: unknown };
    const isPair = (one: unknown): one is [string, string] =>
      Array.isArray(one) && one.length === 2 && one.every((text) => typeof text === 'string');
    return Array.isArray(auth) ? auth.filter(isPair) : [];
  } catch {
    return [];
  }
}

/** `host` of `host:port` or `[host]:port`. */
function hostOf(address: string): string {
  return /^(\[[^\]]*\]|[^:]*)/.exec(address)![1]!;
}
