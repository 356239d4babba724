import { withFile, type Directory } from '../disk.js';
import type { HistoryFile } from '../file-name.js';
import { judgeEnd } from '../end-verdict.js';
import type { LogEnd } from '../log-end.js';
import type { LogPosition } from '../log-record.js';
import { readHeader, SEGMENT_HEADER_BYTES, type HeaderReading, type SegmentHeader } from '../log-segment.js';
import { SegmentScan } from '../segment-scan.js';
import { damageOf, type Damage } from './damage.js';

/** One file of the log. */
export interface LogSurvey {
  readonly file: HistoryFile;
  readonly bytes: number;
  /** The zxid that its first record follows; null if its header cannot be read. */
  readonly prevZxid: bigint | null;
  /** Records that verify, from the first on. */
  readonly records: number;
  /** Behind the last of them. */
  readonly end: LogPosition;
  readonly damage: Damage | null;
}

interface Owner {
  readonly id: Uint8Array;
  readonly salt: number;
  /** What is known of the log apart from its files; null if nothing is. */
  readonly end: LogEnd | null;
}

/** Verifies every record of every file, and that each file continues the one before. */
export async function surveyLogs(
  directory: Directory,
  files: readonly HistoryFile[],
  owner: Owner,
): Promise<LogSurvey[]> {
  const readings = [];
  for (const file of files) readings.push(await headerOf(directory, file, owner));
  const surveys: LogSurvey[] = [];
  for (const [index, file] of files.entries()) {
    const reading = readings[index]!;
    const isLast = index === files.length - 1;
    if (reading.type === 'header') {
      const next = readings[index + 1];
      const successor = next?.type === 'header' ? next.header : null;
      const scanned = await scan(directory, file, { header: reading.header, successor, isLast, owner });
      surveys.push({ ...scanned, damage: scanned.damage ?? linkFault(surveys.at(-1), reading.header) });
    } else {
      const isUnused = reading.isEmpty && isLast && owner.end === null;
      surveys.push({
        file,
        bytes: await sizeOf(directory, file),
        prevZxid: null,
        records: 0,
        end: { offset: 0, zxid: 0n, chain: 0 },
        damage: isUnused ? null : { offset: 0, reason: reading.reason },
      });
    }
  }
  return surveys;
}

/** A header whose block cannot be read is damaged like any other. */
async function headerOf(directory: Directory, file: HistoryFile, owner: Owner): Promise<HeaderReading> {
  try {
    return await readHeader(directory, file, owner.id);
  } catch (error) {
    const { reason } = damageOf(error, directory, file.name);
    return { type: 'damaged', isEmpty: false, reason };
  }
}

interface ScanParts {
  readonly header: SegmentHeader;
  /** Of the next file, if it can be read: it says where this one ends. */
  readonly successor: SegmentHeader | null;
  readonly isLast: boolean;
  readonly owner: Owner;
}

/** Blocks that cannot be read end the sound part of a file: the records before them count. */
async function scan(directory: Directory, file: HistoryFile, parts: ScanParts): Promise<LogSurvey> {
  try {
    return await scanRecords(directory, file, parts);
  } catch (error) {
    const damage = damageOf(error, directory, file.name);
    const readable = await countRecords(directory, file, parts, damage.offset ?? SEGMENT_HEADER_BYTES);
    return { ...readable, damage };
  }
}

async function countRecords(
  directory: Directory,
  file: HistoryFile,
  { header, owner }: ScanParts,
  limit: number,
): Promise<Omit<LogSurvey, 'damage'>> {
  return withFile(directory, file.name, 'read', async (opened) => {
    const from = { offset: SEGMENT_HEADER_BYTES, zxid: header.prevZxid, chain: header.chain };
    const segment = new SegmentScan(opened, { from, limit, salt: owner.salt });
    let records = 0;
    for (let found = await segment.next(); found !== null; found = await segment.next())
      records += found.length;
    return {
      file,
      bytes: await opened.size(),
      prevZxid: header.prevZxid,
      records,
      end: segment.position,
    };
  });
}

async function scanRecords(directory: Directory, file: HistoryFile, parts: ScanParts): Promise<LogSurvey> {
  const { header, successor, isLast, owner } = parts;
  return withFile(directory, file.name, 'read', async (opened) => {
    const bytes = await opened.size();
    const limit = successor?.prevEnd ?? bytes;
    const from = { offset: SEGMENT_HEADER_BYTES, zxid: header.prevZxid, chain: header.chain };
    const segment = new SegmentScan(opened, { from, limit, salt: owner.salt });
    let records = 0;
    for (let found = await segment.next(); found !== null; found = await segment.next())
      records += found.length;
    const { position: end, fault } = segment;
    const survey = { file, bytes, prevZxid: header.prevZxid, records, end };
    if (successor !== null) {
      const isContinued = fault === null && end.chain === successor.chain && end.zxid === successor.prevZxid;
      const reason = fault ?? 'records are missing that the next file follows';
      return { ...survey, damage: isContinued ? null : { offset: end.offset, reason } };
    }
    const rest = await segment.inspectRest();
    const proven = owner.end?.newest?.firstZxid === file.zxid ? owner.end.newest : null;
    const verdict = judgeEnd({ position: end, fault, fileBytes: bytes, proven, oldFormat: null, ...rest });
    if (verdict.type === 'damaged')
      return { ...survey, damage: { offset: end.offset, reason: verdict.reason } };
    return { ...survey, damage: isLast || fault === null ? null : { offset: end.offset, reason: fault } };
  });
}

function linkFault(previous: LogSurvey | undefined, { prevZxid }: SegmentHeader): Damage | null {
  if (previous === undefined || previous.prevZxid === null || previous.end.zxid === prevZxid) return null;
  // A damaged file before it explains the gap well enough.
  if (previous.damage !== null) return null;
  return { offset: 0, reason: `it does not continue ${previous.file.name}` };
}

function sizeOf(directory: Directory, { name }: HistoryFile): Promise<number> {
  return withFile(directory, name, 'read', (file) => file.size());
}
