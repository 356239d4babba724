import { JuteWriter, writeConnectRequest, writeRequest, type ClientOp } from '../../core/protocol/index.js';
import { WebSocketDialer, type Connection } from '../../core/transport/index.js';
import type { MemberProcess } from '../process/member-process.js';

const dialer = new WebSocketDialer();
const LENGTH_BYTES = 4;
const NO_SESSION = {
  protocolVersion: 0,
  lastZxidSeen: 0n,
  timeoutMs: 120_000,
  sessionId: 0n,
  readOnly: false,
};

export interface FloodRequest {
  readonly op: ClientOp;
  readonly body: unknown;
}

/** Connections each of which sends a batch of requests again when it was answered, until `stop`. Replies are counted, not decoded. */
export class Flood {
  /** Requests that were answered, with whatever code. */
  answered = 0;
  /** Connections that the member has ended. */
  ended = 0;
  readonly #connections: Connection[] = [];
  readonly #batch: Uint8Array;
  readonly #length: number;

  private constructor(batch: readonly FloodRequest[]) {
    const writer = new JuteWriter();
    batch.forEach(({ op, body }, index) => writeRequest(writer, index + 1, op, body as never));
    this.#batch = writer.take();
    this.#length = batch.length;
  }

  static async of(
    member: Pick<MemberProcess, 'address'>,
    connections: number,
    batch: readonly FloodRequest[],
  ): Promise<Flood> {
    const flood = new Flood(batch);
    try {
      for (let count = 0; count < connections; count++) await flood.#open(member.address);
      return flood;
    } catch (error) {
      flood.stop();
      throw error;
    }
  }

  stop(): void {
    for (const connection of this.#connections) connection.terminate();
  }

  async #open(address: string): Promise<void> {
    const connection = await dialer.dial(address, { signal: new AbortController().signal });
    this.#connections.push(connection);
    // The first packet is the answer to the connect request.
    let waitsFor = 1;
    connection.handle({
      message: (message) => {
        const packets = countPackets(message);
        waitsFor -= packets;
        this.answered += packets;
        if (waitsFor > 0) return;
        waitsFor = this.#length;
        connection.send(this.#batch);
      },
      closed: () => void (this.ended += 1),
    });
    const writer = new JuteWriter();
    writeConnectRequest(writer, { ...NO_SESSION, password: new Uint8Array(16) });
    connection.send(writer.take());
  }
}

/** A message holds whole packets, each behind its length. */
function countPackets(message: Uint8Array): number {
  const view = new DataView(message.buffer, message.byteOffset, message.byteLength);
  let count = 0;
  for (let at = 0; at < message.length; at += LENGTH_BYTES + view.getUint32(at)) count += 1;
  return count;
}
