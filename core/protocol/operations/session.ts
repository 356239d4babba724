import type { OpCode } from '../op-code.js';
import type { ClientInfo } from '../records.js';
import type { SaslToken } from '../requests.js';
import { type Codec, type Operation, emptyCodec } from './operation.js';
import { pathOnly } from './path.js';
import { dataStat } from './read.js';

/** Two string lengths. */
const MIN_CLIENT_INFO_BYTES = 8;

export const ping: Operation<typeof OpCode.ping> = { request: emptyCodec, reply: emptyCodec };

export const closeSession: Operation<typeof OpCode.closeSession> = { request: emptyCodec, reply: emptyCodec };

export const sync: Operation<typeof OpCode.sync> = { request: pathOnly, reply: pathOnly };

export const auth: Operation<typeof OpCode.auth> = {
  request: {
    write(writer, request) {
      writer.writeInt(request.type);
      writer.writeString(request.scheme);
      writer.writeBuffer(request.auth);
    },
    read: (reader) => ({
      type: reader.readInt(),
      scheme: reader.readText(),
      auth: reader.readBuffer(),
    }),
  },
  reply: emptyCodec,
};

const saslToken: Codec<SaslToken> = {
  write: (writer, { token }) => writer.writeBuffer(token),
  read: (reader) => ({ token: reader.readBuffer() }),
};

export const sasl: Operation<typeof OpCode.sasl> = { request: saslToken, reply: saslToken };

export const whoAmI: Operation<typeof OpCode.whoAmI> = {
  request: emptyCodec,
  reply: {
    write(writer, reply) {
      writer.writeCount(reply.clientInfo.length);
      for (const { scheme, user } of reply.clientInfo) {
        writer.writeString(scheme);
        writer.writeString(user);
      }
    },
    read(reader) {
      const count = reader.readCount(MIN_CLIENT_INFO_BYTES);
      const clientInfo: ClientInfo[] = [];
      for (let index = 0; index < count; index++) {
        clientInfo.push({ scheme: reader.readText(), user: reader.readText() });
      }
      return { clientInfo };
    },
  },
};

export const reconfig: Operation<typeof OpCode.reconfig> = {
  request: {
    write(writer, request) {
      writer.writeString(request.joiningServers);
      writer.writeString(request.leavingServers);
      writer.writeString(request.newMembers);
      writer.writeLong(request.curConfigId);
    },
    read: (reader) => ({
      joiningServers: reader.readText(),
      leavingServers: reader.readText(),
      newMembers: reader.readText(),
      curConfigId: reader.readLong(),
    }),
  },
  reply: dataStat,
};
