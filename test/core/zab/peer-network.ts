import type { Random } from '../../../core/runtime/index.js';
import { decodePeerMessage, encodePeerMessage, type PeerMessage } from '../../../core/zab/index.js';
import type { VirtualTime } from './virtual-time.js';

/** The members, as the network sees them. */
export interface NetworkMember {
  isRunning(): boolean;
  connected(peer: number, link: number): void;
  disconnected(peer: number, link: number): void;
  received(peer: number, link: number, message: PeerMessage): void;
}

interface Link {
  readonly number: number;
  readonly ends: readonly [number, number];
  /** Per end: does it still believe in the link? */
  readonly isOpen: Map<number, boolean>;
  /** Per sender: when its last message arrives, since a link is first in, first out. */
  readonly lastArrivalMs: Map<number, number>;
  /** Per sender: what a one-way partition holds back. */
  readonly heldBack: Map<number, PeerMessage[]>;
  isDead: boolean;
}

/** Links between every two members: first in, first out, reset at any time; a new one may overtake the old. */
export class PeerNetwork {
  readonly #time: VirtualTime;
  readonly #random: Random;
  readonly #members: ReadonlyMap<number, NetworkMember>;
  readonly #links = new Map<string, Link>();
  /** `a>b` when nothing gets from a to b. */
  readonly #blocked = new Set<string>();
  #lastLink = 0;
  latencyMs = 10;

  constructor(time: VirtualTime, random: Random, members: ReadonlyMap<number, NetworkMember>) {
    this.#time = time;
    this.#random = random;
    this.#members = members;
  }

  block(from: number, to: number): void {
    this.#blocked.add(`${from}>${to}`);
  }

  heal(): void {
    this.#blocked.clear();
    for (const link of this.#links.values()) {
      for (const [sender, messages] of link.heldBack) {
        for (const message of messages.splice(0)) this.#transmit(link, sender, message);
      }
    }
  }

  /** Connects whoever can be. */
  dial(): void {
    const ids = [...this.#members.keys()];
    for (const a of ids) {
      for (const b of ids) {
        const isUp = this.#members.get(a)!.isRunning() && this.#members.get(b)!.isRunning();
        const isPassable = !this.#blocked.has(`${a}>${b}`) && !this.#blocked.has(`${b}>${a}`);
        if (a < b && isUp && isPassable && !this.#links.has(`${a}-${b}`)) this.#connect(a, b);
      }
    }
  }

  send(from: number, to: number, number: number, message: PeerMessage): void {
    const link = this.#links.get(key(from, to));
    if (link === undefined || link.number !== number || link.isDead) return;
    const copy = decodePeerMessage(encodePeerMessage(message));
    if (this.#blocked.has(`${from}>${to}`)) link.heldBack.get(from)!.push(copy);
    else this.#transmit(link, from, copy);
  }

  /** Resets the link: what is on its way is lost, both ends learn of it, each in its own time. */
  reset(a: number, b: number, number?: number): void {
    const link = this.#links.get(key(a, b));
    if (link === undefined || (number !== undefined && link.number !== number)) return;
    this.#links.delete(key(a, b));
    for (const end of link.ends) {
      const other = link.ends[0] === end ? link.ends[1] : link.ends[0];
      this.#time.after(this.#random.next() * 30, () => {
        if (link.isOpen.get(end) !== true) return;
        link.isOpen.set(end, false);
        this.#members.get(end)!.disconnected(other, link.number);
      });
    }
    this.#time.after(this.#random.next() * 15, () => (link.isDead = true));
  }

  /** A process is gone: its ends are closed without a word to it. */
  crash(member: number): void {
    for (const link of this.#links.values()) {
      if (!link.ends.includes(member)) continue;
      link.isOpen.set(member, false);
      this.reset(link.ends[0], link.ends[1]);
    }
  }

  #connect(a: number, b: number): void {
    const link: Link = {
      number: (this.#lastLink += 1),
      ends: [a, b],
      isOpen: new Map(),
      lastArrivalMs: new Map(),
      heldBack: new Map([
        [a, []],
        [b, []],
      ]),
      isDead: false,
    };
    this.#links.set(key(a, b), link);
    for (const [end, other] of [
      [a, b],
      [b, a],
    ] as const) {
      this.#time.after(this.#random.next() * this.latencyMs, () => this.#open(link, end, other));
    }
  }

  #open(link: Link, end: number, other: number): void {
    if (link.isDead || link.isOpen.has(end) || !this.#members.get(end)!.isRunning()) return;
    link.isOpen.set(end, true);
    this.#members.get(end)!.connected(other, link.number);
  }

  #transmit(link: Link, from: number, message: PeerMessage): void {
    const to = link.ends[0] === from ? link.ends[1] : link.ends[0];
    const earliestMs = this.#time.nowMs + this.#random.next() * this.latencyMs;
    const arrivalMs = Math.max(earliestMs, link.lastArrivalMs.get(from) ?? 0);
    link.lastArrivalMs.set(from, arrivalMs);
    this.#time.after(arrivalMs - this.#time.nowMs, () => {
      if (link.isDead) return;
      this.#open(link, to, from);
      if (link.isOpen.get(to) === true) this.#members.get(to)!.received(from, link.number, message);
    });
  }
}

function key(a: number, b: number): string {
  return a < b ? `${a}-${b}` : `${b}-${a}`;
}
