import { JuteReader, asNodeBuffer } from './jute-reader.js';

const HEADER_BYTES = 4;
/** No packet of either direction is shorter than a request header. */
const MIN_PACKET_BYTES = 8;

export type FrameFault = 'partial' | 'negative' | 'short' | 'oversize';

/** Bytes that are no sequence of packets; where the next packet begins is unknown, so the connection has to go. */
export class FrameError extends Error {
  readonly code = 'FRAME_ERROR';
  readonly reason: FrameFault;

  constructor(reason: FrameFault, message: string) {
    super(message);
    this.name = 'FrameError';
    this.reason = reason;
  }
}

/**
 * A reader over each packet of one WebSocket message, which holds whole packets only. Throws `FrameError`
 * without a result if any of them is cut off, negative, too short to be one, or larger than `maxPacketBytes` (length field not counted).
 */
export function splitPackets(message: Uint8Array, maxPacketBytes: number): JuteReader[] {
  const bytes = asNodeBuffer(message);
  const packets: JuteReader[] = [];
  const end = takeWholePackets(bytes, maxPacketBytes, packets);
  if (end < bytes.length) {
    throw new FrameError('partial', `a message ends ${bytes.length - end} bytes into a packet`);
  }
  return packets;
}

/**
 * Cuts a byte stream, in whatever chunks it comes, into messages that hold whole packets with their length fields, as
 * `splitPackets` takes them.
 */
export class PacketSplitter {
  private readonly maxPacketBytes: number;
  /** The beginning of a packet whose rest has not come yet. */
  private head: Uint8Array = new Uint8Array(0);
  private headLength = 0;

  constructor(maxPacketBytes: number) {
    this.maxPacketBytes = maxPacketBytes;
  }

  /** Bytes of an unfinished packet. */
  get pendingBytes(): number {
    return this.headLength;
  }

  /**
   * Hands the packets that `chunk` completes to `deliver`, as views of it where they can be. Throws `FrameError` behind the
   * packets that were whole; the stream is then over.
   */
  push(chunk: Uint8Array, deliver: (message: Uint8Array) => void): void {
    let rest = asNodeBuffer(chunk);
    if (this.headLength > 0) rest = rest.subarray(this.completeHead(rest, deliver));
    const { end, fault } = wholePackets(rest, this.maxPacketBytes);
    if (end > 0) deliver(rest.subarray(0, end));
    if (fault !== null) throw fault;
    if (end < rest.length) this.keep(rest.subarray(end));
  }

  /** Adds to the unfinished packet what belongs to it, and says how much that was. */
  private completeHead(chunk: Uint8Array, deliver: (message: Uint8Array) => void): number {
    let used = 0;
    while (used < chunk.length) {
      const wanted = this.wantedBytes();
      const taken = Math.min(wanted - this.headLength, chunk.length - used);
      this.keep(chunk.subarray(used, used + taken));
      used += taken;
      if (this.headLength < wanted || wanted === HEADER_BYTES) continue;
      const message = this.head.subarray(0, this.headLength);
      this.head = new Uint8Array(0);
      this.headLength = 0;
      deliver(message);
      break;
    }
    return used;
  }

  /** How long the head has to be for the next step: its length field, then the whole packet. */
  private wantedBytes(): number {
    if (this.headLength < HEADER_BYTES) return HEADER_BYTES;
    return HEADER_BYTES + packetLength(this.head, 0, this.maxPacketBytes);
  }

  /** Grows by doubling with what arrives, not with what a length field promises. */
  private keep(bytes: Uint8Array): void {
    const needed = this.headLength + bytes.length;
    if (needed > this.head.length) {
      const grown = new Uint8Array(Math.max(needed, this.head.length * 2));
      grown.set(this.head.subarray(0, this.headLength));
      this.head = grown;
    }
    this.head.set(bytes, this.headLength);
    this.headLength = needed;
    if (needed >= HEADER_BYTES) packetLength(this.head, 0, this.maxPacketBytes);
  }
}

/** Where the whole packets at the beginning of `bytes` end, and what is wrong with the one behind them, if anything is. */
function wholePackets(
  bytes: Uint8Array,
  maxPacketBytes: number,
): { readonly end: number; readonly fault: unknown } {
  let at = 0;
  try {
    while (bytes.length - at >= HEADER_BYTES) {
      const end = at + HEADER_BYTES + packetLength(bytes, at, maxPacketBytes);
      if (end > bytes.length) break;
      at = end;
    }
  } catch (fault) {
    return { end: at, fault };
  }
  return { end: at, fault: null };
}

/** Adds a reader for every whole packet at the beginning of `bytes`; returns where the first unfinished one begins. */
function takeWholePackets(bytes: Uint8Array, maxPacketBytes: number, packets: JuteReader[]): number {
  let at = 0;
  while (bytes.length - at >= HEADER_BYTES) {
    const end = at + HEADER_BYTES + packetLength(bytes, at, maxPacketBytes);
    if (end > bytes.length) break;
    packets.push(new JuteReader(bytes, at + HEADER_BYTES, end));
    at = end;
  }
  return at;
}

function packetLength(bytes: Uint8Array, at: number, maxPacketBytes: number): number {
  const length = (bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!;
  if (length < 0) throw new FrameError('negative', `a packet of ${length} bytes`);
  if (length < MIN_PACKET_BYTES) {
    throw new FrameError('short', `a packet of ${length} bytes, less than its header takes`);
  }
  if (length > maxPacketBytes) {
    throw new FrameError('oversize', `a packet of ${length} bytes; at most ${maxPacketBytes} are accepted`);
  }
  return length;
}
