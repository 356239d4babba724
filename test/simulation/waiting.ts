import { hex, Violation } from './checkers/referee.js';
import type { World } from './world.js';

/** Longest time that a healed ensemble may take for anything, in ticks, and in any case in milliseconds. */
const MOST_TICKS = 300;
const MOST_MS = 120_000;

/** Lets virtual time pass in a run, until something is found. */
export class Waiting {
  readonly #world: World;

  constructor(world: World) {
    this.#world = world;
  }

  /** Lets time pass, or less if something is found. */
  async pass(ms: number): Promise<void> {
    const { cluster, referee } = this.#world;
    let isOver = false;
    const timer = cluster.clock.setTimer(ms, () => (isOver = true));
    await cluster.clock.runUntil(() => isOver || referee.finding !== null, ms + 1);
    timer.cancel();
    this.#throwFinding();
  }

  /** Waits until the condition holds; it is a finding if that takes more than `maxMs`. */
  async until(holds: () => boolean, what: string | (() => string), maxMs = this.#patienceMs): Promise<void> {
    const { cluster, referee } = this.#world;
    try {
      await cluster.clock.runUntil(() => holds() || referee.finding !== null, maxMs);
    } catch (error) {
      const wanted = typeof what === 'string' ? what : what();
      throw new Violation(`not within ${maxMs} ms: ${wanted}\n${this.#describe()}`, { cause: error });
    }
    this.#throwFinding();
  }

  /** Waits for the promise; it is a finding if that takes too long. */
  async settled(promise: Promise<unknown>, what: string): Promise<void> {
    let isSettled = false;
    const settled = promise.finally(() => (isSettled = true));
    settled.catch(() => undefined);
    await this.until(() => isSettled, what);
    await settled;
  }

  get #patienceMs(): number {
    return MOST_MS + MOST_TICKS * this.#world.plan.tickMs;
  }

  #throwFinding(): void {
    if (this.#world.referee.finding !== null) throw this.#world.referee.finding;
  }

  #describe(): string {
    const { cluster, actors } = this.#world;
    const members = cluster.members.map(({ name, member, state, failure }) => {
      const health = member?.health();
      if (health === undefined) return `${name}: ${state} ${failure?.message ?? ''}`;
      const { state: role, phase, leader, epoch, zxid, lastLogged, peers, rejoining } = health;
      const standing = rejoining ? ' rejoining' : '';
      return `${name}: ${state} ${role} ${phase} of ${leader} epoch ${epoch}${standing} zxid ${zxid} logged ${lastLogged} peers ${peers.join()}`;
    });
    const clients = actors.map(({ name, client, process, pending }) => {
      return `${name}: ${process.state} ${client.state} session ${hex(client.session.id)} waits for ${[...pending.values()].join('; ')}`;
    });
    return [...members, ...clients].join('\n');
  }
}
