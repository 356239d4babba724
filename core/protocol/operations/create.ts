import { readAclList, writeAclList } from '../acl-list.js';
import type { OpCode } from '../op-code.js';
import type { CreateRequest, PathStat } from '../requests.js';
import { readStat, writeStat } from '../stat.js';
import type { Codec, Operation } from './operation.js';

const createRequest: Codec<CreateRequest> = {
  write(writer, request) {
    writer.writeString(request.path);
    writer.writeBuffer(request.data);
    writeAclList(writer, request.acl);
    writer.writeInt(request.flags);
  },
  read: (reader) => ({
    path: reader.readText(),
    data: reader.readBuffer(),
    acl: readAclList(reader),
    flags: reader.readInt(),
    ttlMs: 0,
  }),
};

const createTtlRequest: Codec<CreateRequest> = {
  write(writer, request) {
    createRequest.write(writer, request);
    writer.writeNumberAsLong(request.ttlMs);
  },
  read: (reader) => ({ ...createRequest.read(reader), ttlMs: reader.readLongAsNumber() }),
};

const pathStat: Codec<PathStat> = {
  write(writer, reply) {
    writer.writeString(reply.path);
    writeStat(writer, reply.stat);
  },
  read: (reader) => ({ path: reader.readText(), stat: readStat(reader) }),
};

export const create: Operation<typeof OpCode.create> = {
  request: createRequest,
  reply: {
    write: (writer, reply) => writer.writeString(reply.path),
    read: (reader) => ({ path: reader.readText() }),
  },
};

export const create2: Operation<typeof OpCode.create2> = { request: createRequest, reply: pathStat };

export const createContainer: Operation<typeof OpCode.createContainer> = {
  request: createRequest,
  reply: pathStat,
};

export const createTtl: Operation<typeof OpCode.createTtl> = { request: createTtlRequest, reply: pathStat };
