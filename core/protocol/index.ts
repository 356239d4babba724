/**
 * The records of ZooKeeper's client protocol and their frames; pure. Every operation has its encoder and
 * its decoder side by side. Bytes from outside become a record or a `MarshallingError`, never anything else.
 */
export { OpCode, type OpName } from './op-code.js';
export { ErrorCode, type ErrorName } from './error-code.js';
export * from './records.js';
export type * from './requests.js';
