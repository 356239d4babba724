import { crc32 } from 'node:zlib';
import { withFile, type Directory } from './disk.js';
import { temporaryName } from './file-name.js';
import { requireKnownVersion } from './format-version.js';
import { CorruptionError } from './storage-error.js';

const MAGIC = Buffer.from('QRTSEAL\n', 'latin1');
/** Magic, version, length of the body, crc of all of it but itself. */
const HEADER_BYTES = 20;
const VERSION = 1;
/** Far above anything that is kept in such a file. */
const LARGEST_BODY = 1024 * 1024;

/**
 * Replaces a small file by `body`, in one step that survives a crash: written under another name, synced, renamed, directory synced.
 */
export async function writeSealedFile(directory: Directory, name: string, body: Uint8Array): Promise<void> {
  const bytes = Buffer.alloc(HEADER_BYTES + body.length);
  bytes.set(MAGIC, 0);
  bytes.writeUInt32LE(VERSION, 8);
  bytes.writeUInt32LE(body.length, 12);
  bytes.set(body, HEADER_BYTES);
  bytes.writeUInt32LE(checkOf(bytes), 16);
  await withFile(directory, temporaryName(name), 'create', async (file) => {
    await file.write(0, bytes);
    await file.sync();
  });
  await directory.rename(temporaryName(name), name);
  await directory.syncDirectory();
}

/** Rejects with `CorruptionError` if the file is not what `writeSealedFile` wrote. */
export async function readSealedFile(directory: Directory, name: string): Promise<Buffer> {
  const bytes = await withFile(directory, name, 'read', async (file) => {
    const buffer = Buffer.alloc(Math.min(await file.size(), HEADER_BYTES + LARGEST_BODY));
    return buffer.subarray(0, await file.read(0, buffer));
  });
  const faultOf = (reason: string): CorruptionError =>
    new CorruptionError({ location: directory.location, file: name, offset: 0, reason });
  if (bytes.length === HEADER_BYTES + LARGEST_BODY) {
    throw faultOf(`it has ${bytes.length} bytes or more, which no version of Quorate writes there`);
  }
  const isSealed =
    bytes.length >= HEADER_BYTES &&
    bytes.subarray(0, MAGIC.length).equals(MAGIC) &&
    bytes.readUInt32LE(12) === bytes.length - HEADER_BYTES &&
    bytes.readUInt32LE(16) === checkOf(bytes);
  if (!isSealed) throw faultOf('its checksum does not match');
  requireKnownVersion(directory, name, { version: bytes.readUInt32LE(8), newestKnown: VERSION });
  return bytes.subarray(HEADER_BYTES);
}

function checkOf(bytes: Buffer): number {
  return crc32(bytes.subarray(HEADER_BYTES), crc32(bytes.subarray(0, 16)));
}
