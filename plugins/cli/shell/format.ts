import { printableLine } from '../../../core/runtime/index.js';
import { type Acl, Permission, type Stat } from '../../../core/protocol/index.js';
import { ShellError } from './shell-error.js';

const decoder = new TextDecoder('utf-8');

/** In the order in which ZooKeeper's shell names them. */
const PERMISSION_LETTERS: Readonly<Record<string, number>> = {
  c: Permission.create,
  d: Permission.delete,
  r: Permission.read,
  w: Permission.write,
  a: Permission.admin,
};

export function formatData(data: Uint8Array | null): string {
  return data === null ? 'null' : decoder.decode(data);
}

export function formatList(items: readonly string[]): string {
  return `[${items.join(', ')}]`;
}

export function formatStat(stat: Stat): string {
  return [
    `cZxid = ${formatId(stat.czxid)}`,
    `ctime = ${formatTime(stat.ctime)}`,
    `mZxid = ${formatId(stat.mzxid)}`,
    `mtime = ${formatTime(stat.mtime)}`,
    `pZxid = ${formatId(stat.pzxid)}`,
    `cversion = ${stat.cversion}`,
    `dataVersion = ${stat.version}`,
    `aclVersion = ${stat.aversion}`,
    `ephemeralOwner = ${formatId(stat.ephemeralOwner)}`,
    `dataLength = ${stat.dataLength}`,
    `numChildren = ${stat.numChildren}`,
  ].join('\n');
}

export function formatAcl(acl: readonly Acl[]): string {
  return acl
    .map(({ perms, id }) => `'${printableLine(`${id.scheme},'${id.id}`)}\n: ${formatPermissions(perms)}`)
    .join('\n');
}

/** Reads `scheme:id:permissions`, several with commas between; the id may hold colons. Throws `ShellError`. */
export function parseAcl(text: string): readonly Acl[] {
  return text.split(',').map((entry) => {
    const first = entry.indexOf(':');
    const last = entry.lastIndexOf(':');
    if (first === last) throw new ShellError(`${entry} does not have the form scheme:id:perm`);
    const id = { scheme: entry.slice(0, first), id: entry.slice(first + 1, last) };
    return { perms: parsePermissions(entry.slice(last + 1)), id };
  });
}

/** Unsigned, as ids of sessions are. */
function formatId(id: bigint): string {
  return `0x${BigInt.asUintN(64, id).toString(16)}`;
}

/** `Thu Jan 01 00:00:00 UTC 1970`, in the zone of whoever reads it. */
function formatTime(timeMs: number): string {
  const date = new Date(timeMs);
  if (Number.isNaN(date.getTime())) return String(timeMs);
  const format = new Intl.DateTimeFormat('en-US', {
    weekday: 'short',
    month: 'short',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    hourCycle: 'h23',
    timeZoneName: 'short',
    year: 'numeric',
  });
  const parts = new Map(format.formatToParts(date).map(({ type, value }) => [type, value]));
  const get = (type: Intl.DateTimeFormatPartTypes): string => parts.get(type) ?? '';
  const time = `${get('hour')}:${get('minute')}:${get('second')}`;
  return `${get('weekday')} ${get('month')} ${get('day')} ${time} ${get('timeZoneName')} ${get('year')}`;
}

/** As letters, `cdrwa`. */
export function formatPermissions(perms: number): string {
  return Object.entries(PERMISSION_LETTERS)
    .filter(([, bit]) => (perms & bit) !== 0)
    .map(([letter]) => letter)
    .join('');
}

/** Throws `ShellError` on a letter that is none. */
export function parsePermissions(text: string): number {
  let perms = 0;
  for (const letter of text) {
    const bit = PERMISSION_LETTERS[letter];
    if (bit === undefined) throw new ShellError(`Unknown perm type: ${letter}`);
    perms |= bit;
  }
  return perms;
}
