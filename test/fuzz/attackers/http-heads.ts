import { type Attacker, turn } from '../attacker.js';
import type { Draw } from '../draw.js';
import { RawSocket } from './raw-socket.js';

const METHODS = [
  'GET',
  'HEAD',
  'POST',
  'OPTIONS',
  'CONNECT',
  'PRI',
  'get',
  '',
  'GET GET',
  '\u0016\u0003\u0001',
];
const TARGETS = [
  '/livez',
  '/readyz',
  '/',
  '/client',
  '/peer',
  '*',
  '//livez',
  '/livez?x=1',
  '/%00',
  '/..',
  '',
];
const VERSIONS = ['HTTP/1.1', 'HTTP/1.0', 'HTTP/0.9', 'HTTP/2.0', 'HTTP/1.1 ', 'http/1.1', ''];
const WEBSOCKET_NAMES = ['Key', 'Version', 'Protocol', 'Extensions'].map((name) => `Sec-WebSocket-${name}`);
const BODY_NAMES = ['Content-Length', 'Transfer-Encoding', 'Expect'];
const NAMES = [
  'Host',
  'Connection',
  'Upgrade',
  'Origin',
  'Authorization',
  'X',
  ' X',
  '',
  ...WEBSOCKET_NAMES,
  ...BODY_NAMES,
];
const HOSTS = ['127.0.0.1', 'evil.example', 'http://evil.example', 'null'];
const UPGRADES = [
  'upgrade',
  'Upgrade, close',
  'keep-alive',
  'websocket',
  'h2c',
  '13',
  '8',
  'zookeeper.v1',
  'permessage-deflate',
];
const BODIES = ['0', '-1', '99999999999999999999', 'chunked', 'chunked, chunked', '100-continue'];
const ODD = ['Basic Og==', 'Basic !', 'AAAAAAAAAAAAAAAAAAAAAA==', 'a\u0000b', 'a\rb', '\u00ff', ''];
const VALUES = [...HOSTS, ...UPGRADES, ...BODIES, ...ODD];

/** An HTTP client: heads that are odd, malformed, too long or cut off, one behind the other. */
export const httpHeads: Attacker = async (arena, draw, tried) => {
  const socket = await RawSocket.open(arena.httpPort);
  const heads = Array.from({ length: draw.int(1, 4) }, () => headOf(draw));
  tried('HTTP heads', heads.length);
  for (const piece of draw.pieces(draw.mutated(Buffer.concat(heads), 0.3), 5)) {
    socket.send(piece);
    if (draw.chance(0.3)) await turn();
  }
  if (draw.chance(0.5)) await socket.answered(12);
  const { answer } = socket;
  if (answer.length >= 9 && answer.subarray(0, 9).toString() !== 'HTTP/1.1 ')
    throw new Error(
      `the member answers HTTP with ${JSON.stringify(answer.subarray(0, 40).toString('latin1'))}`,
    );
  await socket.close(draw.chance(0.5));
};

function headOf(draw: Draw): Buffer {
  const line = `${draw.pick(METHODS)} ${draw.pick(TARGETS)} ${draw.pick(VERSIONS)}`;
  const headers = draw.list(
    8,
    () => `${draw.pick(NAMES)}${draw.pick([':', ': ', ' : ', ''])}${draw.pick(VALUES)}`,
  );
  if (draw.chance(0.7)) headers.unshift('Host: 127.0.0.1');
  if (draw.chance(0.05)) headers.push(`X: ${'y'.repeat(draw.int(1, 20_000))}`);
  if (draw.chance(0.05)) headers.push(...Array.from({ length: 2_500 }, () => 'a:'));
  const end = draw.pick(['\r\n', '\r\n', '\r\n', '\n', '\r']);
  const body = draw.chance(0.3) ? draw.bytes(draw.int(0, 200)) : Buffer.alloc(0);
  return Buffer.concat([Buffer.from([line, ...headers, '', ''].join(end), 'latin1'), body]);
}
