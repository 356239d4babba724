import {
  ErrorCode,
  type MultiReply,
  type MultiResult,
  OpCode,
  type Reply,
  type Stat,
} from '../protocol/index.js';
import type { Applied } from './applied.js';
import { present } from './invariant.js';
import type { MachineState } from './machine-state.js';
import type { CreateOutcome, MultiOutcome } from './transaction.js';

/** The reply to the client that asked for `applied`, read from the state as the transaction left it. */
export function replyTo(state: MachineState, { txn, error, partStats }: Applied): Reply | null {
  const { op, outcome } = txn;
  if (error !== ErrorCode.ok) return null;
  switch (outcome.type) {
    case 'create':
      return createReply(op, outcome, state);
    case 'setData':
      return { op: OpCode.setData, body: { stat: statOf(state, outcome.path) } };
    case 'setAcl':
      return { op: OpCode.setAcl, body: { stat: statOf(state, outcome.path) } };
    case 'multi':
      return { op: OpCode.multi, body: multiReply(outcome, partStats ?? []) };
    default:
      return null;
  }
}

function createReply(op: OpCode, { path }: CreateOutcome, state: MachineState): Reply {
  switch (op) {
    case OpCode.create2:
    case OpCode.createContainer:
    case OpCode.createTtl:
      return { op, body: { path, stat: statOf(state, path) } };
    default:
      return { op: OpCode.create, body: { path } };
  }
}

function multiReply({ parts }: MultiOutcome, stats: NonNullable<Applied['partStats']>): MultiReply {
  const results = parts.map(({ op, outcome }, index): MultiResult => {
    const stat = stats[index] ?? null;
    switch (outcome.type) {
      case 'error':
        return { error: outcome.error };
      case 'delete':
        return { reply: { op: OpCode.delete, body: {} } };
      case 'check':
        return { reply: { op: OpCode.check, body: {} } };
      case 'create':
        if (op === OpCode.create) return { reply: { op, body: { path: outcome.path } } };
        return { reply: { op, body: { path: outcome.path, stat } } as MultiCreateReply };
      default:
        return { reply: { op, body: { stat } } as MultiSetDataReply };
    }
  });
  return { results };
}

type MultiCreateReply = Extract<Reply, { readonly op: typeof OpCode.create2 }>;
type MultiSetDataReply = Extract<Reply, { readonly op: typeof OpCode.setData }>;

function statOf({ tree, configuration }: MachineState, path: string): Stat {
  return configuration.statOf(present(tree.find(path), path, 'a reply about a znode that went since'));
}
