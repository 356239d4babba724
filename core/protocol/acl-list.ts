import type { JuteReader } from './jute-reader.js';
import { JuteWriter } from './jute-writer.js';
import { OPEN_ACL, type Acl } from './records.js';

/** Permission bits and two string lengths. */
const MIN_ACL_BYTES = 12;

export function writeAclList(writer: JuteWriter, list: readonly Acl[]): void {
  writer.writeCount(list.length);
  for (const { perms, id } of list) {
    writer.writeInt(perms);
    writer.writeString(id.scheme);
    writer.writeString(id.id);
  }
}

/** A null list reads as an empty one: both are invalid wherever a client sends them. */
export function readAclList(reader: JuteReader): readonly Acl[] {
  // What nearly every znode is created with is one object for all of them.
  if (reader.skips(OPEN_ACL_BYTES)) return OPEN_ACL;
  const count = reader.readCount(MIN_ACL_BYTES);
  const list: Acl[] = [];
  for (let index = 0; index < count; index++) {
    const perms = reader.readInt();
    list.push({ perms, id: { scheme: reader.readText(), id: reader.readText() } });
  }
  return list;
}

const OPEN_ACL_BYTES = encoded(OPEN_ACL);

function encoded(list: readonly Acl[]): Uint8Array {
  const writer = new JuteWriter();
  writeAclList(writer, list);
  return writer.take();
}
