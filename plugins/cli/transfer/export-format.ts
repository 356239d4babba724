import type { Acl } from '../../../core/client/index.js';
import { JsonTextError, parseJson, QuorateError } from '../../../core/runtime/index.js';
import { formatPermissions, parsePermissions } from '../shell/format.js';

const FORMAT = 1;

/** A znode as it is moved. */
export interface MovedZnode {
  readonly path: string;
  readonly data: Uint8Array | null;
  readonly acl: readonly Acl[];
  /** Null: it has none; *container*: it goes with its last child; else milliseconds to live. */
  readonly lifetime: number | 'container' | null;
}

/** The first line. */
export interface ExportHead {
  /** The znode at the top. */
  readonly root: string;
  readonly ensemble: string | null;
  /** The state that was exported, in hexadecimal; null if the znodes were read one after the other. */
  readonly zxid: string | null;
}

export function headLine(head: ExportHead): string {
  return `${JSON.stringify({ quorateExport: FORMAT, ...head })}\n`;
}

/** Text stands as it is, other bytes in base64. */
export function znodeLine({ path, data, acl, lifetime }: MovedZnode): string {
  const text = data === null ? null : textOf(data);
  const content =
    data !== null && text === null ? { base64: Buffer.from(data).toString('base64') } : { data: text };
  const list = acl.map(({ perms, id }) => ({ perms: formatPermissions(perms), ...id }));
  const kind = lifetime === null ? {} : lifetime === 'container' ? { container: true } : { ttlMs: lifetime };
  return `${JSON.stringify({ path, ...content, ...kind, acl: list })}\n`;
}

export function endLine(znodes: number): string {
  return `${JSON.stringify({ end: true, znodes })}\n`;
}

/** Null if these bytes are no UTF-8. */
function textOf(data: Uint8Array): string | null {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(data);
  } catch {
    return null;
  }
}

/** Reads an export whole, parents before children. Throws `IMPORT_REFUSED` naming the line that is wrong. */
export function parseExport(
  text: string,
  file: string,
): { readonly root: string; readonly znodes: readonly MovedZnode[] } {
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  const refuse = (line: number, why: string): never => {
    throw new QuorateError(
      'IMPORT_REFUSED',
      `Cannot import ${file}: line ${line}: ${why}. Nothing was changed.`,
      {
        fields: { file, line },
      },
    );
  };
  const objects = lines.map((line, index) => objectIn(line) ?? refuse(index + 1, 'it is no JSON object'));
  const [head, ...rest] = objects;
  const end = rest.pop();
  if (head?.quorateExport !== FORMAT || typeof head.root !== 'string')
    return refuse(1, 'it is not the beginning of an export of a known version');
  if (end?.end !== true || end.znodes !== rest.length)
    return refuse(lines.length, `the export is not complete: ${rest.length} znodes are there`);
  const { root } = head;
  const known = new Set<string>();
  const znodes = rest.map((object, index) => {
    const znode = znodeOf(object);
    if (typeof znode === 'string') return refuse(index + 2, znode);
    const { path } = znode;
    if (index === 0 ? path !== root : !known.has(parentOf(path)))
      return refuse(index + 2, `${path} has no parent in it`);
    if (known.has(path)) return refuse(index + 2, `${path} is there twice`);
    if (isSystem(path)) return refuse(index + 2, `${path} belongs to the servers`);
    known.add(path);
    return znode;
  });
  return { root, znodes };
}

/** What the servers keep below `/zookeeper`. */
export function isSystem(path: string): boolean {
  return path === '/zookeeper' || path.startsWith('/zookeeper/');
}

export function parentOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/')) || '/';
}

function objectIn(line: string): Readonly<Record<string, unknown>> | null {
  try {
    const value = parseJson(line);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : null;
  } catch (error) {
    if (error instanceof JsonTextError) return null;
    throw error;
  }
}

/** What is wrong with it, if something is. */
function znodeOf(object: Readonly<Record<string, unknown>>): MovedZnode | string {
  const { path, data, base64, ttlMs, container } = object;
  if (typeof path !== 'string' || !/^\/(?:[^/]+(?:\/[^/]+)*)?$/.test(path)) return 'it has no path';
  const acl = aclOf(object.acl);
  if (acl === null) return `the ACL of ${path} is not a list of { perms, scheme, id }`;
  const lifetime = container === true ? 'container' : ttlMs === undefined ? null : ttlMs;
  if (
    typeof lifetime === 'number'
      ? !(Number.isSafeInteger(lifetime) && lifetime > 0)
      : lifetime !== null && lifetime !== 'container'
  )
    return `the time to live of ${path} is no number above zero`;
  if (base64 !== undefined) {
    if (typeof base64 !== 'string' || !/^[A-Za-z0-9+/]*={0,2}$/.test(base64))
      return `the data of ${path} are no base64`;
    return { path, data: Buffer.from(base64, 'base64'), acl, lifetime: lifetime as MovedZnode['lifetime'] };
  }
  if (data !== null && typeof data !== 'string') return `the data of ${path} are no text and not null`;
  const bytes = data === null ? null : new TextEncoder().encode(data);
  return { path, data: bytes, acl, lifetime: lifetime as MovedZnode['lifetime'] };
}

function aclOf(value: unknown): readonly Acl[] | null {
  if (!Array.isArray(value) || value.length === 0) return null;
  const list: Acl[] = [];
  for (const entry of value as readonly unknown[]) {
    const { perms, scheme, id } = (entry ?? {}) as Readonly<Record<string, unknown>>;
    const isWhole = typeof perms === 'string' && typeof scheme === 'string' && typeof id === 'string';
    if (!isWhole || !/^[cdrwa]*$/.test(perms)) return null;
    list.push({ perms: parsePermissions(perms), id: { scheme, id } });
  }
  return list;
}
