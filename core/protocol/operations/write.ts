import { readAclList, writeAclList } from '../acl-list.js';
import type { OpCode } from '../op-code.js';
import type { Stat } from '../records.js';
import { readStat, writeStat } from '../stat.js';
import { type Codec, type Operation, emptyCodec } from './operation.js';
import { pathVersion } from './path.js';

export const statOnly: Codec<{ readonly stat: Stat }> = {
  write: (writer, reply) => writeStat(writer, reply.stat),
  read: (reader) => ({ stat: readStat(reader) }),
};

/** Called `delete` everywhere else; that word is taken here. */
export const deleteNode: Operation<typeof OpCode.delete> = { request: pathVersion, reply: emptyCodec };

export const check: Operation<typeof OpCode.check> = { request: pathVersion, reply: emptyCodec };

export const setData: Operation<typeof OpCode.setData> = {
  request: {
    write(writer, request) {
      writer.writeString(request.path);
      writer.writeBuffer(request.data);
      writer.writeInt(request.version);
    },
    read: (reader) => ({ path: reader.readText(), data: reader.readBuffer(), version: reader.readInt() }),
  },
  reply: statOnly,
};

export const setAcl: Operation<typeof OpCode.setAcl> = {
  request: {
    write(writer, request) {
      writer.writeString(request.path);
      writeAclList(writer, request.acl);
      writer.writeInt(request.version);
    },
    read: (reader) => ({ path: reader.readText(), acl: readAclList(reader), version: reader.readInt() }),
  },
  reply: statOnly,
};
