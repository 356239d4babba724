import { ErrorCode, type Reply, type Request } from '../../../core/protocol/index.js';
import type { Ghost } from './ghost.js';
import { check, hex } from './referee.js';
import { wrongRead } from './reply-rules.js';
import type { TreeModel } from './tree-model.js';

/** A reply as it was received. */
export interface ToldReply {
  readonly zxid: bigint;
  readonly error: ErrorCode;
  readonly reply: Reply | null;
}

/**
 * What a client was told that asks to read only, at members with and without a leader. Over all of its connections no reply tells
 * of an older state than one before it, each is true of its zxid, and all of it was committed. A member without a leader takes no write.
 */
export class ReaderHistory {
  readonly #client: string;
  readonly #known: { readonly model: TreeModel; readonly ghost: Pick<Ghost, 'end'> };
  #seen = 0n;

  constructor(client: string, known: { readonly model: TreeModel; readonly ghost: Pick<Ghost, 'end'> }) {
    this.#client = client;
    this.#known = known;
  }

  /** What the client says that it has seen, when it comes to the next member. */
  get lastZxidSeen(): bigint {
    return this.#seen;
  }

  read(request: Request, { zxid, error, reply }: ToldReply): void {
    const { model, ghost } = this.#known;
    this.#sees(zxid);
    check(
      zxid <= ghost.end,
      () => `${this.#client} reads of ${hex(zxid)}, but only ${hex(ghost.end)} was ever delivered`,
    );
    const wrong = wrongRead(request, { error, reply }, { model, zxid, sessionId: 0n, users: [] });
    check(wrong === null, () => `${this.#client} reads at ${hex(zxid)}: the reply ${wrong}`);
  }

  /** A write that a member without a leader has answered. */
  wrote({ zxid, error }: ToldReply): void {
    this.#sees(zxid);
    check(
      error === ErrorCode.notReadOnly,
      () => `${this.#client} is answered ${error} to a write by a member without a leader`,
    );
  }

  #sees(zxid: bigint): void {
    check(
      zxid >= this.#seen,
      () => `${this.#client}, which reads only, is led back in time from ${hex(this.#seen)} to ${hex(zxid)}`,
    );
    this.#seen = zxid;
  }
}
