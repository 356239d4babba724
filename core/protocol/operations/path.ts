import type { PathOnly, PathVersion, PathWatch } from '../requests.js';
import type { Codec } from './operation.js';

/** Requests that name a znode and little else. A null path arrives as `''`, which no operation accepts. */
export const pathOnly: Codec<PathOnly> = {
  write: (writer, request) => writer.writeString(request.path),
  read: (reader) => ({ path: reader.readText() }),
};

export const pathVersion: Codec<PathVersion> = {
  write(writer, request) {
    writer.writeString(request.path);
    writer.writeInt(request.version);
  },
  read: (reader) => ({ path: reader.readText(), version: reader.readInt() }),
};

export const pathWatch: Codec<PathWatch> = {
  write(writer, request) {
    writer.writeString(request.path);
    writer.writeBool(request.watch);
  },
  read: (reader) => ({ path: reader.readText(), watch: reader.readBool() }),
};
