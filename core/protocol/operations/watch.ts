import type { JuteReader } from '../jute-reader.js';
import { MarshallingError } from '../marshalling-error.js';
import type { OpCode } from '../op-code.js';
import { AddWatchMode, WatcherType } from '../records.js';
import type { SetWatchesRequest, WatcherRequest } from '../requests.js';
import { readStringList, writeStringList } from '../string-list.js';
import { type Codec, type Operation, emptyCodec } from './operation.js';

const watcherRequest: Codec<WatcherRequest> = {
  write(writer, request) {
    writer.writeString(request.path);
    writer.writeInt(request.type);
  },
  read: (reader) => ({
    path: reader.readText(),
    type: readOneOf(reader, Object.values(WatcherType), 'a watcher type'),
  }),
};

/** ZooKeeper refuses numbers that it has no name for as malformed. */
function readOneOf(reader: JuteReader, known: readonly number[], what: string): number {
  const value = reader.readInt();
  if (!known.includes(value)) throw new MarshallingError(`${value} is not ${what}`);
  return value;
}

const setWatchesRequest: Codec<SetWatchesRequest> = {
  write(writer, request) {
    writer.writeLong(request.relativeZxid);
    writeStringList(writer, request.dataWatches);
    writeStringList(writer, request.existWatches);
    writeStringList(writer, request.childWatches);
  },
  read: (reader) => ({
    relativeZxid: reader.readLong(),
    dataWatches: readStringList(reader),
    existWatches: readStringList(reader),
    childWatches: readStringList(reader),
  }),
};

export const checkWatches: Operation<typeof OpCode.checkWatches> = {
  request: watcherRequest,
  reply: emptyCodec,
};

export const removeWatches: Operation<typeof OpCode.removeWatches> = {
  request: watcherRequest,
  reply: emptyCodec,
};

export const setWatches: Operation<typeof OpCode.setWatches> = {
  request: setWatchesRequest,
  reply: emptyCodec,
};

export const setWatches2: Operation<typeof OpCode.setWatches2> = {
  request: {
    write(writer, request) {
      setWatchesRequest.write(writer, request);
      writeStringList(writer, request.persistentWatches);
      writeStringList(writer, request.persistentRecursiveWatches);
    },
    read: (reader) => ({
      ...setWatchesRequest.read(reader),
      persistentWatches: readStringList(reader),
      persistentRecursiveWatches: readStringList(reader),
    }),
  },
  reply: emptyCodec,
};

export const addWatch: Operation<typeof OpCode.addWatch> = {
  request: {
    write(writer, request) {
      writer.writeString(request.path);
      writer.writeInt(request.mode);
    },
    read: (reader) => ({
      path: reader.readText(),
      mode: readOneOf(reader, Object.values(AddWatchMode), 'a mode of addWatch'),
    }),
  },
  // Alone among the operations without a result it answers with a record, an error code that is always
  // ok, and Java's client fails if that is missing.
  reply: {
    write: (writer) => writer.writeInt(0),
    read: (reader) => emptyCodec.read(reader),
  },
};
