import type { JuteReader } from '../jute-reader.js';
import type { JuteWriter } from '../jute-writer.js';
import type { ClientOp, Empty, ReplyBodies, ReplyBodyToWrite, RequestBodies } from '../requests.js';

/** How a record becomes bytes and comes back. `read` throws `MarshallingError`. */
export interface Codec<T, Written = T> {
  write(writer: JuteWriter, value: Written): void;
  read(reader: JuteReader): T;
}

/** The two records of an operation. */
export interface Operation<Op extends ClientOp> {
  readonly request: Codec<RequestBodies[Op]>;
  readonly reply: Codec<ReplyBodies[Op], ReplyBodyToWrite<Op>>;
}

const EMPTY: Empty = Object.freeze({});

/** No bytes at all. */
export const emptyCodec: Codec<Empty> = {
  write: () => undefined,
  read: () => EMPTY,
};
