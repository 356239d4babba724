import { OpCode } from '../op-code.js';
import type { ClientOp } from '../requests.js';
import { create, create2, createContainer, createTtl } from './create.js';
import { multi, multiRead } from './multi.js';
import type { Operation } from './operation.js';
import {
  exists,
  getAcl,
  getAllChildrenNumber,
  getChildren,
  getChildren2,
  getChildrenPage,
  getData,
  getEphemerals,
} from './read.js';
import { auth, closeSession, ping, reconfig, sasl, sync, whoAmI } from './session.js';
import { addWatch, checkWatches, removeWatches, setWatches, setWatches2 } from './watch.js';
import { check, deleteNode, setAcl, setData } from './write.js';

/** Every operation by its number. */
export const operations: { readonly [Op in ClientOp]: Operation<Op> } = {
  [OpCode.create]: create,
  [OpCode.delete]: deleteNode,
  [OpCode.exists]: exists,
  [OpCode.getData]: getData,
  [OpCode.setData]: setData,
  [OpCode.getAcl]: getAcl,
  [OpCode.setAcl]: setAcl,
  [OpCode.getChildren]: getChildren,
  [OpCode.sync]: sync,
  [OpCode.ping]: ping,
  [OpCode.getChildren2]: getChildren2,
  [OpCode.getChildrenPage]: getChildrenPage,
  [OpCode.check]: check,
  [OpCode.multi]: multi,
  [OpCode.create2]: create2,
  [OpCode.reconfig]: reconfig,
  [OpCode.checkWatches]: checkWatches,
  [OpCode.removeWatches]: removeWatches,
  [OpCode.createContainer]: createContainer,
  [OpCode.createTtl]: createTtl,
  [OpCode.multiRead]: multiRead,
  [OpCode.auth]: auth,
  [OpCode.sasl]: sasl,
  [OpCode.setWatches]: setWatches,
  [OpCode.getEphemerals]: getEphemerals,
  [OpCode.getAllChildrenNumber]: getAllChildrenNumber,
  [OpCode.setWatches2]: setWatches2,
  [OpCode.addWatch]: addWatch,
  [OpCode.whoAmI]: whoAmI,
  [OpCode.closeSession]: closeSession,
};

const OPERATIONS: ReadonlyMap<number, Operation<ClientOp>> = new Map(
  Object.entries(operations).map(([op, operation]) => [Number(op), operation as Operation<ClientOp>]),
);
/** ZooKeeper's own numbers are smaller. */
const SMALL_OPS = 128;
/** The same operations in an array without holes, because every packet asks several times. An object with one large number is a slow table. */
const SMALL_OPERATIONS = Array.from({ length: SMALL_OPS }, (_, op) => OPERATIONS.get(op));

function find(op: number): Operation<ClientOp> | undefined {
  return op >= 0 && op < SMALL_OPS ? SMALL_OPERATIONS[op] : OPERATIONS.get(op);
}

/**
 * True for what a client may send as a request of its own. False for `check`, which stands only inside a multi, for
 * what only members do among themselves (createSession, deleteContainer, error), and for any other number.
 */
export function isClientOp(op: number): op is ClientOp {
  return op !== OpCode.check && find(op) !== undefined;
}

export function operationOf<Op extends ClientOp>(op: Op): Operation<Op> {
  return find(op) as unknown as Operation<Op>;
}
