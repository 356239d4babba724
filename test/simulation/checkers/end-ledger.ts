import type { Request } from '../../../core/protocol/index.js';
import { CloseCode } from '../../../core/transport/index.js';
import { check } from './referee.js';

/** One connection of a client, as far as its end matters. */
export interface EndingConnection {
  /** Why it ended; null while it is open. */
  closeCode: number | null;
}

interface SentWrite {
  readonly connection: EndingConnection;
  isAnswered: boolean;
}

/** Ends that say that one of the two broke the protocol, or could not go on. */
const FAULTY_ENDS: readonly number[] = [
  CloseCode.protocolError,
  CloseCode.unsupportedData,
  CloseCode.policyViolation,
  CloseCode.messageTooBig,
  CloseCode.internalError,
];

/**
 * How connections of clients end. A write is sent again only if it was not answered and the server closed its connection with the
 * one code that says that nothing was taken; and no connection ends because somebody broke the protocol.
 */
export class EndLedger {
  readonly #writes = new Map<string, SentWrite>();
  readonly #counts = new Map<number, number>();

  /** How often connections have ended with each code. */
  get counts(): ReadonlyMap<number, number> {
    return this.#counts;
  }

  /** A write has left; returns what is to be called when it is answered. */
  sent(client: string, connection: EndingConnection, request: Request): () => void {
    const key = keyOf(client, request);
    if (key === null) return () => undefined;
    const earlier = this.#writes.get(key);
    const { closeCode = null } = earlier?.connection ?? {};
    check(
      earlier === undefined || (!earlier.isAnswered && closeCode === CloseCode.notTaken),
      () =>
        `${client} sends a write again: ${key}, which was ${earlier!.isAnswered ? 'answered' : `on a connection that ${closeCode === null ? 'is open' : `ended with ${closeCode}`}`}`,
    );
    const write: SentWrite = { connection, isAnswered: false };
    this.#writes.set(key, write);
    return () => {
      write.isAnswered = true;
    };
  }

  ended(client: string, connection: EndingConnection, code: number, text: string): void {
    connection.closeCode = code;
    this.#counts.set(code, (this.#counts.get(code) ?? 0) + 1);
    check(!FAULTY_ENDS.includes(code), () => `a connection of ${client} ends with ${code}: ${text}`);
  }
}

/** What tells a write from every other one of its client: a value that is written once only. Null if it has none. */
function keyOf(client: string, request: Request): string | null {
  const { body } = request;
  const path = 'path' in body ? body.path : '';
  if (!('data' in body) || !(body.data instanceof Uint8Array) || body.data.length > MOST_BYTES) return null;
  const value = new TextDecoder().decode(body.data);
  return UNIQUE_VALUE.test(value) && value.startsWith(`${client}-`) ? `${request.op} ${path} ${value}` : null;
}

const MOST_BYTES = 20;
/** As actors make them. */
const UNIQUE_VALUE = /^c\d+-\d+$/;
