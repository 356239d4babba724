import { NoNodeError, type Client } from '../../../core/client/index.js';
import { KINDS, PATIENCE_MS, type Kind, type Player } from './fleet.js';

const POLL_MS = 10;

/** What a scenario works with. */
export class Stage implements AsyncDisposable {
  /** Znodes of the scenario: persistent, so that nobody's container takes them away. */
  readonly root: string;
  /** A client that belongs to nobody in the fleet. */
  readonly client: Client;
  readonly #players: Map<Kind, Player>;
  readonly #start: (kind: Kind) => Promise<Player>;

  constructor(
    root: string,
    client: Client,
    players: Map<Kind, Player>,
    start: (kind: Kind) => Promise<Player>,
  ) {
    this.root = root;
    this.client = client;
    this.#players = players;
    this.#start = start;
  }

  /** One player of each kind. */
  async fleet(): Promise<Record<Kind, Player>> {
    const entries = await Promise.all(KINDS.map(async (kind) => [kind, await this.player(kind)] as const));
    return Object.fromEntries(entries) as Record<Kind, Player>;
  }

  /** The one that runs, or a new one. */
  async player(kind: Kind): Promise<Player> {
    const player = this.#players.get(kind) ?? (await this.#start(kind));
    this.#players.set(kind, player);
    return player;
  }

  async kill(kind: Kind): Promise<void> {
    const player = this.#players.get(kind);
    this.#players.delete(kind);
    await player?.kill();
  }

  say(line: string): void {
    console.log(line);
  }

  /** The children of a path, with everything that was written before; none of a container that was removed because it was empty. */
  async children(path: string): Promise<string[]> {
    await this.client.sync('/');
    return this.client.getChildren(path).then(
      ({ children }) => [...children],
      (error: unknown) => {
        if (error instanceof NoNodeError) return [];
        throw error;
      },
    );
  }

  async until(what: string, holds: () => Promise<boolean>): Promise<void> {
    const deadline = performance.now() + PATIENCE_MS;
    while (!(await holds())) {
      if (performance.now() > deadline) throw new Error(`this did not come true: ${what}`);
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
  }

  /** Nobody of a failed scenario plays on in the next one. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#players.keys()].map((kind) => this.kill(kind)));
  }
}
