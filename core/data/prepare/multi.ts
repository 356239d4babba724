import { CreateMode, ErrorCode, type MultiRequest, OpCode } from '../../protocol/index.js';
import type { ErrorOutcome, MultiOutcome, MultiPart, SingleOutcome } from '../transaction.js';
import { prepareCheck, prepareDelete, prepareSetData } from './update.js';
import { type CreateOp, prepareCreate } from './create.js';
import { type Preparation, refuse } from './preparation.js';

type MultiMember = MultiRequest['ops'][number];

const MEMBERS: ReadonlySet<number> = new Set([
  OpCode.create,
  OpCode.create2,
  OpCode.createContainer,
  OpCode.createTtl,
  OpCode.delete,
  OpCode.setData,
  OpCode.check,
]);

/**
 * All or nothing: the members are tried out one after the other, each against what those before it left, in a
 * layer of the overlay that is thrown away if one is refused, counters of sequential names included.
 */
export function prepareMulti(preparation: Preparation, { ops }: MultiRequest): MultiOutcome | ErrorOutcome {
  if (ops.some(isForeign)) return refuse(ErrorCode.marshallingError);
  const { overlay } = preparation;
  overlay.attempt();
  const parts: MultiPart[] = [];
  for (const member of ops) {
    const outcome = prepareMember(preparation, member);
    if (outcome.type === 'error') {
      overlay.fail();
      return { type: 'multi', parts: failedParts(ops, parts.length, outcome) };
    }
    parts.push({ op: memberOp(member), outcome });
  }
  overlay.succeed();
  return { type: 'multi', parts };
}

/** An operation that cannot stand inside a multi. */
function isForeign({ op }: MultiMember): boolean {
  return !MEMBERS.has(op);
}

/** In a multi, and only there, ZooKeeper takes a create for the one that its flags stand for. */
function memberOp({ op, body }: MultiMember): MultiMember['op'] {
  if (op !== OpCode.create && op !== OpCode.createContainer) return op;
  return body.flags === CreateMode.container ? OpCode.createContainer : OpCode.create;
}

function prepareMember(preparation: Preparation, member: MultiMember): SingleOutcome {
  const { op, body } = member;
  switch (op) {
    case OpCode.delete:
      return prepareDelete(preparation, body);
    case OpCode.setData:
      return prepareSetData(preparation, body);
    case OpCode.check:
      return prepareCheck(preparation, body);
    default:
      return prepareCreate(preparation, memberOp(member) as CreateOp, body);
  }
}

function failedParts(ops: readonly MultiMember[], failedAt: number, failure: ErrorOutcome): MultiPart[] {
  return ops.map(({ op }, index) => {
    if (index === failedAt) return { op, outcome: failure };
    return { op, outcome: refuse(index < failedAt ? ErrorCode.ok : ErrorCode.runtimeInconsistency) };
  });
}
