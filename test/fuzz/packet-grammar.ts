import {
  isClientOp,
  JuteWriter,
  OpCode,
  writeConnectRequest,
  writeRequest,
  type Acl,
  type ClientOp,
} from '../../core/protocol/index.js';
import type { Draw } from './draw.js';

const OPS = Object.values(OpCode);
/** Znodes that attackers may write, that they may only read, and texts that are no paths or hardly any. */
const PATHS = [
  '/open',
  '/open/a',
  '/open/a/b',
  '/open/b',
  '/open/s-',
  '/open/c',
  '/good',
  '/good/k1',
  '/',
  '/zookeeper/config',
];
const ODD_PATHS = [
  '',
  'a',
  '//',
  '/open/',
  '/open//a',
  '/./a',
  '/open/..',
  '/\u0000',
  '/\ud800',
  '/zookeeper/quota/open',
  '/open/\u202e',
];
const SCHEMES = ['world', 'auth', 'digest', 'ip', 'sasl', 'x509', 'super', '', 'nobody'];
const WORDS = ['anyone', '', 'a:b', 'root:secret', '127.0.0.1', '127.0.0.0/8', '::/0', ':', 'a@b@c', 'CN=x'];

/** A connect request, whole or with a mistake. `resume`: a session to take up. */
export function connectPacket(draw: Draw): Buffer {
  const writer = new JuteWriter();
  const isPlain = draw.chance(0.7);
  writeConnectRequest(writer, {
    protocolVersion: isPlain ? 0 : draw.edge(),
    lastZxidSeen: isPlain ? 0n : draw.edgeLong(),
    timeoutMs: isPlain ? 200 : draw.edge(),
    sessionId: draw.chance(0.9) ? 0n : draw.edgeLong(),
    password: draw.chance(0.9) ? new Uint8Array(16) : draw.bytes(draw.int(0, 40)),
    readOnly: draw.pick([false, false, true, null]),
  });
  return draw.mutated(writer.take(), 0.1);
}

/** One packet behind the connect request: a request, often with a mistake, sometimes of an operation that does not exist. */
export function requestPacket(draw: Draw, xid: number): Buffer {
  if (draw.chance(0.05)) return framed(draw.bytes(draw.int(0, 60)));
  if (draw.chance(0.05)) {
    const writer = new JuteWriter();
    writer.writeInt(draw.edge());
    writer.writeInt(draw.chance(0.5) ? draw.pick(OPS) : draw.edge());
    writer.writeBytes(juteLike(draw));
    return framed(writer.take());
  }
  const op = draw.pick(CLIENT_OPS);
  const writer = new JuteWriter();
  const number = draw.chance(0.9) ? xid : draw.edge();
  writeRequest(writer, number, op, bodyOf(op, draw) as never);
  const packet = draw.mutated(writer.take().subarray(4), 0.35);
  // Mostly with the right length in front of what is wrong, so that more than the splitter gets to see it.
  return draw.chance(0.95) ? framed(packet) : draw.mutated(framed(packet), 1);
}

const CLIENT_OPS: readonly ClientOp[] = OPS.filter(
  (op): op is ClientOp => op === OpCode.check || isClientOp(op),
);

function bodyOf(op: ClientOp, draw: Draw): unknown {
  const path = pathOf(draw);
  const create = { path, data: dataOf(draw), acl: aclOf(draw), flags: flagsOf(draw), ttlMs: 0 };
  const version = draw.chance(0.7) ? -1 : draw.edge();
  const paths = (): string[] => draw.list(5, () => pathOf(draw));
  switch (op) {
    case OpCode.create:
    case OpCode.create2:
    case OpCode.createContainer:
      return create;
    case OpCode.createTtl:
      return { ...create, ttlMs: draw.int(-1, 5_000) };
    case OpCode.setData:
      return { path, data: dataOf(draw), version };
    case OpCode.setAcl:
      return { path, acl: aclOf(draw), version };
    case OpCode.multi:
      return { ops: draw.list(6, () => partOf(draw, MULTI_OPS)) };
    case OpCode.multiRead:
      return { ops: draw.list(draw.chance(0.1) ? 400 : 6, () => partOf(draw, READ_OPS)) };
    case OpCode.reconfig:
      return { joiningServers: path, leavingServers: '1', newMembers: '', curConfigId: draw.edgeLong() };
    case OpCode.checkWatches:
    case OpCode.removeWatches:
      return { path, type: draw.int(0, 6) };
    case OpCode.auth:
      return { type: draw.edge(), scheme: draw.pick(SCHEMES), auth: authOf(draw) };
    case OpCode.sasl:
      return { token: authOf(draw) };
    case OpCode.setWatches:
    case OpCode.setWatches2:
      return {
        relativeZxid: draw.chance(0.5) ? 0n : draw.edgeLong(),
        dataWatches: paths(),
        existWatches: paths(),
        childWatches: paths(),
        persistentWatches: paths(),
        persistentRecursiveWatches: paths(),
      };
    case OpCode.addWatch:
      return { path, mode: draw.int(-1, 2) };
    case OpCode.getEphemerals:
      return { prefixPath: path };
    case OpCode.getChildrenPage: {
      const after = draw.chance(0.5) ? 0n : draw.edgeLong();
      const most = draw.chance(0.7) ? draw.int(0, 10) : draw.edge();
      return { path, watch: draw.chance(0.5), after, lastName: draw.chance(0.5) ? '' : path, most };
    }
    default:
      return { path, version, watch: draw.chance(0.5) };
  }
}

const MULTI_OPS = [
  OpCode.create,
  OpCode.create2,
  OpCode.createContainer,
  OpCode.createTtl,
  OpCode.delete,
  OpCode.setData,
  OpCode.check,
] as const;
const READ_OPS = [OpCode.getData, OpCode.getChildren] as const;

function partOf(draw: Draw, ops: readonly ClientOp[]): unknown {
  const op = draw.pick(ops);
  return { op, body: bodyOf(op, draw) };
}

function pathOf(draw: Draw): string {
  if (draw.chance(0.85)) return draw.pick(PATHS);
  if (draw.chance(0.7)) return draw.pick(ODD_PATHS);
  return `/open/${'x'.repeat(draw.int(0, 3_000))}${'/d'.repeat(draw.int(0, 300))}`;
}

function dataOf(draw: Draw): Buffer | null {
  return draw.chance(0.2) ? null : draw.bytes(draw.chance(0.95) ? draw.int(0, 40) : draw.int(0, 5_000));
}

function flagsOf(draw: Draw): number {
  return draw.chance(0.9) ? draw.int(0, 6) : draw.edge();
}

function aclOf(draw: Draw): Acl[] {
  if (draw.chance(0.5)) return [{ perms: 31, id: { scheme: 'world', id: 'anyone' } }];
  return draw.list(4, () => ({
    perms: draw.chance(0.6) ? draw.int(0, 31) : draw.edge(),
    id: { scheme: draw.pick(SCHEMES), id: draw.pick(WORDS) },
  }));
}

function authOf(draw: Draw): Buffer | null {
  if (draw.chance(0.1)) return null;
  return draw.chance(0.7) ? Buffer.from(draw.pick(WORDS)) : draw.bytes(draw.int(0, 200));
}

/** Bytes in which lengths, counts and operations are more frequent than chance would have it. */
function juteLike(draw: Draw): Buffer {
  return Buffer.concat(
    draw.list(20, () => {
      if (draw.chance(0.3)) return draw.bytes(draw.int(0, 9));
      const number = Buffer.alloc(4);
      number.writeInt32BE(draw.chance(0.6) ? draw.int(-3, 30) : draw.edge());
      return number;
    }),
  );
}

/** A packet behind its length. */
export function framed(content: Uint8Array): Buffer {
  const length = Buffer.alloc(4);
  length.writeInt32BE(content.length);
  return Buffer.concat([length, content]);
}
