import { parseConnectString } from '../../../core/client/index.js';
import { QuorateError } from '../../../core/runtime/index.js';
import { BACKUP_PATH, BACKUP_SUBPROTOCOL, type BackupAnswer } from '../../../core/server/index.js';
import { WebSocketDialer, type Connection } from '../../../core/transport/index.js';
import { identityOptions } from '../identity-flags.js';
import type { EnsembleFlags } from '../on-ensemble.js';

/** A member may be asked whether it gives a backup for so long; then the next one is. */
const ANSWER_MS = 5_000;
/** Nothing has arrived for so long. */
const SILENCE_MS = 60_000;
const RETRY_MS = 200;
/** Received and not written yet; more is not read from the connection. */
const MAX_HELD_BYTES = 4 * 1024 * 1024;
const MAX_MESSAGE_BYTES = 8 * 1024 * 1024;

/**
 * The bytes of a backup of the first member of `--connect` that gives one. Rejects with a `QuorateError` if none does within `--patience`, with
 * what a member refuses it for, or if the connection breaks off.
 */
export async function* receiveBackup(flags: EnsembleFlags): AsyncGenerator<Uint8Array, void> {
  const { scheme, addresses, chroot } = parseConnectString(flags.connect);
  if (scheme !== 'ws' && scheme !== 'wss') throw notOurs(flags.connect);
  if (chroot !== '') throw hasChroot(chroot);
  const dialer = new WebSocketDialer({
    path: BACKUP_PATH,
    subprotocol: BACKUP_SUBPROTOCOL,
    maxMessageBytes: MAX_MESSAGE_BYTES,
    tls: identityOptions(flags).tls,
  });
  const deadline = performance.now() + flags.patience;
  for (let attempt = 0; ; attempt++) {
    const address = addresses[attempt % addresses.length]!;
    try {
      const incoming = await ask(dialer, address, flags);
      yield* incoming.pieces();
      return;
    } catch (error) {
      const isWorthAnother = error instanceof QuorateError && TRY_AGAIN.has(error.code);
      if (!isWorthAnother || performance.now() > deadline) throw error;
      if (attempt % addresses.length === addresses.length - 1)
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
  }
}

const TRY_AGAIN: ReadonlySet<string> = new Set(['CONNECT_FAILED', 'BACKUP_BUSY', 'BACKUP_UNAVAILABLE']);

/** Opens a connection and waits for the member's answer. Rejects with what it refuses the backup for. */
async function ask(
  dialer: WebSocketDialer,
  address: string,
  { auth = [] }: EnsembleFlags,
): Promise<Incoming> {
  const connection = await dialer.dial(address, { signal: AbortSignal.timeout(ANSWER_MS) });
  const incoming = new Incoming(connection, address);
  connection.send(Buffer.from(JSON.stringify({ auth: auth.map((each) => [each.scheme, each.auth]) })));
  const first = await incoming.next();
  const { code, message } = JSON.parse(Buffer.from(first ?? '{}').toString()) as BackupAnswer;
  if (first === null) throw brokenOff(address);
  if (code !== undefined) {
    connection.close();
    throw new MemberRefusal(code, `${address}: ${message ?? ''}`);
  }
  return incoming;
}

/** What a member answered in place of a backup. */
class MemberRefusal extends QuorateError {}

/** Messages of a connection, in order, for one consumer. */
class Incoming {
  readonly #connection: Connection;
  readonly #address: string;
  readonly #held: Uint8Array[] = [];
  #heldBytes = 0;
  #isOver = false;
  #waiting: (() => void) | null = null;

  constructor(connection: Connection, address: string) {
    this.#connection = connection;
    this.#address = address;
    connection.handle({
      message: (bytes) => {
        this.#held.push(bytes);
        this.#heldBytes += bytes.length;
        if (this.#heldBytes > MAX_HELD_BYTES) connection.pause();
        this.#waiting?.();
      },
      closed: () => {
        this.#isOver = true;
        this.#waiting?.();
      },
    });
  }

  /** Null when the connection is closed and everything has been taken. */
  async next(): Promise<Uint8Array | null> {
    if (this.#held.length === 0 && !this.#isOver) await this.#more();
    const bytes = this.#held.shift() ?? null;
    this.#heldBytes -= bytes?.length ?? 0;
    if (this.#heldBytes <= MAX_HELD_BYTES / 2) this.#connection.resume();
    return bytes;
  }

  async *pieces(): AsyncGenerator<Uint8Array, void> {
    try {
      for (let piece = await this.next(); piece !== null; piece = await this.next()) yield piece;
    } finally {
      this.#connection.terminate();
    }
  }

  #more(): Promise<void> {
    return new Promise((resolve, reject) => {
      const silence = setTimeout(() => {
        this.#connection.terminate();
        reject(brokenOff(this.#address));
      }, SILENCE_MS);
      this.#waiting = () => {
        clearTimeout(silence);
        this.#waiting = null;
        resolve();
      };
    });
  }
}

function brokenOff(address: string): QuorateError {
  return new QuorateError(
    'CONNECT_FAILED',
    `The connection to ${address} broke off before the backup began.`,
  );
}

function notOurs(connect: string): QuorateError {
  return new QuorateError(
    'BACKUP_NOT_SUPPORTED',
    `Cannot take a backup at ${connect}: only members of a Quorate ensemble (ws://, wss://) give one. Use quorate export there.`,
  );
}

function hasChroot(chroot: string): QuorateError {
  return new QuorateError(
    'BACKUP_NOT_SUPPORTED',
    `Cannot take a backup of ${chroot}: a backup has the whole tree. Leave the chroot out, or use quorate export.`,
  );
}
