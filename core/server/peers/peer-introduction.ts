import type { Clock } from '../../runtime/index.js';
import { CloseCode, type CloseReason, type Connection } from '../../transport/index.js';
import type { PeerHandshake } from './peer-handshake.js';
import type { PeerLink } from './peer-link.js';
import { PeerRefused } from './peer-refused.js';

/** For dialling, and for proving who one is, each. */
export const HANDSHAKE_MS = 2_000;

export interface IntroductionEvents {
  readonly clock: Clock;
  /** Why the other member, which has proved who it is, gets no link; null if it gets one. */
  readonly objection: (peer: number) => string | null;
  /** Both ends have proved who they are: what comes from here on belongs to the link that this returns. */
  readonly known: (peer: number, version: number) => PeerLink;
  /** Called once in its place: the connection is closed, or about to be. */
  readonly refused: (problem: string) => void;
  readonly arrived: (link: PeerLink, frame: Uint8Array) => void;
  readonly lost: (link: PeerLink, reason: CloseReason) => void;
}

/** Lets both ends of a connection prove who they are, within a time, and then passes on what arrives. */
export function introduce(
  connection: Connection,
  handshake: PeerHandshake,
  events: IntroductionEvents,
): void {
  let link: PeerLink | null = null;
  let isOver = false;
  const end = (problem: string): void => {
    if (isOver) return;
    isOver = true;
    timer.cancel();
    events.refused(problem);
  };
  const refuse = (problem: string): void => {
    connection.close({ code: CloseCode.policyViolation, text: problem });
    end(problem);
  };
  const timer = events.clock.setTimer(HANDSHAKE_MS, () =>
    refuse('the other end did not prove in time who it is'),
  );
  const hear = (bytes: Uint8Array): void => {
    const { send, peer, version } = handshake.receive(bytes);
    const objection = peer === null ? null : events.objection(peer);
    if (objection !== null) throw new PeerRefused(objection);
    if (send !== null) connection.send(send);
    if (peer === null || version === null) return;
    isOver = true;
    timer.cancel();
    link = events.known(peer, version);
  };
  connection.handle({
    message: (bytes) => {
      if (link !== null) return events.arrived(link, bytes);
      if (isOver) return;
      try {
        hear(bytes);
      } catch (error) {
        if (!(error instanceof PeerRefused)) throw error;
        refuse(error.message);
      }
    },
    drained: () => link?.flush(),
    closed: (reason) => (link === null ? end(closedBecause(reason)) : events.lost(link, reason)),
  });
}

function closedBecause({ code, text }: CloseReason): string {
  return text === '' ? `the other end closed the connection (${code})` : `the other end says: ${text}`;
}
