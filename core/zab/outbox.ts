import type { PeerMessage } from './peer-message.js';
import type { LinkToClose, OutgoingMessage } from './ready.js';

/**
 * The links to the other members and what waits to go out on them. One link per member: the newest wins, and
 * what an older one still delivers is not listened to, since two links may overtake each other.
 */
export class Outbox {
  readonly #links = new Map<number, number>();
  #messages: OutgoingMessage[] = [];
  #disconnects: LinkToClose[] = [];

  isUp(peer: number): boolean {
    return this.#links.has(peer);
  }

  isCurrent(peer: number, link: number): boolean {
    return this.#links.get(peer) === link;
  }

  linkOf(peer: number): number | undefined {
    return this.#links.get(peer);
  }

  up(peer: number, link: number): void {
    this.#links.set(peer, link);
  }

  down(peer: number): void {
    this.#links.delete(peer);
  }

  /** Goes nowhere if the link is down: whoever needs an answer asks again over the next one. */
  send(to: number, message: PeerMessage): void {
    const link = this.#links.get(to);
    if (link !== undefined) this.#messages.push({ to, link, message });
  }

  close(peer: number, reason: string): void {
    const link = this.#links.get(peer);
    if (link === undefined) return;
    this.#links.delete(peer);
    this.#disconnects.push({ peer, link, reason });
  }

  takeMessages(): OutgoingMessage[] {
    const messages = this.#messages;
    this.#messages = [];
    return messages;
  }

  takeDisconnects(): LinkToClose[] {
    const disconnects = this.#disconnects;
    this.#disconnects = [];
    return disconnects;
  }
}
