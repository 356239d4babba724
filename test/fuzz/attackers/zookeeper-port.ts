import { type Attacker, turn } from '../attacker.js';
import { connectPacket, requestPacket } from '../packet-grammar.js';
import { RawSocket } from './raw-socket.js';

const KNOWN =
  'ruok srvr stat mntr cons conf envi isro dump wchs wchc wchp dirs hash crst srst gtmk stmk'.split(' ');
const WORDS = [...KNOWN, 'kill', 'RUOK', 'ruo', 'abcd', 'ruok\n', 'ruok\r\n', '    ', '\u0000\u0000\u0000r'];

/** A client of ZooKeeper's port: packets cut anywhere, four-letter words and what resembles them. */
export const zookeeperPort: Attacker = async (arena, draw, tried) => {
  const socket = await RawSocket.open(arena.zookeeperPort);
  if (draw.chance(0.3)) {
    const word = Buffer.from(draw.pick(WORDS));
    tried('four-letter words');
    for (const piece of draw.pieces(draw.mutated(word, 0.3), 3)) socket.send(piece);
    if (draw.chance(0.3)) socket.send(connectPacket(draw));
    await turn(draw.int(0, 10));
    return socket.close(draw.chance(0.5));
  }
  const packets = [connectPacket(draw)];
  for (let xid = 1; xid < draw.int(2, 40); xid++) packets.push(requestPacket(draw, xid));
  tried('ZooKeeper packets', packets.length);
  const stream = draw.mutated(Buffer.concat(packets), 0.1);
  for (const piece of draw.pieces(stream, 8)) {
    socket.send(piece);
    if (draw.chance(0.3)) await turn();
  }
  await turn(draw.int(0, 20));
  await socket.close(draw.chance(0.5));
};
