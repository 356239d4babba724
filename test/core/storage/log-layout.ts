/** Where the records of a log file stand, read without any check. */
export function recordsOf(file: Uint8Array): { readonly start: number; readonly end: number }[] {
  const bytes = Buffer.from(file);
  const records = [];
  for (let start = 64; start + 32 <= bytes.length;) {
    const length = bytes.readUInt32LE(start + 8);
    if (length === 0xffffffff || bytes.subarray(start, start + 32).every((byte) => byte === 0)) break;
    const end = start + ((32 + length + 7) & -8);
    records.push({ start, end });
    start = end;
  }
  return records;
}

/** Where the records end. */
export function endOfRecords(file: Uint8Array): number {
  return recordsOf(file).at(-1)?.end ?? 64;
}
