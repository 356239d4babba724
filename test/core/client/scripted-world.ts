import {
  CreateMode,
  ErrorCode,
  OpCode,
  type MultiResult,
  type Reply,
  type Request,
  type Stat,
} from '../../../core/protocol/index.js';

/** What a scripted server answers: a body, a code, or null for no answer at all. */
export type Answer = { readonly reply: Reply } | { readonly err: ErrorCode } | null;

interface Znode {
  data: Uint8Array | null;
  czxid: bigint;
  mzxid: bigint;
  owner: bigint;
  creates: number;
}

/** What scripted servers share, as the members of an ensemble do: znodes, sessions, the last zxid. A tree of a few lines. */
export class ScriptedWorld {
  readonly znodes = new Map<string, Znode>([
    ['/', { data: null, czxid: 0n, mzxid: 0n, owner: 0n, creates: 0 }],
  ]);
  /** Timeouts by session. */
  readonly sessions = new Map<bigint, number>();
  zxid = 0x100000000n;
  nextSession = 0x1000n;
  /** What is granted whatever is asked for. */
  timeoutMs: number | null = null;

  stat(path: string): Stat {
    const znode = this.znodes.get(path)!;
    return {
      czxid: znode.czxid,
      mzxid: znode.mzxid,
      ctime: 1,
      mtime: 1,
      version: 0,
      cversion: 0,
      aversion: 0,
      ephemeralOwner: znode.owner,
      dataLength: znode.data?.length ?? 0,
      numChildren: this.children(path).length,
      pzxid: znode.czxid,
    };
  }

  children(path: string): string[] {
    const prefix = path === '/' ? '/' : `${path}/`;
    return [...this.znodes.keys()]
      .filter((key) => key !== '/' && key.startsWith(prefix) && !key.slice(prefix.length).includes('/'))
      .map((key) => key.slice(prefix.length));
  }

  put(path: string, data: Uint8Array | null = null, owner = 0n): void {
    this.zxid += 1n;
    this.znodes.set(path, { data, czxid: this.zxid, mzxid: this.zxid, owner, creates: 0 });
  }

  /** Ends a session, and its ephemerals with it. */
  end(session: bigint): void {
    this.sessions.delete(session);
    for (const [path, { owner }] of this.znodes) if (owner === session) this.znodes.delete(path);
  }

  /** Carries a request out and answers it, watches apart. */
  answer({ op, body }: Request, session: bigint): Answer {
    switch (op) {
      case OpCode.create2:
      case OpCode.createContainer:
      case OpCode.createTtl:
        return this.#create(op, body, session);
      case OpCode.exists:
        return this.#found(body.path, () => ({ op, body: { stat: this.stat(body.path) } }));
      case OpCode.getData:
        return this.#found(body.path, ({ data }) => ({ op, body: { data, stat: this.stat(body.path) } }));
      case OpCode.setData:
        return this.#found(body.path, (znode) => {
          this.zxid += 1n;
          znode.data = body.data;
          znode.mzxid = this.zxid;
          return { op, body: { stat: this.stat(body.path) } };
        });
      case OpCode.delete:
        return this.#found(body.path, () => {
          this.zxid += 1n;
          this.znodes.delete(body.path);
          return { op, body: {} };
        });
      case OpCode.getChildren:
        return this.#found(body.path, () => ({ op, body: { children: this.children(body.path) } }));
      case OpCode.getChildren2:
        return this.#found(body.path, () => ({
          op,
          body: { children: this.children(body.path), stat: this.stat(body.path) },
        }));
      case OpCode.getEphemerals: {
        const own = [...this.znodes].filter(([, { owner }]) => owner === session);
        return { reply: { op, body: { ephemerals: own.map(([path]) => path) } } };
      }
      case OpCode.multi:
        return {
          reply: { op, body: { results: body.ops.map((member) => this.#multiResult(member, session)) } },
        };
      case OpCode.sync:
        return { reply: { op, body: { path: body.path } } };
      case OpCode.closeSession:
        this.zxid += 1n;
        this.end(session);
        return { reply: { op, body: {} } };
      case OpCode.auth:
      case OpCode.ping:
      case OpCode.setWatches:
      case OpCode.setWatches2:
      case OpCode.addWatch:
      case OpCode.removeWatches:
        return { reply: { op, body: {} } };
      default:
        return { err: ErrorCode.unimplemented };
    }
  }

  #multiResult(member: Request, session: bigint): MultiResult {
    const answer = this.answer(member, session);
    if (answer === null || 'err' in answer) return { error: answer?.err ?? ErrorCode.ok };
    return { reply: answer.reply } as MultiResult;
  }

  #found(path: string, answer: (znode: Znode) => Reply): Answer {
    const znode = this.znodes.get(path);
    return znode === undefined ? { err: ErrorCode.noNode } : { reply: answer(znode) };
  }

  #create(
    op: typeof OpCode.create2 | typeof OpCode.createContainer | typeof OpCode.createTtl,
    body: { readonly path: string; readonly data: Uint8Array | null; readonly flags: number },
    session: bigint,
  ): Answer {
    const parent = this.znodes.get(body.path.slice(0, Math.max(1, body.path.lastIndexOf('/'))));
    if (parent === undefined) return { err: ErrorCode.noNode };
    const isNumbered =
      body.flags === CreateMode.persistentSequential || body.flags === CreateMode.ephemeralSequential;
    const path = isNumbered ? body.path + String(parent.creates).padStart(10, '0') : body.path;
    if (this.znodes.has(path)) return { err: ErrorCode.nodeExists };
    parent.creates += 1;
    const isEphemeral = body.flags === CreateMode.ephemeral || body.flags === CreateMode.ephemeralSequential;
    this.put(path, body.data, isEphemeral ? session : 0n);
    return { reply: { op, body: { path, stat: this.stat(path) } } };
  }
}
