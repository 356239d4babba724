import {
  type Acl,
  type ErrorCode,
  JuteReader,
  JuteWriter,
  MarshallingError,
  type MultiOp,
  OpCode,
  readAclList,
  readStringList,
  writeAclList,
  writeStringList,
} from '../protocol/index.js';
import { ensembleIdBytes, ensembleIdOf } from './ensemble-identity.js';

/**
 * What a member decided a request does: outcomes only — final names, new versions, new counters — so that
 * applying needs no check and gives the same result on every member.
 */
export interface Txn {
  readonly sessionId: bigint;
  readonly cxid: number;
  /** Milliseconds since 1970, chosen by the leader, never behind an earlier transaction's. */
  readonly time: number;
  /** The operation that the client asked for: decides the shape of the reply. */
  readonly op: OpCode;
  readonly outcome: Outcome;
}

export type Outcome =
  SingleOutcome | CreateSessionOutcome | CloseSessionOutcome | MultiOutcome | IdentifyOutcome;

/** What can also be part of a multi. */
export type SingleOutcome =
  CreateOutcome | DeleteOutcome | SetDataOutcome | SetAclOutcome | CheckOutcome | ErrorOutcome;

export interface CreateOutcome {
  readonly type: 'create';
  readonly path: string;
  readonly data: Uint8Array | null;
  readonly acl: readonly Acl[];
  /** Session, container mark or time to live, see `stored-owner.ts`. */
  readonly storedOwner: bigint;
  /** The parent's count of creates with this one in it. */
  readonly parentCreates: number;
}

export interface DeleteOutcome {
  readonly type: 'delete';
  readonly path: string;
}

export interface SetDataOutcome {
  readonly type: 'setData';
  readonly path: string;
  readonly data: Uint8Array | null;
  /** The version that the data has now. */
  readonly version: number;
}

export interface SetAclOutcome {
  readonly type: 'setAcl';
  readonly path: string;
  readonly acl: readonly Acl[];
  readonly aversion: number;
}

/** A check that held: changes nothing. */
export interface CheckOutcome {
  readonly type: 'check';
  readonly path: string;
}

/** A refusal. It takes a zxid as well, so that it reaches its client only after everything it was decided upon. */
export interface ErrorOutcome {
  readonly type: 'error';
  readonly error: ErrorCode;
}

export interface CreateSessionOutcome {
  readonly type: 'createSession';
  readonly timeoutMs: number;
}

export interface CloseSessionOutcome {
  readonly type: 'closeSession';
  /** The session's ephemerals, which go with it. */
  readonly paths: readonly string[];
}

/** The ensemble has this id from now on. */
export interface IdentifyOutcome {
  readonly type: 'identify';
  readonly ensembleId: string;
}

/** In a multi that failed every part is an error: ok before the part that failed, `runtimeInconsistency` behind it. */
export interface MultiOutcome {
  readonly type: 'multi';
  readonly parts: readonly MultiPart[];
}

export interface MultiPart {
  readonly op: MultiOp;
  readonly outcome: SingleOutcome;
}

/** Gives an ensemble its id. No client asks for it, and it changes no znode, no session and no time. */
export function identifyTxn(ensembleId: string): Txn {
  const outcome = { type: 'identify', ensembleId } as const;
  return { sessionId: 0n, cxid: 0, time: 0, op: OpCode.identify, outcome };
}

/** Shared by all encodings, so that small transactions lie side by side in one piece of memory. */
let sharedWriter = new JuteWriter();
/** Operation and outcome of a part of a multi. */
const MIN_PART_BYTES = 8;

/** The bytes that go to the log and to the other members. Nothing changes them later: encode a transaction once. */
export function encodeTxn(txn: Txn): Uint8Array {
  try {
    writeTxn(sharedWriter, txn);
  } catch (error) {
    // Nothing of what failed half-way may precede the next one.
    sharedWriter = new JuteWriter();
    throw error;
  }
  return sharedWriter.take();
}

function writeTxn(writer: JuteWriter, txn: Txn): void {
  writer.writeLong(txn.sessionId);
  writer.writeInt(txn.cxid);
  writer.writeNumberAsLong(txn.time);
  writer.writeInt(txn.op);
  writeOutcome(writer, txn.outcome);
}

/** The transaction's data are views of `payload`. Throws `MarshallingError` on bytes that are no transaction. */
export function decodeTxn(payload: Uint8Array): Txn {
  const reader = new JuteReader(payload);
  const sessionId = reader.readLong();
  const cxid = reader.readInt();
  const time = reader.readLongAsNumber();
  const op = readOp(reader);
  const outcome = readOutcome(reader);
  if (reader.remaining > 0) throw new MarshallingError(`${reader.remaining} bytes behind a transaction`);
  return { sessionId, cxid, time, op, outcome };
}

const OP_CODES: ReadonlySet<number> = new Set<number>(Object.values(OpCode));

export function isOpCode(op: number): op is OpCode {
  return OP_CODES.has(op);
}

function writeOutcome(writer: JuteWriter, outcome: Outcome): void {
  switch (outcome.type) {
    case 'create':
      writer.writeInt(OpCode.create);
      writer.writeString(outcome.path);
      writer.writeBuffer(outcome.data);
      writeAclList(writer, outcome.acl);
      writer.writeLong(outcome.storedOwner);
      return writer.writeInt(outcome.parentCreates);
    case 'delete':
      writer.writeInt(OpCode.delete);
      return writer.writeString(outcome.path);
    case 'setData':
      writer.writeInt(OpCode.setData);
      writer.writeString(outcome.path);
      writer.writeBuffer(outcome.data);
      return writer.writeInt(outcome.version);
    case 'setAcl':
      writer.writeInt(OpCode.setAcl);
      writer.writeString(outcome.path);
      writeAclList(writer, outcome.acl);
      return writer.writeInt(outcome.aversion);
    case 'check':
      writer.writeInt(OpCode.check);
      return writer.writeString(outcome.path);
    case 'error':
      writer.writeInt(OpCode.error);
      return writer.writeInt(outcome.error);
    case 'createSession':
      writer.writeInt(OpCode.createSession);
      return writer.writeInt(outcome.timeoutMs);
    case 'closeSession':
      writer.writeInt(OpCode.closeSession);
      return writeStringList(writer, outcome.paths);
    case 'identify':
      writer.writeInt(OpCode.identify);
      return writer.writeBuffer(ensembleIdBytes(outcome.ensembleId));
    case 'multi':
      writer.writeInt(OpCode.multi);
      writer.writeCount(outcome.parts.length);
      for (const part of outcome.parts) {
        writer.writeInt(part.op);
        writeOutcome(writer, part.outcome);
      }
  }
}

function readOutcome(reader: JuteReader): Outcome {
  const tag = reader.readInt();
  switch (tag) {
    case OpCode.createSession:
      return { type: 'createSession', timeoutMs: reader.readInt() };
    case OpCode.closeSession:
      return { type: 'closeSession', paths: readStringList(reader) };
    case OpCode.multi:
      return { type: 'multi', parts: readParts(reader) };
    case OpCode.identify:
      return { type: 'identify', ensembleId: ensembleIdOf(reader.readBuffer()) };
    default:
      return readSingleOutcome(reader, tag);
  }
}

function readParts(reader: JuteReader): MultiPart[] {
  const count = reader.readCount(MIN_PART_BYTES);
  const parts: MultiPart[] = [];
  for (let index = 0; index < count; index++) {
    const op = readOp(reader) as MultiOp;
    parts.push({ op, outcome: readSingleOutcome(reader, reader.readInt()) });
  }
  return parts;
}

function readSingleOutcome(reader: JuteReader, tag: number): SingleOutcome {
  switch (tag) {
    case OpCode.create:
      return {
        type: 'create',
        path: reader.readText(),
        data: reader.readBuffer(),
        acl: readAclList(reader),
        storedOwner: reader.readLong(),
        parentCreates: reader.readInt(),
      };
    case OpCode.delete:
      return { type: 'delete', path: reader.readText() };
    case OpCode.setData:
      return {
        type: 'setData',
        path: reader.readText(),
        data: reader.readBuffer(),
        version: reader.readInt(),
      };
    case OpCode.setAcl:
      return {
        type: 'setAcl',
        path: reader.readText(),
        acl: readAclList(reader),
        aversion: reader.readInt(),
      };
    case OpCode.check:
      return { type: 'check', path: reader.readText() };
    case OpCode.error:
      return { type: 'error', error: reader.readInt() as ErrorCode };
    default:
      throw new MarshallingError(`a transaction with an outcome of kind ${tag}`);
  }
}

function readOp(reader: JuteReader): OpCode {
  const op = reader.readInt();
  if (!isOpCode(op)) throw new MarshallingError(`a transaction of the unknown operation ${op}`);
  return op;
}
