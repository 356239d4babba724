import { CreateMode, ErrorCode, type MultiRequest, OpCode } from '../../protocol/index.js';
import type { ErrorOutcome, MultiOutcome, MultiPart, SingleOutcome } from '../transaction.js';
import { prepareCheck, prepareDelete, prepareSetData } from './update.js';
import { prepareCreate } from './create.js';
import { type Preparation, refuse } from './preparation.js';

type MultiMember = MultiRequest['ops'][number];

const HIGHEST_MODE = CreateMode.persistentSequentialWithTtl;

/**
 * All or nothing: the members are tried out one after the other, each against what those before it left, in a
 * layer of the overlay that is thrown away if one is refused, counters of sequential names included.
 */
export function prepareMulti(preparation: Preparation, { ops }: MultiRequest): MultiOutcome | ErrorOutcome {
  if (ops.some(isMalformed)) return refuse(ErrorCode.marshallingError);
  const { overlay } = preparation;
  overlay.attempt();
  const parts: MultiPart[] = [];
  for (const member of ops) {
    const outcome = prepareMember(preparation, member);
    if (outcome.type === 'error') {
      overlay.fail();
      return { type: 'multi', parts: failedParts(ops, parts.length, outcome) };
    }
    parts.push({ op: member.op, outcome });
  }
  overlay.succeed();
  return { type: 'multi', parts };
}

/** ZooKeeper turns flags into a mode while it decodes a multi, so there an unknown one spoils the whole request. */
function isMalformed({ op, body }: MultiMember): boolean {
  switch (op) {
    case OpCode.create:
    case OpCode.create2:
    case OpCode.createContainer:
    case OpCode.createTtl:
      return body.flags < 0 || body.flags > HIGHEST_MODE;
    case OpCode.delete:
    case OpCode.setData:
    case OpCode.check:
      return false;
    default:
      return true;
  }
}

function prepareMember(preparation: Preparation, { op, body }: MultiMember): SingleOutcome {
  switch (op) {
    case OpCode.delete:
      return prepareDelete(preparation, body);
    case OpCode.setData:
      return prepareSetData(preparation, body);
    case OpCode.check:
      return prepareCheck(preparation, body);
    default:
      return prepareCreate(preparation, op, body);
  }
}

function failedParts(ops: readonly MultiMember[], failedAt: number, failure: ErrorOutcome): MultiPart[] {
  return ops.map(({ op }, index) => {
    if (index === failedAt) return { op, outcome: failure };
    return { op, outcome: refuse(index < failedAt ? ErrorCode.ok : ErrorCode.runtimeInconsistency) };
  });
}
