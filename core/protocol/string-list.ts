import type { JuteReader } from './jute-reader.js';
import type { JuteWriter } from './jute-writer.js';

const MIN_STRING_BYTES = 4;

export function writeStringList(writer: JuteWriter, list: readonly string[]): void {
  writer.writeCount(list.length);
  for (const text of list) writer.writeString(text);
}

export function readStringList(reader: JuteReader): string[] {
  const count = reader.readCount(MIN_STRING_BYTES);
  const list: string[] = [];
  for (let index = 0; index < count; index++) list.push(reader.readText());
  return list;
}
