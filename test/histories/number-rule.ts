import { CreateMode, OpCode, type Reply, type Request } from '../../core/protocol/index.js';
import { hex } from '../simulation/checkers/referee.js';
import { parentOf } from '../simulation/checkers/tree-model.js';
import type { Contradiction } from './history.js';
import type { Packet } from './packets.js';

const SEQUENTIAL = new Set<number>([
  CreateMode.persistentSequential,
  CreateMode.ephemeralSequential,
  CreateMode.persistentSequentialWithTtl,
]);
const DIGITS = 10;

interface Given {
  readonly zxid: bigint;
  readonly path: string;
  readonly at: number;
}

/** Numbers of sequential znodes under a parent that is never removed are unique, and rise with the zxid. Needs no model of the tree. */
export class NumberRule {
  readonly #byParent = new Map<string, Given[]>();

  saw(packet: Packet): void {
    if (packet.type !== 'reply' || packet.reply === null) return;
    const { zxid } = packet.header;
    for (const path of sequentialPaths(packet.request, packet.reply)) {
      const parent = parentOf(path);
      const given = { zxid, path, at: packet.index };
      const others = this.#byParent.get(parent);
      if (others === undefined) this.#byParent.set(parent, [given]);
      else others.push(given);
    }
  }

  contradictions(): Contradiction[] {
    const found: Contradiction[] = [];
    for (const given of this.#byParent.values()) {
      // Parts of one multi stay in their order.
      const sorted = [...given].sort((a, b) => (a.zxid < b.zxid ? -1 : a.zxid > b.zxid ? 1 : 0));
      for (const [index, { path, zxid, at }] of sorted.entries()) {
        const before = sorted[index - 1];
        if (before === undefined || numberOf(before.path) < numberOf(path)) continue;
        const text = `${path} of ${hex(zxid)} has no higher number than ${before.path} of ${hex(before.zxid)}`;
        found.push({ rule: 'sequence', text, at });
      }
    }
    return found;
  }
}

function* sequentialPaths(request: Request, reply: Reply): Generator<string> {
  if (request.op === OpCode.multi && reply.op === OpCode.multi) {
    for (const [index, part] of request.body.ops.entries()) {
      const result = reply.body.results[index];
      if (result !== undefined && result.error === undefined) yield* sequentialPaths(part, result.reply);
    }
    return;
  }
  const isSequential = 'flags' in request.body && SEQUENTIAL.has(request.body.flags);
  if (isSequential && 'path' in reply.body) yield reply.body.path;
}

function numberOf(path: string): number {
  return Number(path.slice(-DIGITS));
}
