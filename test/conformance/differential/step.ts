import type { ClientOp, Request } from '../../../core/protocol/index.js';

/** Everything happens below this znode, which is not there at first. */
export const ROOT = '/r';

/** A request that no well-meaning client would send: an operation number, and bytes for its body. */
export interface RawRequest {
  readonly op: number;
  readonly hex: string;
}

/** Watches to be set again, as of so many zxids before the last one that the session has seen. */
export interface WatchesAgain {
  readonly op: 'setWatches2';
  readonly zxidsBehind: number;
  readonly dataWatches: readonly string[];
  readonly existWatches: readonly string[];
  readonly childWatches: readonly string[];
  readonly persistentWatches: readonly string[];
  readonly persistentRecursiveWatches: readonly string[];
}

export type Sent = Request | RawRequest | WatchesAgain;

/** One move of a sequence; `slot` numbers the clients. Plain values, so that a sequence can be printed. */
export type Step =
  /** A new session, with a connection of its own. `readOnly` null leaves out the byte, as old clients do. */
  | {
      readonly move: 'open';
      readonly slot: number;
      readonly timeoutMs: number;
      readonly readOnly: boolean | null;
    }
  /** The connection breaks; the session lives on. */
  | { readonly move: 'drop'; readonly slot: number }
  /** A new connection for the slot's session, in place of a broken one or of a live one. */
  | {
      readonly move: 'resume';
      readonly slot: number;
      readonly password: 'right' | 'wrong';
      /** Claims to have seen what never happened. */
      readonly isAhead: boolean;
      /** What it asks for; the session's own timeout if there is none. */
      readonly timeoutMs?: number;
    }
  /** Requests that leave in one segment. */
  | { readonly move: 'send'; readonly slot: number; readonly requests: readonly Sent[] };

/** The name of each operation, for people. */
export function isRaw(sent: Sent): sent is RawRequest {
  return 'hex' in sent;
}

export function opOf(sent: Exclude<Sent, RawRequest>): ClientOp {
  return sent.op === 'setWatches2' ? 105 : sent.op;
}
