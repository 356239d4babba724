import { FrameReader } from '../../core/server/peers/frame.js';
import { readLearnerMessage } from '../../core/server/pipeline/member-message.js';
import type { Connection } from '../../core/transport/index.js';
import { decodePeerMessage } from '../../core/zab/index.js';
import type { Draw } from './draw.js';

/** Makes some of the messages that a member sends to others malformed, as a faulty machine or a wrong version would. */
export interface Noise {
  /** Share of the messages. */
  probability: number;
  readonly draw: Draw;
  /** Called for each message that was changed. */
  readonly tried: () => void;
}

/** Messages of the handshake, which are left as they are. */
const HANDSHAKE_MESSAGES = 2;

export function noisy(connection: Connection, noise: Noise): Connection {
  let sent = 0;
  return {
    get remoteAddress() {
      return connection.remoteAddress;
    },
    get bufferedBytes() {
      return connection.bufferedBytes;
    },
    get isOpen() {
      return connection.isOpen;
    },
    handle: (handlers) => connection.handle(handlers),
    pause: () => connection.pause(),
    resume: () => connection.resume(),
    close: (reason) => connection.close(reason),
    terminate: () => connection.terminate(),
    send: (message) => {
      sent += 1;
      if (sent <= HANDSHAKE_MESSAGES || !noise.draw.chance(noise.probability))
        return connection.send(message);
      const changed = noise.draw.mutated(message, 1);
      // What can still be read may say anything, also what is not true: nothing is promised against a member that lies.
      if (!isMalformed(changed)) return connection.send(message);
      noise.tried();
      connection.send(changed);
    },
  };
}

function isMalformed(frame: Uint8Array): boolean {
  if (frame.length === 0 || frame[0] !== 0) return false;
  const messages = new FrameReader().read(frame);
  return messages === null || messages.some((bytes) => !canRead(bytes));
}

function canRead(bytes: Uint8Array): boolean {
  try {
    const message = decodePeerMessage(bytes);
    if (message.type === 'application') readLearnerMessage(message.bytes);
    return true;
  } catch {
    return false;
  }
}
