import { ErrorCode, errorCodeOf } from '../error-code.js';
import type { JuteReader } from '../jute-reader.js';
import type { JuteWriter } from '../jute-writer.js';
import { MarshallingError } from '../marshalling-error.js';
import { OpCode } from '../op-code.js';
import type { ClientOp, MultiOp, MultiReadOp, MultiReply, MultiResult, Request } from '../requests.js';
import { create, create2, createContainer, createTtl } from './create.js';
import type { Codec, Operation } from './operation.js';
import { getChildren, getData } from './read.js';
import { check, deleteNode, setData } from './write.js';

type Members<Op extends ClientOp> = { readonly [Member in Op]: Operation<Member> };
type MemberRequest<Op extends ClientOp> = Extract<Request, { readonly op: Op }>;

const writeMembers: Members<MultiOp> = {
  [OpCode.create]: create,
  [OpCode.create2]: create2,
  [OpCode.createContainer]: createContainer,
  [OpCode.createTtl]: createTtl,
  [OpCode.delete]: deleteNode,
  [OpCode.setData]: setData,
  [OpCode.check]: check,
};

const readMembers: Members<MultiReadOp> = {
  [OpCode.getData]: getData,
  [OpCode.getChildren]: getChildren,
};

interface MultiHeader {
  readonly type: number;
  readonly done: boolean;
  readonly err: number;
}

function writeHeader(writer: JuteWriter, type: number, done: boolean, err: number): void {
  writer.writeInt(type);
  writer.writeBool(done);
  writer.writeInt(err);
}

function readHeader(reader: JuteReader): MultiHeader {
  return { type: reader.readInt(), done: reader.readBool(), err: reader.readInt() };
}

/** The same loop for both kinds of multi; an operation that is no member of this kind is malformed. */
function requestCodec<Op extends ClientOp>(
  members: Members<Op>,
): Codec<{ readonly ops: readonly MemberRequest<Op>[] }> {
  return {
    write(writer, { ops }) {
      for (const { op, body } of ops as readonly Request[]) {
        writeHeader(writer, op, false, -1);
        memberOf(members, op).request.write(writer, body);
      }
      writeHeader(writer, -1, true, -1);
    },
    read(reader) {
      const ops: MemberRequest<Op>[] = [];
      for (let header = readHeader(reader); !header.done; header = readHeader(reader)) {
        const body = memberOf(members, header.type).request.read(reader);
        ops.push({ op: header.type, body } as MemberRequest<Op>);
      }
      return { ops };
    },
  };
}

/** The results of both kinds. Creates that tell a Stat all answer as create2. */
function replyCodec(members: Members<MultiOp> | Members<MultiReadOp>): Codec<MultiReply> {
  return {
    write(writer, { results }) {
      for (const result of results) writeResult(writer, members, result);
      writeHeader(writer, -1, true, -1);
    },
    read(reader) {
      const results: MultiResult[] = [];
      for (let header = readHeader(reader); !header.done; header = readHeader(reader)) {
        results.push(readResult(reader, members, header.type));
      }
      return { results };
    },
  };
}

/** One result of a multiRead, for whoever writes a reply part by part; `endMultiRead` goes behind the last. */
export function writeReadResult(writer: JuteWriter, result: MultiResult): void {
  writeResult(writer, readMembers, result);
}

/** What goes in front of the list of a getChildren inside a multiRead. */
export function writeListHeader(writer: JuteWriter): void {
  writeHeader(writer, OpCode.getChildren, false, ErrorCode.ok);
}

export function endMultiRead(writer: JuteWriter): void {
  writeHeader(writer, -1, true, -1);
}

function writeResult(writer: JuteWriter, members: object, result: MultiResult): void {
  if (result.error !== undefined) {
    writeHeader(writer, OpCode.error, false, result.error);
    writer.writeInt(result.error);
    return;
  }
  const { op, body } = result.reply;
  writeHeader(writer, resultTypeOf(op), false, ErrorCode.ok);
  memberOf(members, op).reply.write(writer, body);
}

function readResult(reader: JuteReader, members: object, type: number): MultiResult {
  if (type === OpCode.error) return { error: errorCodeOf(reader.readInt()) };
  const body = memberOf(members, type).reply.read(reader);
  return { reply: { op: type, body } } as MultiResult;
}

function resultTypeOf(op: MultiOp | MultiReadOp): number {
  return op === OpCode.createContainer || op === OpCode.createTtl ? OpCode.create2 : op;
}

function memberOf(members: object, type: number): Operation<ClientOp> {
  const member = (members as Readonly<Record<number, Operation<ClientOp>>>)[type];
  if (member === undefined) {
    throw new MarshallingError(`operation ${type} cannot stand inside this kind of multi`);
  }
  return member;
}

export const multi: Operation<typeof OpCode.multi> = {
  request: requestCodec<MultiOp>(writeMembers),
  reply: replyCodec(writeMembers),
};

export const multiRead: Operation<typeof OpCode.multiRead> = {
  request: requestCodec<MultiReadOp>(readMembers),
  reply: replyCodec(readMembers),
};
