import { OpCode } from '../../core/protocol/index.js';
import type { Connection } from '../../core/transport/index.js';
import { XIDS_PER_USER } from '../simulation/checkers/session-ledger.js';
import { Bursts } from './bursts.js';
import type { Dice } from './dice.js';
import { Speaker } from './speaker.js';

const SHORTEST_TIMEOUT_MS = 1500;
const LONGEST_TIMEOUT_MS = 5000;
/** Who is not answered by then tries another member. */
const ANSWER_MS = 3000;
const LONGEST_THOUGHT_MS = 120;
const PINGS_PER_TIMEOUT = 3;

/** How a client ends a connection by itself, in this share of all bursts. */
const DROPS = 0.03;
const MOVES = 0.03;
const LEAVES = 0.01;
const LONGEST_UNREAD_MS = 800;

/** Opens a connection to some member, over some transport; rejects if there is none. */
export type Dial = (dice: Dice) => Promise<Connection>;

interface Session {
  readonly id: bigint;
  readonly password: Uint8Array;
  readonly timeoutMs: number;
  lastZxid: bigint;
  connections: number;
}

/** A client that sends bursts in one session after the other, and moves each from member to member. */
export class Client {
  readonly #dice: Dice;
  readonly #dial: Dial;
  readonly #bursts: Bursts;
  #session: Session | null = null;

  constructor(parts: { readonly name: string; readonly dice: Dice; readonly dial: Dial }) {
    this.#dice = parts.dice;
    this.#dial = parts.dial;
    this.#bursts = new Bursts(parts.name, parts.dice);
  }

  /** Until the signal aborts; then the session is closed in every other case, and left to its timeout else. */
  async run(signal: AbortSignal): Promise<void> {
    let speaker: Speaker | null = null;
    while (!signal.aborted) {
      // A connection that is left for another one stays until that one has the session.
      const next = await this.#connect();
      speaker?.terminate();
      speaker = next;
      if (speaker === null) await pause(50 + this.#dice.below(150));
      else await this.#work(speaker, signal);
    }
    if (speaker !== null && this.#dice.chance(0.5)) await this.#close(speaker);
    speaker?.terminate();
  }

  /** Null if no member gives the session. */
  async #connect(): Promise<Speaker | null> {
    const connection = await this.#dial(this.#dice).catch(() => null);
    if (connection === null) return null;
    const session = this.#session;
    const speaker = new Speaker(connection, {
      firstXid: (session?.connections ?? 0) * XIDS_PER_USER,
      lastZxid: session?.lastZxid ?? 0n,
      answered: (request, error, reply) => this.#bursts.answered(request, error, reply),
      notified: (event) => this.#bursts.notified(event),
    });
    const welcomed = speaker.greet({
      lastZxidSeen: session?.lastZxid ?? 0n,
      timeoutMs: SHORTEST_TIMEOUT_MS + this.#dice.below(LONGEST_TIMEOUT_MS - SHORTEST_TIMEOUT_MS),
      sessionId: session?.id ?? 0n,
      password: session?.password ?? new Uint8Array(16),
    });
    const welcome = await Promise.race([welcomed, pause(ANSWER_MS)]);
    if (welcome == null) {
      speaker.terminate();
      return null;
    }
    const { sessionId: id, password, timeoutMs } = welcome;
    if (timeoutMs === 0) {
      this.#forget();
      speaker.terminate();
      return null;
    }
    if (session === null) {
      this.#session = { id, password, timeoutMs, lastZxid: 0n, connections: 1 };
    } else {
      session.connections += 1;
      void speaker.send([this.#bursts.takeUp(session.lastZxid)]);
    }
    return speaker;
  }

  /** Ends with the connection, or when the client wants another one. */
  async #work(speaker: Speaker, signal: AbortSignal): Promise<void> {
    const session = this.#session!;
    const pings = setInterval(() => speaker.ping(), session.timeoutMs / PINGS_PER_TIMEOUT);
    try {
      while (speaker.isOpen && !signal.aborted) {
        const { requests, isUnread } = this.#bursts.next(speaker.lastZxid);
        const answered = speaker.send(requests);
        if (isUnread) {
          speaker.pause();
          await pause(this.#dice.below(LONGEST_UNREAD_MS));
          speaker.resume();
        }
        if (this.#dice.chance(DROPS)) return speaker.terminate();
        if (this.#dice.chance(MOVES)) return;
        if (!(await isInTime(answered))) return speaker.terminate();
        if (this.#dice.chance(LEAVES)) return await this.#close(speaker);
        await pause(this.#dice.below(LONGEST_THOUGHT_MS));
      }
    } finally {
      clearInterval(pings);
      // Nothing is counted as seen that comes after the next greeting.
      session.lastZxid = speaker.lastZxid;
    }
  }

  async #close(speaker: Speaker): Promise<void> {
    await isInTime(speaker.send([{ op: OpCode.closeSession, body: {} }]));
    speaker.terminate();
    this.#forget();
  }

  #forget(): void {
    this.#session = null;
    this.#bursts.forgetWatches();
  }
}

async function isInTime(work: Promise<void>): Promise<boolean> {
  return Promise.race([work.then(() => true), pause(ANSWER_MS).then(() => false)]);
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
