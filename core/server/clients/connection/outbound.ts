import {
  ErrorCode,
  OpCode,
  sealReply,
  writeConnectResponse,
  writeReply,
  writeReplyTooLarge,
  Xid,
  type ConnectResponse,
} from '../../../protocol/index.js';
import type { Connection } from '../../../transport/index.js';
import { ConnectionAccount } from './connection-account.js';
import { ConnectionOutput } from './connection-output.js';
import type { ReplySlot } from './reply-slot.js';
import type { SharedResources } from './shared-resources.js';

const PONG_BYTES = 20;
const IDENTITY_REQUIRED = { xid: Xid.ping, zxid: 0n, err: ErrorCode.sessionClosedRequireSaslAuth };

/**
 * What one client is sent: the answer to its connect request, replies, pongs and notifications, through one queue, so that a client
 * that sees a change has been notified of it before. The zxids of what it is sent never go back.
 */
export class Outbound {
  readonly account: ConnectionAccount;
  readonly #shared: SharedResources;
  readonly #output: ConnectionOutput;
  /** Highest zxid that the client has been sent. */
  #lastZxid = 0n;

  /** `begun`: there is output to be flushed at the end of the turn. */
  constructor(connection: Connection, shared: SharedResources, begun: () => void) {
    this.#shared = shared;
    this.#output = new ConnectionOutput({
      connection,
      writers: shared.writers,
      waiting: shared.waitingOutput,
      limits: shared.limits,
      begun,
    });
    this.account = new ConnectionAccount(shared);
  }

  /** So much waits for the client already that it should not be given more to ask for. */
  get isFull(): boolean {
    return this.#output.isFull;
  }

  /** More waits than may be kept for any client. */
  get isOverfull(): boolean {
    return this.#output.isOverfull;
  }

  connectResponse(response: ConnectResponse): void {
    writeConnectResponse(this.#output.writer, response);
    this.account.sent();
  }

  /** Says early that nothing will be answered; clients that do not know it take it for the answer to a ping. */
  identityRequired(): void {
    writeReply(this.#output.writer, IDENTITY_REQUIRED, null);
    this.account.sent();
  }

  reply(slot: ReplySlot): void {
    let zxid = 0n;
    if (slot.xid !== Xid.auth && !slot.hasNoZxid) {
      // A reply that had to wait, for one before it or for room, must not lead the client back in time.
      zxid = slot.zxid > this.#lastZxid ? slot.zxid : this.#lastZxid;
      this.#lastZxid = zxid;
    }
    const { writer } = this.#output;
    if (slot.packet !== null) return this.#sendPacket(slot, slot.packet, zxid);
    const before = writer.length;
    if (slot.tooLarge !== null) writeReplyTooLarge(writer, { xid: slot.xid, zxid }, slot.tooLarge);
    else writeReply(writer, { xid: slot.xid, zxid, err: slot.error }, slot.reply);
    this.account.replied(slot.op, slot.xid, zxid, slot.arrivedAt, writer.length - before);
    this.#output.written();
  }

  #sendPacket(slot: ReplySlot, packet: Uint8Array, zxid: bigint): void {
    sealReply(packet, { xid: slot.xid, zxid, err: slot.error });
    this.account.replied(slot.op, slot.xid, zxid, slot.arrivedAt, packet.length);
    this.#output.sendWhole(packet);
  }

  /** `isBehind`: a reply that reflects an earlier state than the present one is still to come. */
  pong(isBehind: boolean): void {
    if (!isBehind) this.#lastZxid = this.#shared.state.machine.lastZxid;
    writeReply(this.#output.writer, { xid: Xid.ping, zxid: this.#lastZxid, err: ErrorCode.ok }, null);
    this.account.replied(OpCode.ping, Xid.ping, this.#lastZxid, 0, PONG_BYTES);
  }

  /** `packet`: a notification whose bytes other clients may get too: nobody writes to them. */
  notify(zxid: bigint, packet: Uint8Array): void {
    if (zxid > this.#lastZxid) this.#lastZxid = zxid;
    this.#output.share(packet);
    this.account.sent();
  }

  /** Hands this turn's output to the transport. */
  flush(): void {
    this.#output.flush();
  }

  /** The transport holds nothing any more. */
  drained(): void {
    this.#output.drained();
  }

  /** The connection takes no further part. */
  end(): void {
    this.#output.end();
  }

  /** See `ConnectionOutput.progress`. */
  progress(): 'moving' | 'stuck' | 'deaf' {
    return this.#output.progress();
  }
}
