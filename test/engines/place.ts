import { createClient, NodeExistsError, type Client } from '../../core/client/index.js';
import { LASTING_SESSION_MS, type Engine } from './engine.js';
import { Participant } from './participant.js';

/** Longest that anything may take on a busy machine. */
const PATIENCE_MS = 30_000;
const POLL_MS = 5;

/** Where one behaviour is shown: a tree of its own on an engine, and those who take part. */
export class Place {
  readonly engine: Engine;
  /** One path segment. */
  readonly name: string;
  readonly #participants: Participant[] = [];

  private constructor(engine: Engine, name: string) {
    this.engine = engine;
    this.name = name;
  }

  static async open(engine: Engine, name: string): Promise<Place> {
    const client = createClient(engine.url(''), { dialer: engine.dialer });
    await client.create(`/${name}`).catch((error: unknown) => {
      if (!(error instanceof NodeExistsError)) throw error;
    });
    await client.close();
    return new Place(engine, name);
  }

  participant(): Participant {
    const name = `participant-${this.#participants.length + 1}`;
    const participant = new Participant(this.engine, `/${this.name}`, name);
    this.#participants.push(participant);
    return participant;
  }

  /** A participant that is one client, and no more. Nobody can cut it off, and it does not lose its session. */
  client(): Promise<Client> {
    return this.participant().client({ sessionTimeoutMs: LASTING_SESSION_MS });
  }

  /** Waits for a condition; rejects when it takes too long. */
  async until(condition: () => boolean | Promise<boolean>): Promise<void> {
    const deadline = performance.now() + PATIENCE_MS;
    while (!(await condition())) {
      if (performance.now() > deadline) {
        throw new Error(`after ${PATIENCE_MS} ms this still does not hold: ${String(condition)}`);
      }
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
  }

  /**
   * Ends a session as in life: its participant is cut off until its client knows and the servers have expired it, and
   * then let back. Resolves when the client has its next session.
   */
  async expire(participant: Participant, client: Client): Promise<void> {
    const { id, epoch } = client.session;
    const witness = await this.client();
    const mark = `/mark-of-${id.toString(16)}`;
    await client.create(mark, null, { mode: 'ephemeral' });
    await witness.sync('/');
    participant.cutOff();
    await this.until(async () => (await witness.exists(mark)) === null);
    await this.until(() => client.state === 'lost');
    participant.rejoin();
    await this.until(() => client.state === 'connected' && client.session.epoch > epoch);
  }

  async end(): Promise<void> {
    await Promise.all(this.#participants.map((participant) => participant.end()));
  }
}
