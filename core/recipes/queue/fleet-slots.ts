import type { Session } from '../../client/index.js';
import type { Timer } from '../../runtime/index.js';
import { createContended } from '../nodes/contended-node.js';
import { removeOwnNode, type OwnNode } from '../nodes/own-node.js';
import { nameOf } from '../nodes/znode-name.js';
import type { ClaimDesk } from './claim.js';
import type { JobBoard } from './job-board.js';

/** One of the slots of the fleet, while this consumer has it. */
export interface Slot {
  readonly node: OwnNode;
  /** Monotonic: when it was taken. */
  readonly since: number;
  /** Whether the board has known of it: if it then no longer does, somebody has deleted it. */
  isKnown: boolean;
}

/** How soon to look again when all slots of the fleet are taken, though nobody tells of one that is free. */
const FULL_PAUSE_MS = 500;
/** How long a slot without work is kept while nobody else can want it. */
const LINGER_MS = 250;
/** How long a consumer keeps a slot that others may want, and how long it then leaves the slots to them. */
const TURN_MS = 1_000;
const YIELD_MS = 20;

/**
 * So many jobs at once in the whole fleet: a job is begun by whoever has a slot, `slots/<number>`, an ephemeral znode whose
 * data is a token of this consumer's.
 *
 * - A consumer keeps a slot for its next job as long as there is one, so that a slot costs no request between two jobs. When all slots
 *   are taken and others are there, it gives one up as soon as it has no work for it, and once a second in any case.
 * - Each number is wanted, had, or given back by one call at a time. A slot that is given back counts as had until its znode
 *   is known to be gone: a delete in doubt is looked up and repeated as long as the session lives.
 * - What a session had went with it.
 */
export class FleetSlots {
  readonly #desk: ClaimDesk;
  readonly #board: JobBoard;
  readonly #most: number;
  readonly #changed: () => void;
  /** Numbers that are wanted, had or given back here. */
  readonly #own = new Set<string>();
  readonly #leaving = new Set<Promise<void>>();
  #idle: Slot[] = [];
  #linger: Timer | null = null;
  /** All were taken: not to be tried before, unless one is given back. */
  #full: { readonly until: number; readonly departures: number } | null = null;
  /** The slots are left to others until then. */
  #yieldsUntil = 0;

  /** `changed` is called when a slot may be had though the board has not changed. */
  constructor(desk: ClaimDesk, board: JobBoard, most: number, changed: () => void) {
    this.#desk = desk;
    this.#board = board;
    this.#most = most;
    this.#changed = changed;
  }

  /** When to try again, on the monotonic clock; null if a slot may be had now. */
  get retryAt(): number | null {
    if (this.#idle.length > 0) return null;
    const now = this.#desk.client.clock.now();
    if (this.#yieldsUntil > now) return this.#yieldsUntil;
    const isFull = this.#full !== null && this.#full.until > now;
    return isFull && this.#full!.departures === this.#board.slotDepartures ? this.#full!.until : null;
  }

  /** Null if all are taken. */
  async take(session: Session, signal: AbortSignal): Promise<Slot | null> {
    this.#forgetOlder(session);
    for (let slot = this.#idle.pop(); slot !== undefined; slot = this.#idle.pop()) {
      const isThere = this.#board.slots.has(nameOf(slot.node.path));
      // One that somebody has deleted may be another's by now.
      if (!isThere && slot.isKnown) this.#giveBack(slot);
      else return Object.assign(slot, { isKnown: isThere });
    }
    if (this.retryAt !== null) return null;
    const tried = new Set(this.#board.slots);
    for (;;) {
      const free = this.#free(tried);
      if (free.length === 0) {
        const until = this.#desk.client.clock.now() + FULL_PAUSE_MS;
        this.#full = { until, departures: this.#board.slotDepartures };
        return null;
      }
      const name = free[Math.floor(this.#desk.client.random.next() * free.length)]!;
      tried.add(name);
      const node = await this.#create(name, session, signal);
      if (node !== null) return { node, since: this.#desk.client.clock.now(), isKnown: false };
    }
  }

  /** The job is over, or was not begun: the next one can have the slot. */
  left(slot: Slot): void {
    const now = this.#desk.client.clock.now();
    if (now - slot.since < TURN_MS || !this.#areOthersWaiting) return void this.#idle.push(slot);
    this.#yieldsUntil = now + YIELD_MS;
    this.#giveBack(slot);
  }

  /** There is nothing to do: others may have the slots. */
  giveBackIdle(session: Session): void {
    this.#forgetOlder(session);
    if (this.#idle.length === 0) return;
    if (this.#areOthersWaiting) return this.#giveBackAll();
    this.#linger ??= this.#desk.client.clock.setTimer(LINGER_MS, () => {
      this.#linger = null;
      this.#giveBackAll();
    });
  }

  /** Resolves when all that was had is given back. */
  async close(): Promise<void> {
    this.#linger?.cancel();
    this.#giveBackAll();
    await Promise.all(this.#leaving);
  }

  /** They can take no other slot; whether they want one, nobody tells. */
  get #areOthersWaiting(): boolean {
    return this.#board.slots.size >= this.#most && this.#board.consumerCount > 1;
  }

  #free(tried: ReadonlySet<string>): string[] {
    const names = Array.from({ length: this.#most }, (_, number) => String(number));
    return names.filter((name) => !tried.has(name) && !this.#own.has(name));
  }

  async #create(name: string, session: Session, signal: AbortSignal): Promise<OwnNode | null> {
    const { transactions, client, layout } = this.#desk;
    const path = `${layout.slots}/${name}`;
    const token = client.random.uuid();
    this.#own.add(name);
    let node: OwnNode | null = null;
    try {
      node = await createContended(
        client,
        {
          path,
          token,
          session,
          tokenOf: (data) => new TextDecoder().decode(data ?? new Uint8Array()),
          create: async () => {
            const operation = { type: 'create', path, data: token, mode: 'ephemeral' } as const;
            const [created] = await transactions.submit([operation], session.epoch);
            return created?.type === 'create' ? (created.stat?.czxid ?? null) : null;
          },
        },
        signal,
      );
      return node;
    } finally {
      if (node === null) this.#own.delete(name);
    }
  }

  #giveBackAll(): void {
    for (const slot of this.#idle.splice(0)) this.#giveBack(slot);
  }

  #giveBack({ node }: Slot): void {
    const { client } = this.#desk;
    const leaving = removeOwnNode(client, node)
      .catch((error: unknown) => {
        client.logger.warn('a slot could not be given back; it goes with its session', {
          path: node.path,
          error,
        });
      })
      .then(() => {
        this.#own.delete(nameOf(node.path));
        this.#leaving.delete(leaving);
        this.#full = null;
        this.#changed();
      });
    this.#leaving.add(leaving);
  }

  #forgetOlder(session: Session): void {
    for (const { node } of this.#idle) if (node.session !== session) this.#own.delete(nameOf(node.path));
    this.#idle = this.#idle.filter(({ node }) => node.session === session);
  }
}
