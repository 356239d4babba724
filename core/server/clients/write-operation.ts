import { OpCode } from '../../protocol/index.js';

const WRITES: ReadonlySet<number> = new Set([
  OpCode.create,
  OpCode.create2,
  OpCode.createContainer,
  OpCode.createTtl,
  OpCode.delete,
  OpCode.setData,
  OpCode.setAcl,
  OpCode.multi,
  OpCode.closeSession,
]);

/** Whether a client's request becomes a transaction. */
export function isWriteOperation(op: number): boolean {
  return WRITES.has(op);
}
