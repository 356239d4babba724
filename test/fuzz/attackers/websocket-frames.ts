import { type Attacker, turn } from '../attacker.js';
import type { Draw } from '../draw.js';
import { connectPacket, requestPacket } from '../packet-grammar.js';
import { RawSocket } from './raw-socket.js';

const CLOSE_CODES = [1000, 1001, 1002, 1005, 1006, 1015, 2999, 3000, 4999, 0, 65_535];

/** A client that upgrades to a WebSocket and sends frames that RFC 6455 allows, and others. */
export const webSocketFrames: Attacker = async (arena, draw, tried) => {
  const socket = await RawSocket.open(arena.httpPort);
  const isPeer = draw.chance(0.15);
  socket.send(draw.mutated(Buffer.from(upgradeTo(isPeer ? '/peer' : '/client', isPeer)), 0.05));
  tried('WebSocket upgrades');
  if (draw.chance(0.8)) await socket.answered(12);
  const frames = [frame(draw, 2, true, connectPacket(draw))];
  for (let count = draw.int(1, 20); count > 0; count--) frames.push(anyFrame(draw, count));
  tried('WebSocket frames', frames.length);
  for (const piece of draw.pieces(Buffer.concat(frames), 6)) {
    socket.send(piece);
    if (draw.chance(0.3)) await turn();
  }
  await turn(draw.int(0, 20));
  await socket.close(draw.chance(0.5));
};

function upgradeTo(path: string, isPeer: boolean): string {
  return (
    `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n` +
    'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n' +
    `Sec-WebSocket-Protocol: ${isPeer ? 'quorate.peer.v1' : 'zookeeper.v1'}\r\n\r\n`
  );
}

function anyFrame(draw: Draw, xid: number): Buffer {
  if (draw.chance(0.6)) return frame(draw, 2, true, requestPacket(draw, xid));
  const opcode = draw.int(0, 15);
  if (opcode === 8) {
    const code = Buffer.alloc(2);
    code.writeUInt16BE(draw.pick(CLOSE_CODES));
    return frame(draw, 8, true, Buffer.concat([code, draw.bytes(draw.int(0, 130))]).subarray(draw.int(0, 1)));
  }
  return draw.mutated(frame(draw, opcode, draw.chance(0.6), draw.bytes(draw.int(0, 300))), 0.2);
}

function frame(draw: Draw, opcode: number, isLast: boolean, payload: Buffer): Buffer {
  const isMasked = draw.chance(0.97);
  const reserved = draw.chance(0.97) ? 0 : draw.int(1, 7) << 4;
  const length = draw.chance(0.98) ? payload.length : Math.abs(draw.edge());
  const head = [(isLast ? 0x80 : 0) | reserved | opcode];
  const mark = isMasked ? 0x80 : 0;
  // Now and then a length in more bytes than it needs.
  const isWide = draw.chance(0.03);
  if (length > 0xffff || isWide)
    head.push(mark | 127, draw.chance(0.02) ? 0xff : 0, 0, 0, 0, ...int32(length));
  else if (length > 125) head.push(mark | 126, length >> 8, length & 255);
  else head.push(mark | length);
  if (!isMasked) return Buffer.concat([Buffer.from(head), payload]);
  const mask = draw.bytes(4);
  return Buffer.concat([Buffer.from(head), mask, payload.map((byte, at) => byte ^ mask[at & 3]!)]);
}

function int32(value: number): number[] {
  return [24, 16, 8, 0].map((shift) => (value >>> shift) & 255);
}
