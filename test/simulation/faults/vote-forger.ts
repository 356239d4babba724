import type { Random } from '../../../core/runtime/index.js';
import { joinFrame } from '../../../core/server/peers/frame.js';
import type { Connection } from '../../../core/transport/index.js';
import { decodePeerMessage, encodePeerMessage, type PeerMessage } from '../../../core/zab/index.js';

/** Frames that hold whole messages begin with it. */
const WHOLE_MESSAGES = 0;
const LENGTH_BYTES = 4;

/** Each forged vote may change those of all others, which are forged again: without an end to it their number doubles with each round trip. */
const MOST_AT_A_TIME = 500;

/** Changes votes on their way between members: an election may go as wrong as it likes, safety must not depend on it. */
export class VoteForger {
  #share = 0;
  #left = 0;
  readonly #random: Random;
  readonly #members: readonly number[];

  constructor(random: Random, members: readonly number[]) {
    this.#random = random;
    this.#members = members;
  }

  /** From now on such a part of the votes is forged, from 0 to 1, until there were enough. */
  forge(share: number): void {
    this.#share = share;
    this.#left = MOST_AT_A_TIME;
  }

  /** A member's end of a link to another member. */
  tap(inner: Connection): Connection {
    return {
      remoteAddress: inner.remoteAddress,
      get bufferedBytes() {
        return inner.bufferedBytes;
      },
      get isOpen() {
        return inner.isOpen;
      },
      handle: (handlers) => inner.handle(handlers),
      send: (frame) => inner.send(this.#share > 0 && this.#left > 0 ? this.#forged(frame) : frame),
      pause: () => inner.pause(),
      resume: () => inner.resume(),
      close: (reason) => inner.close(reason),
      terminate: () => inner.terminate(),
    };
  }

  /** The same frame with other votes; what is no frame of messages is left as it is. */
  #forged(frame: Uint8Array): Uint8Array {
    const messages = messagesOf(frame);
    if (messages === null) return frame;
    const left = messages.map((message) => this.#forgedMessage(message));
    return joinFrame(
      () => left[0],
      () => void left.shift(),
    );
  }

  #forgedMessage(bytes: Uint8Array): Uint8Array {
    const message = decoded(bytes);
    if (message?.type !== 'notification' || message.state !== 'looking') return bytes;
    if (this.#random.next() >= this.#share) return bytes;
    this.#left -= 1;
    const { vote } = message;
    const leader = this.#members[Math.floor(this.#random.next() * this.#members.length)]!;
    const zxid = vote.zxid + BigInt(Math.floor(this.#random.next() * 20));
    // Whoever seems to have less supports candidates that it has more than.
    const claim = message.claim >> BigInt(Math.floor(this.#random.next() * 2) * 64);
    const [canLead, isBehind] = [this.#random.next() < 0.5, this.#random.next() < 0.5];
    return encodePeerMessage({
      ...message,
      vote: { leader, epoch: vote.epoch, zxid },
      claim,
      canLead,
      isBehind,
    });
  }
}

/** Null for what is not such a frame: a handshake, a sign of life, a part of a message. */
function messagesOf(frame: Uint8Array): Uint8Array[] | null {
  if (frame.length === 0 || frame[0] !== WHOLE_MESSAGES) return null;
  const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength);
  const messages: Uint8Array[] = [];
  for (let at = 1; at < frame.length;) {
    if (frame.length - at < LENGTH_BYTES) return null;
    const length = view.getUint32(at);
    at += LENGTH_BYTES;
    if (length > frame.length - at) return null;
    messages.push(frame.subarray(at, at + length));
    at += length;
  }
  return messages;
}

function decoded(bytes: Uint8Array): PeerMessage | null {
  try {
    return decodePeerMessage(bytes);
  } catch {
    return null;
  }
}
