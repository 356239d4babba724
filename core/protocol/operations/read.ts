import { readAclList, writeAclList } from '../acl-list.js';
import type { OpCode } from '../op-code.js';
import type { DataStat, ReplyBodyToWrite } from '../requests.js';
import { readStat, writeStat } from '../stat.js';
import { readStringList, writeStringList } from '../string-list.js';
import type { Codec, Operation } from './operation.js';
import { pathOnly, pathWatch } from './path.js';
import { statOnly } from './write.js';

export const dataStat: Codec<DataStat, ReplyBodyToWrite<typeof OpCode.getData>> = {
  write(writer, reply) {
    writer.writeBuffer(reply.data);
    writeStat(writer, reply.stat);
  },
  read: (reader) => ({ data: reader.readBuffer(), stat: readStat(reader) }),
};

export const exists: Operation<typeof OpCode.exists> = { request: pathWatch, reply: statOnly };

export const getData: Operation<typeof OpCode.getData> = { request: pathWatch, reply: dataStat };

export const getAcl: Operation<typeof OpCode.getAcl> = {
  request: pathOnly,
  reply: {
    write(writer, reply) {
      writeAclList(writer, reply.acl);
      writeStat(writer, reply.stat);
    },
    read: (reader) => ({ acl: readAclList(reader), stat: readStat(reader) }),
  },
};

export const getChildren: Operation<typeof OpCode.getChildren> = {
  request: pathWatch,
  reply: {
    write: (writer, reply) => writeStringList(writer, reply.children),
    read: (reader) => ({ children: readStringList(reader) }),
  },
};

export const getChildren2: Operation<typeof OpCode.getChildren2> = {
  request: pathWatch,
  reply: {
    write(writer, reply) {
      writeStringList(writer, reply.children);
      writeStat(writer, reply.stat);
    },
    read: (reader) => ({ children: readStringList(reader), stat: readStat(reader) }),
  },
};

export const getChildrenPage: Operation<typeof OpCode.getChildrenPage> = {
  request: {
    write(writer, request) {
      writer.writeString(request.path);
      writer.writeBool(request.watch);
      writer.writeLong(request.after);
      writer.writeString(request.lastName);
      writer.writeInt(request.most);
    },
    read: (reader) => ({
      path: reader.readText(),
      watch: reader.readBool(),
      after: reader.readLong(),
      lastName: reader.readText(),
      most: reader.readInt(),
    }),
  },
  reply: {
    write(writer, reply) {
      writeStringList(writer, reply.children);
      writeStat(writer, reply.stat);
      writer.writeLong(reply.last);
      writer.writeBool(reply.hasMore);
    },
    read: (reader) => ({
      children: readStringList(reader),
      stat: readStat(reader),
      last: reader.readLong(),
      hasMore: reader.readBool(),
    }),
  },
};

export const getEphemerals: Operation<typeof OpCode.getEphemerals> = {
  request: {
    write: (writer, request) => writer.writeString(request.prefixPath),
    read: (reader) => ({ prefixPath: reader.readText() }),
  },
  reply: {
    write: (writer, reply) => writeStringList(writer, reply.ephemerals),
    read: (reader) => ({ ephemerals: readStringList(reader) }),
  },
};

export const getAllChildrenNumber: Operation<typeof OpCode.getAllChildrenNumber> = {
  request: pathOnly,
  reply: {
    write: (writer, reply) => writer.writeInt(reply.totalNumber),
    read: (reader) => ({ totalNumber: reader.readInt() }),
  },
};
