import * as assert from 'node:assert/strict';
import { StateMachine, type Outcome } from '../../core/data/index.js';
import { ErrorCode, OpCode, Permission, type Acl, type Stat } from '../../core/protocol/index.js';
import { RawClient } from '../core/server/raw-client.js';
import { type Arena, SUPER_AUTH } from './arena.js';
import type { Draw } from './draw.js';

const EVERYBODY = { scheme: 'world', id: 'anyone' };
const READ_ONLY: readonly Acl[] = [{ perms: Permission.read, id: EVERYBODY }];
const OPEN: readonly Acl[] = [{ perms: 31, id: EVERYBODY }];
const KEYS = 12;
const TIMEOUT_MS = 2_000;
const PING_MS = 200;

/**
 * A client that works while others attack. It owns all znodes except those below `/open`, which everybody may write, and applies each
 * of its own operations to a model: a state machine of its own, fed with what the replies say, and with nothing of the members' log.
 */
export class GoodClient implements AsyncDisposable {
  readonly #arena: Arena;
  readonly #client: RawClient;
  readonly #model = new StateMachine();
  readonly #draw: Draw;
  operations = 0;
  #stopped = false;
  #working: Promise<void> | null = null;
  readonly #pings: NodeJS.Timeout;

  private constructor(arena: Arena, client: RawClient, draw: Draw) {
    this.#arena = arena;
    this.#client = client;
    this.#draw = draw;
    this.#pings = setInterval(() => void client.send(OpCode.ping, {}).catch(() => undefined), PING_MS);
  }

  static async open(arena: Arena, draw: Draw): Promise<GoodClient> {
    const client = new RawClient(await arena.dialClient());
    await client.connect({ timeoutMs: TIMEOUT_MS });
    const good = new GoodClient(arena, client, draw);
    await client.send(OpCode.auth, { type: 0, scheme: 'digest', auth: SUPER_AUTH });
    good.#begin();
    for (const path of ['/', '/zookeeper', '/zookeeper/quota']) await good.#protect(path);
    await good.#create('/good', READ_ONLY);
    await good.reopen();
    return good;
  }

  /** Works until `stop`. */
  work(): void {
    this.#stopped = false;
    this.#working = this.#work();
    // `stop` throws it.
    this.#working.catch(() => undefined);
  }

  /** Rejects with what was wrong with the answers. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#working;
  }

  /** Creates `/open`, for everybody. */
  async reopen(): Promise<void> {
    await this.#create('/open', OPEN);
  }

  /** Removes `/open` with whatever others have made there. */
  async clear(): Promise<void> {
    for (;;) {
      await this.#deleteBelow('/open');
      const { err, zxid } = await this.#client.delete('/open');
      // Somebody's session, or a late request, may still have created something.
      if (err === ErrorCode.notEmpty) continue;
      assert.equal(err, ErrorCode.ok);
      return this.#apply(zxid, 0, { type: 'delete', path: '/open' });
    }
  }

  /** The digest of the state if nobody but this client had written. */
  get expectedDigest(): bigint {
    return this.#model.digest;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#pings);
    this.#client.connection.close();
  }

  #begin(): void {
    const { state } = this.#arena.machine;
    this.#model.state.identify(state.identity!);
    const { sessionId, timeoutMs } = this.#client.response!;
    this.#model.state.sessions.add(sessionId, timeoutMs);
  }

  async #work(): Promise<void> {
    while (!this.#stopped) {
      await this.#step(`/good/k${this.#draw.int(1, KEYS)}`);
      this.operations += 1;
      // Attackers and members share this thread with it.
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  }

  async #step(path: string): Promise<void> {
    const node = this.#model.watchedNode(path);
    const client = this.#client;
    if (this.#draw.chance(0.3)) return this.#read(path);
    if (node === undefined) return this.#create(path, READ_ONLY);
    if (this.#draw.chance(0.2)) {
      await client.exists(path, true);
      const { err, zxid } = await client.delete(path);
      assert.equal(err, ErrorCode.ok);
      this.#event(`event 2 ${path}`);
      return this.#apply(zxid, 0, { type: 'delete', path });
    }
    const data = this.#draw.bytes(this.#draw.int(0, 60));
    const isWatched = this.#draw.chance(0.3);
    if (isWatched) await client.getData(path, true);
    const { err, zxid, body } = await client.send(OpCode.setData, { path, data, version: -1 });
    assert.equal(err, ErrorCode.ok);
    if (isWatched) this.#event(`event 3 ${path}`);
    const { version, mtime } = body!.stat;
    this.#apply(zxid, mtime, { type: 'setData', path, data, version });
    this.#compare(path, body!.stat);
  }

  async #read(path: string): Promise<void> {
    const reply = await this.#client.getData(path);
    const node = this.#dataOf(path);
    assert.equal(reply.err, node === null ? ErrorCode.noNode : ErrorCode.ok, path);
    if (node === null) return;
    assert.deepEqual(Buffer.from(reply.body!.data ?? []), Buffer.from(node ?? []), path);
    this.#compare(path, reply.body!.stat);
    const { body } = await this.#client.send(OpCode.getChildren, { path: '/good', watch: false });
    assert.equal(body!.children.length, this.#statOf('/good').numChildren);
  }

  /** The event of a change comes before the reply that shows it. */
  #event(expected: string): void {
    const { arrivals } = this.#client;
    const events = arrivals.filter((arrival) => arrival.startsWith('event '));
    assert.ok(events.includes(expected), `${expected} is missing: ${events.join(', ')}`);
    arrivals.length = 0;
  }

  async #create(path: string, acl: readonly Acl[]): Promise<void> {
    const { err, zxid, body } = await this.#client.send(OpCode.create2, {
      path,
      data: null,
      acl,
      flags: 0,
      ttlMs: 0,
    });
    assert.equal(err, ErrorCode.ok, path);
    const parent = this.#model.watchedNode(path.slice(0, path.lastIndexOf('/')) || '/')!;
    const parentCreates = (parent as unknown as { readonly creates: number }).creates + 1;
    this.#apply(zxid, body!.stat.ctime, {
      type: 'create',
      path,
      data: null,
      acl,
      storedOwner: 0n,
      parentCreates,
    });
    this.#compare(path, body!.stat);
  }

  async #protect(path: string): Promise<void> {
    const { err, zxid, body } = await this.#client.send(OpCode.setAcl, { path, acl: READ_ONLY, version: -1 });
    assert.equal(err, ErrorCode.ok, path);
    this.#apply(zxid, 0, { type: 'setAcl', path, acl: READ_ONLY, aversion: body!.stat.aversion });
  }

  async #deleteBelow(path: string): Promise<void> {
    const { err, body } = await this.#client.send(OpCode.getChildren, { path, watch: false });
    if (err === ErrorCode.noNode) return;
    for (const name of body!.children) {
      await this.#deleteBelow(`${path}/${name}`);
      await this.#client.delete(`${path}/${name}`);
    }
  }

  #apply(zxid: bigint, time: number, outcome: Outcome): void {
    const { sessionId } = this.#client.response!;
    this.#model.apply(zxid, { sessionId, cxid: 0, time, op: OpCode.setData, outcome });
  }

  #compare(path: string, stat: Stat): void {
    assert.deepEqual({ ...stat }, { ...this.#statOf(path) }, path);
  }

  #statOf(path: string): Stat {
    return this.#model.state.tree.find(path)!.stat();
  }

  /** The data in the model; null if there is no such znode. */
  #dataOf(path: string): Uint8Array | null {
    const found = this.#model.read(
      { op: OpCode.getData, body: { path, watch: false } },
      { identities: [{ scheme: 'super', id: '' }], sessionId: 0n },
    );
    return found.error === ErrorCode.ok && found.reply?.op === OpCode.getData
      ? (found.reply.body.data ?? new Uint8Array(0))
      : null;
  }
}
