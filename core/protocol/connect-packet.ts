import type { JuteReader } from './jute-reader.js';
import type { JuteWriter } from './jute-writer.js';
import type { ConnectRequest, ConnectResponse } from './records.js';

/** C clients read the answer into a buffer of fixed size, so a password of any other length would derail them for good. */
const PASSWORD_BYTES = 16;
const NO_BYTES = new Uint8Array(0);

/** One whole packet: 45 bytes behind the length, 44 if `readOnly` is null. */
export function writeConnectRequest(writer: JuteWriter, request: ConnectRequest): void {
  const packet = writer.startPacket();
  writer.writeInt(request.protocolVersion);
  writer.writeLong(request.lastZxidSeen);
  writer.writeInt(request.timeoutMs);
  writer.writeLong(request.sessionId);
  writer.writeBuffer(request.password);
  if (request.readOnly !== null) writer.writeBool(request.readOnly);
  writer.endPacket(packet);
}

/** Clients up to 3.3, and some others to this day, leave out `readOnly`. */
export function readConnectRequest(reader: JuteReader): ConnectRequest {
  return {
    protocolVersion: reader.readInt(),
    lastZxidSeen: reader.readLong(),
    timeoutMs: reader.readInt(),
    sessionId: reader.readLong(),
    password: reader.readBuffer() ?? NO_BYTES,
    readOnly: readTrailingBool(reader),
  };
}

/** One whole packet. `readOnly` has to be null exactly if it was null in the request (ZOOKEEPER-4814). */
export function writeConnectResponse(writer: JuteWriter, response: ConnectResponse): void {
  if (response.password.length !== PASSWORD_BYTES) {
    throw new RangeError(
      `session password of ${response.password.length} bytes instead of ${PASSWORD_BYTES}`,
    );
  }
  const packet = writer.startPacket();
  writer.writeInt(response.protocolVersion);
  writer.writeInt(response.timeoutMs);
  writer.writeLong(response.sessionId);
  writer.writeBuffer(response.password);
  if (response.readOnly !== null) {
    writer.writeBool(response.readOnly);
    writeOwn(writer, response);
  }
  writer.endPacket(packet);
}

export function readConnectResponse(reader: JuteReader): ConnectResponse {
  const response = {
    protocolVersion: reader.readInt(),
    timeoutMs: reader.readInt(),
    sessionId: reader.readLong(),
    password: reader.readBuffer() ?? NO_BYTES,
    readOnly: readTrailingBool(reader),
  };
  if (reader.remaining === 0) return response;
  const ensembleId = reader.readText();
  const features = reader.remaining === 0 ? 0 : reader.readInt();
  return { ...response, ensembleId: ensembleId === '' ? null : ensembleId, features };
}

/** What goes beyond ZooKeeper. */
function writeOwn(writer: JuteWriter, { ensembleId, features }: ConnectResponse): void {
  if (features === undefined && typeof ensembleId !== 'string') return;
  writer.writeString(ensembleId ?? '');
  if (features !== undefined) writer.writeInt(features);
}

function readTrailingBool(reader: JuteReader): boolean | null {
  return reader.remaining === 0 ? null : reader.readBool();
}
