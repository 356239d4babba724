import { createClient, type Client } from '../../../core/client/index.js';
import { silentLogger, SeededRandom, type Logger } from '../../../core/runtime/index.js';
import { Embedded, type ServerOptions } from '../../../core/server/index.js';
import { VirtualClock } from '../../../core/testing/index.js';
import { MemoryNetwork } from '../../../core/transport/index.js';
import { FaultyDialer, type Break } from './faulty-dialer.js';

export const SESSION_TIMEOUT_MS = 6_000;

/** Longest virtual time that a test may take. */
const PATIENCE_MS = 600_000;

/** A client, and the line to the servers that a test can cut. */
export interface Participant {
  readonly client: Client;
  readonly line: FaultyDialer;
}

/** A member, clients and a virtual clock in one process. */
export class RecipeWorld {
  readonly clock = new VirtualClock();
  readonly #network = new MemoryNetwork(this.clock);
  readonly #clients: Client[] = [];
  #member: Embedded | null = null;
  /** Timers of the scenario's own. */
  #sleepers = 0;

  /**
   * Plays a scenario in a fresh world, moving the clock whenever it stands still, and closes everything after it.
   * Fails if a timer is left when all is closed.
   */
  static async play(
    scenario: (world: RecipeWorld) => Promise<void>,
    server: Partial<ServerOptions> = {},
  ): Promise<void> {
    const world = new RecipeWorld();
    await world.clock.waitFor(world.#play(scenario, server), PATIENCE_MS);
    const left = world.clock.pendingTimers - world.#sleepers;
    if (left > 0) throw new Error(`${left} timers are left behind`);
  }

  async #play(
    scenario: (world: RecipeWorld) => Promise<void>,
    server: Partial<ServerOptions>,
  ): Promise<void> {
    this.#member = await Embedded.start({
      clock: this.clock,
      random: new SeededRandom(99),
      network: this.#network,
      minSessionMs: 500,
      tickMs: 100,
      ...server,
    });
    try {
      await scenario(this);
    } finally {
      await Promise.all(this.#clients.map((client) => client.close()));
      await this.#member.close();
    }
  }

  async join(options: { readonly logger?: Logger } = {}): Promise<Participant> {
    const line = new FaultyDialer(this.#network);
    const client = createClient('memory://embedded:1', {
      sessionTimeoutMs: SESSION_TIMEOUT_MS,
      clock: this.clock,
      random: new SeededRandom(this.#clients.length + 1),
      dialer: { dial: (_address, dialOptions) => line.dial('embedded', dialOptions) },
      logger: options.logger ?? silentLogger,
    });
    this.#clients.push(client);
    await client.connected();
    return { client, line };
  }

  async sleep(delayMs: number): Promise<void> {
    this.#sleepers++;
    await new Promise<void>((resolve) => this.clock.setTimer(delayMs, resolve));
    this.#sleepers--;
  }

  /** Asks at every 10 ms of virtual time. */
  async until(condition: () => boolean | Promise<boolean>, maxMs = 120_000): Promise<void> {
    const deadline = this.clock.now() + maxMs;
    while (!(await condition())) {
      if (this.clock.now() > deadline) throw new Error(`does not come true: ${String(condition)}`);
      await this.sleep(10);
    }
  }

  /** Ends the participant's session behind its back: cut off until it knows, and the servers too. */
  async expire({ client, line }: Participant): Promise<void> {
    const { epoch } = client.session;
    line.cutOff();
    await this.sleep(2 * SESSION_TIMEOUT_MS);
    line.rejoin();
    await this.until(() => client.state === 'connected' && client.session.epoch > epoch);
  }
}

/**
 * Plays a scenario again and again with the connection of its participant breaking one message later each time, once
 * before a request and once before a reply, until it runs through without having been broken. Returns the number of
 * breaks.
 */
export async function breakEverywhere(
  scenario: (world: RecipeWorld, broken: Participant, plan: () => void) => Promise<void>,
): Promise<number> {
  let breaks = 0;
  for (const at of ['request', 'reply'] as const) {
    for (let message = 1; ; message++) {
      const plan: Break = { at, message };
      let hasBroken = false;
      await RecipeWorld.play(async (world) => {
        const broken = await world.join();
        await scenario(world, broken, () => broken.line.plan(plan));
        hasBroken = broken.line.hasBroken;
      }).catch((error: unknown) => {
        throw new Error(`with the connection broken at ${at} ${message}: ${String(error)}`, { cause: error });
      });
      if (!hasBroken) break;
      breaks++;
    }
  }
  return breaks;
}
