import { createClient, type Client } from '../../../core/client/index.js';
import { silentLogger, SeededRandom, type Logger } from '../../../core/runtime/index.js';
import type { ServerOptions } from '../../../core/server/index.js';
import { FaultyLine, TestEnsemble, type SeenRequest } from '../../../core/testing/index.js';
import { CountingDialer } from './counting-dialer.js';

export const SESSION_TIMEOUT_MS = 6_000;

/** Longest virtual time that a test may take. */
const PATIENCE_MS = 900_000;

/** A client, and the line to the member that a test can cut. */
export class Participant {
  readonly client: Client;
  readonly line: FaultyLine;
  /** Requests that left, pings aside. */
  readonly requests: SeenRequest[] = [];
  readonly #incoming: CountingDialer;
  /** Whether the break that was planned has happened. */
  hasBroken = false;

  constructor(ensemble: TestEnsemble, options: { readonly seed: number; readonly logger: Logger }) {
    this.#incoming = new CountingDialer(ensemble.network);
    this.line = new FaultyLine(this.#incoming);
    this.line.observe((request) => {
      if (request.op !== 'ping') this.requests.push(request);
    });
    this.client = createClient(ensemble.connectString, {
      sessionTimeoutMs: SESSION_TIMEOUT_MS,
      clock: ensemble.clock,
      random: new SeededRandom(options.seed),
      dialer: this.line,
      logger: options.logger,
    });
  }

  get receivedMessages(): number {
    return this.#incoming.received;
  }

  /** Breaks the connection in front of the request with this number, counted from now, or in front of a reply due then. */
  breakAt(before: 'request' | 'reply', number: number): void {
    const plan = async (): Promise<void> => {
      await (before === 'request' ? this.line.loseNextRequest() : this.line.loseNextReply());
      this.hasBroken = true;
    };
    if (number === 1) return void plan();
    let left = 0;
    const stop = this.line.observe(() => {
      if (++left < number - 1) return;
      stop();
      void plan();
    });
  }
}

/** A member, clients and a virtual clock in one process. */
export class RecipeWorld {
  readonly ensemble: TestEnsemble;
  readonly #participants: Participant[] = [];
  /** Timers of the scenario's own. */
  #sleepers = 0;

  constructor(server: Partial<ServerOptions>) {
    this.ensemble = new TestEnsemble({ seed: 99, server: { minSessionMs: 500, tickMs: 100, ...server } });
  }

  /**
   * Plays a scenario in a fresh world, moving the clock whenever it stands still, and closes everything after it.
   * Fails if a timer is left when all is closed.
   */
  static async play(
    scenario: (world: RecipeWorld) => Promise<void>,
    server: Partial<ServerOptions> = {},
  ): Promise<void> {
    const world = new RecipeWorld(server);
    await world.clock.waitFor(world.#play(scenario), PATIENCE_MS);
    const left = world.clock.pendingTimers - world.#sleepers;
    if (left > 0) throw new Error(`${left} timers are left behind`);
  }

  get clock(): TestEnsemble['clock'] {
    return this.ensemble.clock;
  }

  async #play(scenario: (world: RecipeWorld) => Promise<void>): Promise<void> {
    await this.ensemble.start();
    try {
      await scenario(this);
    } finally {
      await Promise.all(this.#participants.map(({ client }) => client.close()));
      await this.ensemble.close();
    }
  }

  async join(options: { readonly logger?: Logger } = {}): Promise<Participant> {
    const { logger = silentLogger } = options;
    const participant = new Participant(this.ensemble, { seed: this.#participants.length + 1, logger });
    this.#participants.push(participant);
    await participant.client.connected();
    return participant;
  }

  async sleep(delayMs: number): Promise<void> {
    this.#sleepers++;
    await this.ensemble.sleep(delayMs);
    this.#sleepers--;
  }

  until(condition: () => boolean | Promise<boolean>, maxMs?: number): Promise<void> {
    return this.ensemble.until(condition, maxMs);
  }

  /** Ends the participant's session behind its back: cut off until it knows, and the member too. */
  async expire({ client, line }: Pick<Participant, 'client' | 'line'>): Promise<void> {
    const { epoch } = client.session;
    line.cutOff();
    await this.sleep(2 * SESSION_TIMEOUT_MS);
    line.rejoin();
    await this.until(() => client.state === 'connected' && client.session.epoch > epoch);
  }
}

/**
 * Plays a scenario again and again with the connection of its participant breaking one request later each time, once
 * in front of the request and once in front of a reply, until it runs through without having been broken. Returns the
 * number of breaks.
 */
export async function breakEverywhere(
  scenario: (world: RecipeWorld, broken: Participant, plan: () => void) => Promise<void>,
): Promise<number> {
  let breaks = 0;
  for (const before of ['request', 'reply'] as const) {
    for (let number = 1; ; number++) {
      let hasBroken = false;
      await RecipeWorld.play(async (world) => {
        const broken = await world.join();
        await scenario(world, broken, () => broken.breakAt(before, number));
        ({ hasBroken } = broken);
      }).catch((error: unknown) => {
        throw new Error(`with the connection broken in front of ${before} ${number}: ${String(error)}`, {
          cause: error,
        });
      });
      if (!hasBroken) break;
      breaks++;
    }
  }
  return breaks;
}
