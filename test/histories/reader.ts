import { OpCode, type Reply, type Request } from '../../core/protocol/index.js';
import type { Dice } from './dice.js';
import type { Recorder } from './recorder.js';
import { Speaker } from './speaker.js';
import type { Stage } from './stage.js';

const TIMEOUT_MS = 10_000;
/** On a busy machine members may lose their leader without any fault; a new one is there long before that. */
const PATIENCE_MS = 120_000;
const MS_BETWEEN_TRIALS = 200;

/** A request, and what came of it; null for an error. */
export interface Answer {
  readonly request: Request;
  readonly reply: Reply | null;
}

/** A client of the program itself: one connection, which is recorded like all others. */
export class Reader implements AsyncDisposable {
  readonly #speaker: Speaker;
  #answers: Answer[] = [];

  private constructor(speaker: (answered: (request: Request, reply: Reply | null) => void) => Speaker) {
    this.#speaker = speaker((request, reply) => this.#answers.push({ request, reply }));
  }

  /**
   * Does some work with a reader at any member, or at the one that is named. Whenever its connection ends, all of the work is done
   * again with another one, until time is up.
   */
  static async use(
    parts: {
      readonly stage: Stage;
      readonly recorder: Recorder;
      readonly dice: Dice;
      readonly member?: number;
    },
    work: (reader: Reader) => Promise<void>,
  ): Promise<void> {
    const { stage, recorder, dice, member } = parts;
    const deadline = performance.now() + PATIENCE_MS;
    for (;;) {
      try {
        await using reader = await Reader.#open(stage, recorder, dice, member);
        return await work(reader);
      } catch (error) {
        if (performance.now() > deadline) throw error;
        await new Promise((resolve) => setTimeout(resolve, MS_BETWEEN_TRIALS));
      }
    }
  }

  static async #open(stage: Stage, recorder: Recorder, dice: Dice, member?: number): Promise<Reader> {
    const connection = await stage.dial(recorder, 'reader', dice, member);
    const reader = new Reader(
      (answered) =>
        new Speaker(connection, {
          firstXid: 0,
          lastZxid: 0n,
          answered: (request, _error, reply) => answered(request, reply),
          notified: () => undefined,
        }),
    );
    const nobody = { lastZxidSeen: 0n, sessionId: 0n, password: new Uint8Array(16) };
    const welcome = await reader.#speaker.greet({ ...nobody, timeoutMs: TIMEOUT_MS });
    if (welcome !== null && welcome.timeoutMs > 0) return reader;
    reader.#speaker.terminate();
    throw new Error('the reader is given no session');
  }

  /** Rejects if the connection ends before all is answered. */
  async ask(requests: readonly Request[]): Promise<readonly Answer[]> {
    this.#answers = [];
    if (requests.length === 0) return [];
    await this.#speaker.send(requests);
    if (this.#answers.length < requests.length)
      throw new Error(`the connection of the reader ended before ${requests.length} requests were answered`);
    return this.#answers;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#speaker.send([{ op: OpCode.closeSession, body: {} }]);
    this.#speaker.terminate();
  }
}

/** Paths of the children that the answers name. */
export function childrenIn(answers: readonly Answer[]): readonly string[] {
  return answers.flatMap(({ request, reply }) => {
    if (request.op !== OpCode.getChildren2 || reply?.op !== OpCode.getChildren2) return [];
    return reply.body.children.map((name) => `${request.body.path}/${name}`);
  });
}

export function list(path: string): Request {
  return { op: OpCode.getChildren2, body: { path, watch: false } };
}

export function look(path: string): Request {
  return { op: OpCode.exists, body: { path, watch: false } };
}

export function get(path: string): Request {
  return { op: OpCode.getData, body: { path, watch: false } };
}
