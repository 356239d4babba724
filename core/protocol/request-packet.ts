import type { JuteReader } from './jute-reader.js';
import type { JuteWriter } from './jute-writer.js';
import { MarshallingError } from './marshalling-error.js';
import { isClientOp, operationOf } from './operations/registry.js';
import type { ClientOp, Request, RequestBodies } from './requests.js';

export interface RequestHeader {
  readonly xid: number;
  /** As received: `isClientOp` says whether it may be asked for. */
  readonly op: number;
}

/** One whole packet, its length in front. */
export function writeRequest<Op extends ClientOp>(
  writer: JuteWriter,
  xid: number,
  op: Op,
  body: RequestBodies[Op],
): void {
  const packet = writer.startPacket();
  writer.writeInt(xid);
  writer.writeInt(op);
  operationOf(op).request.write(writer, body);
  writer.endPacket(packet);
}

export function readRequestHeader(reader: JuteReader): RequestHeader {
  return { xid: reader.readInt(), op: reader.readInt() };
}

/** What follows the header. Throws `MarshallingError`. */
export function readRequestBody<Op extends ClientOp>(op: Op, reader: JuteReader): RequestBodies[Op] {
  return operationOf(op).request.read(reader);
}

/**
 * Header and body, or the body behind a header already read. Throws `MarshallingError`, also for an operation that
 * clients cannot ask for; who has to tell the two apart looks at the header first.
 */
export function readRequest(
  reader: JuteReader,
  header: RequestHeader = readRequestHeader(reader),
): Request & { readonly xid: number } {
  const { xid, op } = header;
  if (!isClientOp(op)) throw new MarshallingError(`operation ${op} is not one that a client can ask for`);
  return { xid, op, body: readRequestBody(op, reader) } as Request & { readonly xid: number };
}
