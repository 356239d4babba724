import { type Attacker, turn } from '../attacker.js';
import { connectPacket, requestPacket } from '../packet-grammar.js';

/** A client whose packets are malformed, or whose requests are senseless, over a transport in memory. */
export const clientPackets: Attacker = async (arena, draw, tried) => {
  const connection = await arena.dialClient();
  connection.handle({ message: () => undefined, closed: () => undefined });
  if (draw.chance(0.95)) connection.send(connectPacket(draw));
  tried('client packets');
  let xid = 0;
  for (let message = draw.int(1, 12); message > 0 && connection.isOpen; message--) {
    const packets = Array.from({ length: draw.int(1, 12) }, () => requestPacket(draw, (xid += 1)));
    tried('client packets', packets.length);
    connection.send(Buffer.concat(packets));
    if (draw.chance(0.05)) connection.pause();
    if (draw.chance(0.5)) await turn();
  }
  await turn(draw.chance(0.5) ? 0 : draw.int(1, 30));
  if (draw.chance(0.5)) connection.terminate();
  else connection.close();
};
