import type { Connection } from '../../../core/transport/index.js';
import type { Conversation } from './conversation.js';
import type { Referee } from './referee.js';

/** The client's end of a connection, read along. */
export function tapped(inner: Connection, conversation: Conversation, referee: Referee): Connection {
  return {
    remoteAddress: inner.remoteAddress,
    get bufferedBytes() {
      return inner.bufferedBytes;
    },
    get isOpen() {
      return inner.isOpen;
    },
    handle: (handlers) =>
      inner.handle({
        ...handlers,
        message: (bytes) => {
          referee.watch(() => conversation.received(bytes));
          handlers.message(bytes);
        },
        closed: (reason) => {
          referee.watch(() => conversation.closed(reason.code, reason.text));
          handlers.closed(reason);
        },
      }),
    send: (message) => {
      referee.watch(() => conversation.sent(message));
      inner.send(message);
    },
    pause: () => inner.pause(),
    resume: () => inner.resume(),
    close: (reason) => inner.close(reason),
    terminate: () => inner.terminate(),
  };
}
