import { AddWatchMode, ErrorCode, OpCode, type ClientOp } from '../../../../core/protocol/index.js';
import type { RawClient, RawReply } from '../raw-client.js';

/** One request of a burst, as a test chooses it. */
export type BurstMove =
  | { readonly move: 'set' | 'get' | 'list' | 'stat' | 'create' | 'delete'; readonly path: string }
  | { readonly move: 'auth'; readonly user: string }
  | { readonly move: 'rearm'; readonly paths: number }
  | { readonly move: 'sync' | 'whoAmI' | 'secret' | 'several' | 'watch' | 'root' | 'ping' };

interface Sent {
  readonly op: ClientOp;
  readonly body: unknown;
}

const OPEN = [{ perms: 31, id: { scheme: 'world', id: 'anyone' } }];
const PATHS = ['/a', '/b'];
/** Readable by the user `u1` alone. */
const SECRET = '/secret';
const PADDING = 'x'.repeat(300);

/** What `prepareBurst` leaves behind. */
export async function prepareBurst(
  client: RawClient,
  wait: <T>(promise: Promise<T>) => Promise<T>,
): Promise<void> {
  await wait(client.send(OpCode.auth, authOf('u1')));
  const acl = [{ perms: 31, id: { scheme: 'auth', id: '' } }];
  await wait(client.send(OpCode.create, { path: SECRET, data: null, acl, flags: 0, ttlMs: 0 }));
  for (const path of PATHS) await wait(client.create(path, 'start'));
}

/**
 * Sends all moves in one message, and returns in what the answers differ from those of somebody who does one request after the
 * other: content, error, and zxid, which is that of the last write so far. Nobody else may write meanwhile.
 */
export async function judgeBurst(
  client: RawClient,
  moves: readonly BurstMove[],
  { lastZxid, wait }: { lastZxid: bigint; wait: <T>(promise: Promise<T>) => Promise<T> },
): Promise<string[]> {
  const model = new BurstModel(lastZxid);
  const requests = moves.map((move, index) => requestOf(move, index));
  const expected = moves.map((move, index) => model.carryOut(move, index));
  const replies = await wait(Promise.all(client.sendAll(requests)));
  return replies.flatMap((reply, index) => {
    const move = moves[index]!;
    if (move.move === 'ping') return [];
    const received = textOf(move, reply);
    return received === expected[index] ? [] : [`${index} ${move.move}: ${received}, not ${expected[index]}`];
  });
}

function authOf(user: string): { type: number; scheme: string; auth: Uint8Array } {
  return { type: 0, scheme: 'digest', auth: Buffer.from(`${user}:pw`) };
}

function requestOf(move: BurstMove, index: number): Sent {
  const watch = index % 3 === 0;
  switch (move.move) {
    case 'set':
      return {
        op: OpCode.setData,
        body: { path: move.path, data: Buffer.from(`${index}${PADDING}`), version: -1 },
      };
    case 'get':
      return { op: OpCode.getData, body: { path: move.path, watch } };
    case 'list':
      return { op: OpCode.getChildren, body: { path: move.path, watch } };
    case 'stat':
      return { op: OpCode.exists, body: { path: move.path, watch } };
    case 'create':
      return { op: OpCode.create, body: { path: move.path, data: null, acl: OPEN, flags: 0, ttlMs: 0 } };
    case 'delete':
      return { op: OpCode.delete, body: { path: move.path, version: -1 } };
    case 'auth':
      return { op: OpCode.auth, body: authOf(move.user) };
    case 'rearm': {
      const existWatches = Array.from({ length: move.paths }, (_, at) => `/none/${at}`);
      return {
        op: OpCode.setWatches,
        body: { relativeZxid: 0n, dataWatches: [], existWatches, childWatches: [] },
      };
    }
    case 'sync':
      return { op: OpCode.sync, body: { path: '/' } };
    case 'whoAmI':
      return { op: OpCode.whoAmI, body: {} };
    case 'secret':
      return { op: OpCode.getData, body: { path: SECRET, watch: false } };
    case 'several':
      return { op: OpCode.multiRead, body: { ops: PATHS.map(readOf) } };
    case 'root':
      return { op: OpCode.getChildren, body: { path: '/', watch } };
    case 'watch':
      return { op: OpCode.addWatch, body: { path: '/a', mode: AddWatchMode.persistent } };
    default:
      return { op: OpCode.ping, body: {} };
  }
}

function readOf(path: string): Sent {
  return { op: OpCode.getData, body: { path, watch: false } };
}

/** One client alone, one request after the other. */
class BurstModel {
  readonly #data = new Map<string, string>(PATHS.map((path) => [path, 'start']));
  readonly #users: string[] = [];
  #zxid: bigint;

  constructor(zxid: bigint) {
    this.#zxid = zxid;
  }

  carryOut(move: BurstMove, index: number): string {
    switch (move.move) {
      case 'set':
        return this.#write(move.path, (path) => this.#data.set(path, `${index}`));
      case 'create':
        this.#zxid += 1n;
        if (this.#data.has(move.path)) return this.#answer(ErrorCode.nodeExists);
        this.#data.set(move.path, '');
        return this.#answer(ErrorCode.ok);
      case 'delete':
        return this.#write(move.path, (path) => this.#data.delete(path));
      case 'get':
        return this.#read(move.path);
      case 'list':
      case 'stat':
        return this.#answer(this.#data.has(move.path) ? ErrorCode.ok : ErrorCode.noNode);
      case 'auth':
        if (!this.#users.includes(move.user)) this.#users.push(move.user);
        return '0 0';
      case 'whoAmI':
        return `${this.#answer(ErrorCode.ok)} ${this.#users.join()}`.trim();
      case 'secret':
        return this.#answer(this.#users.includes('u1') ? ErrorCode.ok : ErrorCode.noAuth);
      case 'several':
        return `${this.#answer(ErrorCode.ok)} ${PATHS.map((path) => this.#data.get(path) ?? 'none').join()}`;
      case 'root':
        return `${this.#answer(ErrorCode.ok)} ${this.#children.join()}`;
      default:
        return this.#answer(ErrorCode.ok);
    }
  }

  get #children(): string[] {
    return [...this.#data.keys(), SECRET, '/zookeeper'].map((path) => path.slice(1)).sort();
  }

  #write(path: string, change: (path: string) => void): string {
    this.#zxid += 1n;
    if (!this.#data.has(path)) return this.#answer(ErrorCode.noNode);
    change(path);
    return this.#answer(ErrorCode.ok);
  }

  #read(path: string): string {
    const data = this.#data.get(path);
    return data === undefined
      ? this.#answer(ErrorCode.noNode)
      : `${this.#answer(ErrorCode.ok)} ${data}`.trim();
  }

  #answer(error: ErrorCode): string {
    return `${error} ${this.#zxid}`;
  }
}

function textOf({ move }: BurstMove, { err, zxid, body }: RawReply<ClientOp>): string {
  return `${err} ${zxid} ${body === null ? '' : contentOf(move, body)}`.trim();
}

function contentOf(move: BurstMove['move'], body: unknown): string {
  switch (move) {
    case 'get':
      return valueOf((body as { data: Uint8Array | null }).data);
    case 'whoAmI': {
      const { clientInfo } = body as { clientInfo: { scheme: string; user: string }[] };
      return clientInfo
        .filter(({ scheme }) => scheme === 'digest')
        .map(({ user }) => user)
        .join();
    }
    case 'root':
      return [...(body as { children: string[] }).children].sort().join();
    case 'several': {
      const { results } = body as { results: { reply?: { body: { data: Uint8Array | null } } }[] };
      return results.map(({ reply }) => (reply === undefined ? 'none' : valueOf(reply.body.data))).join();
    }
    default:
      return '';
  }
}

function valueOf(data: Uint8Array | null): string {
  return Buffer.from(data ?? [])
    .toString()
    .replace(PADDING, '');
}
