import type { PeerMessage } from './peer-message.js';
import type { PeerPhase, PeerRole } from './peer-status.js';

/** One of the parts that a member plays, one at a time: it looks for a leader, leads, or follows. */
export interface Role {
  readonly name: PeerRole;
  readonly phase: PeerPhase;
  readonly leader: number | null;
  readonly epoch: number;
  /** May clients be served, provided that everything due has been applied? */
  readonly isServing: boolean;
  /** Time has passed. */
  tick(): void;
  /** The process was held up: what others said meanwhile has not been heard yet. */
  pause(): void;
  linkUp(peer: number): void;
  linkDown(peer: number): void;
  step(from: number, message: PeerMessage): void;
  /** The disk has confirmed something. */
  durable(): void;
  /** Last call before output is taken: what can be sent in one message is sent now. */
  flush(): void;
  /** Sends this member's role and vote to another one. */
  introduce(peer: number): void;
  /** Another role takes over. */
  leave(): void;
}

/** What a role asks for when it is at its end. */
export type Transition = (
  | { readonly to: 'looking' }
  | { readonly to: 'leading' }
  | {
      readonly to: 'following';
      readonly leader: number;
      /** Who led before, if that one has handed over. */
      readonly predecessor?: number;
    }
) & {
  readonly reason: string;
  /** The leader has ended its leadership in order, and everything that it had to say has been heard. */
  readonly isHandOver?: true;
};
