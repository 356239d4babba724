import { type Acl, JuteReader, MarshallingError, readAclList } from '../protocol/index.js';
import { MachineState } from './machine-state.js';
import { parentOf } from './path.js';
import { RecordKind, SNAPSHOT_MAGIC, SNAPSHOT_VERSION } from './snapshot-format.js';
import { StateMachine } from './state-machine.js';
import { storeRange } from './stored-data.js';
import { ephemeralOwnerOf, PERSISTENT_OWNER, ttlMsOf } from './stored-owner.js';
import { Znode } from './znode.js';

interface Closing {
  readonly nodeCount: number;
  readonly sessionCount: number;
  readonly digest: bigint;
}

/**
 * Rebuilds a machine from a snapshot's bytes, fed in pieces of any size. `push` and `finish` throw
 * `MarshallingError` on bytes that are no snapshot, or not all of one; the reader is of no use afterwards.
 */
export class SnapshotReader {
  readonly #state = new MachineState();
  readonly #records = new RecordAssembler();
  readonly #acls: (readonly Acl[])[] = [];
  readonly #quotas: { readonly path: string; readonly count: number; readonly bytes: number }[] = [];
  /** Znodes that came before their parent, by its path. */
  readonly #waiting = new Map<string, Znode[]>();
  /** The newest znode whose child came: children mostly come one behind the other. */
  #lastParent: Znode | undefined;
  #isOpened = false;
  #closing: Closing | null = null;

  push(bytes: Uint8Array): void {
    this.#records.push(bytes);
    for (let record = this.#records.next(); record !== null; record = this.#records.next()) {
      this.#take(record);
    }
  }

  /** The machine, once counts and digest are found to be those that the writer had. */
  finish(): StateMachine {
    const { tree, sessions, quotas, digest } = this.#state;
    const closing = this.#closing;
    if (closing === null || this.#records.isInside) throw new MarshallingError('a snapshot that breaks off');
    if (tree.size !== closing.nodeCount || sessions.all.size !== closing.sessionCount) {
      throw new MarshallingError(
        `a snapshot with ${tree.size} of ${closing.nodeCount} znodes and ${sessions.all.size} of ${closing.sessionCount} sessions`,
      );
    }
    for (const quota of this.#quotas) {
      if (!quotas.restore(quota.path, quota)) throw new MarshallingError(`no limits for ${quota.path}`);
    }
    if (digest.value !== closing.digest) {
      throw new MarshallingError(
        `a snapshot whose digest is ${digest.value.toString(16)}, not ${closing.digest.toString(16)}`,
      );
    }
    return new StateMachine(this.#state);
  }

  #take(record: JuteReader): void {
    const kind = record.readInt();
    if (this.#isOpened === (kind === RecordKind.opening) || this.#closing !== null) {
      throw new MarshallingError(`a snapshot with a record of kind ${kind} out of place`);
    }
    switch (kind) {
      case RecordKind.opening:
        return this.#open(record);
      case RecordKind.session:
        return this.#state.sessions.add(record.readLong(), record.readInt());
      case RecordKind.quota:
        this.#quotas.push({
          path: record.readText(),
          count: record.readLongAsNumber(),
          bytes: record.readLongAsNumber(),
        });
        return;
      case RecordKind.acl:
        this.#acls.push(readAclList(record));
        return;
      case RecordKind.node:
        return this.#insert(this.#readNode(record, this.#records.bytes));
      case RecordKind.closing:
        this.#closing = {
          nodeCount: record.readInt(),
          sessionCount: record.readInt(),
          digest: BigInt.asUintN(64, record.readLong()),
        };
        return;
      default:
        throw new MarshallingError(`a snapshot with a record of unknown kind ${kind}`);
    }
  }

  #open(record: JuteReader): void {
    if (record.readInt() !== SNAPSHOT_MAGIC) throw new MarshallingError('bytes that are no snapshot');
    const version = record.readInt();
    if (version !== SNAPSHOT_VERSION) {
      throw new MarshallingError(`a snapshot in format ${version}, where only ${SNAPSHOT_VERSION} is known`);
    }
    this.#isOpened = true;
    this.#state.lastZxid = record.readLong();
    this.#state.lastTime = record.readLongAsNumber();
  }

  /** `bytes`: what `record` reads. */
  #readNode(record: JuteReader, bytes: Uint8Array): Znode {
    const path = record.readText();
    const length = record.passBuffer();
    const data = length === -1 ? null : storeRange(bytes, record.offset - length, record.offset);
    const acl = this.#acls[record.readInt()];
    if (acl === undefined) throw new MarshallingError(`${path} in a snapshot has an ACL that is not there`);
    const czxid = record.readLong();
    // Most znodes never change: the three share one bigint as they did where they were created.
    const mzxid = record.readLongLike(czxid);
    const pzxid = record.readLongLike(czxid);
    const ctime = record.readLongAsNumber();
    const mtime = record.readLongAsNumber();
    const version = record.readInt();
    const creates = record.readInt();
    const aversion = record.readInt();
    const owner = record.readLongLike(PERSISTENT_OWNER);
    const interned = this.#state.tree.acls.acquire(acl);
    const node = new Znode(path, data, interned, czxid, ctime, ephemeralOwnerOf(owner), ttlMsOf(owner));
    node.mzxid = mzxid;
    node.pzxid = pzxid;
    node.mtime = mtime;
    node.version = version;
    node.creates = creates;
    node.aversion = aversion;
    return node;
  }

  #insert(first: Znode): void {
    const { tree } = this.#state;
    const ready = [first];
    for (let node = ready.pop(); node !== undefined; node = ready.pop()) {
      const parentPath = parentOf(node.path);
      const parent = node.path === '/' ? null : this.#parentAt(parentPath);
      if (parent === undefined) {
        const siblings = this.#waiting.get(parentPath);
        if (siblings === undefined) this.#waiting.set(parentPath, [node]);
        else siblings.push(node);
        continue;
      }
      const countBefore = tree.size;
      tree.insert(node, parent);
      if (tree.size === countBefore) throw new MarshallingError(`${node.path} twice in a snapshot`);
      const children = this.#waiting.get(node.path);
      if (children === undefined) continue;
      this.#waiting.delete(node.path);
      for (const child of children) ready.push(child);
    }
  }

  #parentAt(path: string): Znode | undefined {
    if (this.#lastParent?.path !== path) this.#lastParent = this.#state.tree.find(path);
    return this.#lastParent;
  }
}

/** Cuts a stream of bytes into records behind their length; joins pieces only where a record needs it. */
class RecordAssembler {
  #pieces: Uint8Array[] = [];
  /** In the first piece: what is before was taken. */
  #at = 0;
  #buffered = 0;
  #bytes: Uint8Array = new Uint8Array(0);

  /** True between the first byte of a record and its last. */
  get isInside(): boolean {
    return this.#buffered > 0;
  }

  /** What the record that was taken last is read from. */
  get bytes(): Uint8Array {
    return this.#bytes;
  }

  push(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    this.#pieces.push(bytes);
    this.#buffered += bytes.length;
  }

  next(): JuteReader | null {
    if (this.#buffered < 4) return null;
    const length = intAt(this.#atLeast(4), this.#at);
    if (length < 4) throw new MarshallingError(`a snapshot with a record of ${length} bytes`);
    if (this.#buffered < 4 + length) return null;
    const bytes = this.#atLeast(4 + length);
    const from = this.#at + 4;
    const end = from + length;
    this.#bytes = bytes;
    this.#at = end;
    this.#buffered -= 4 + length;
    if (end === bytes.length) {
      this.#pieces.shift();
      this.#at = 0;
    }
    return new JuteReader(bytes, from, end);
  }

  /** The first piece; if it has less than that ahead, joined with the next ones. */
  #atLeast(count: number): Uint8Array {
    const first = this.#pieces[0]!;
    if (first.length - this.#at >= count) return first;
    const joined = new Uint8Array(this.#buffered);
    joined.set(first.subarray(this.#at));
    let at = first.length - this.#at;
    for (const piece of this.#pieces.slice(1)) {
      joined.set(piece, at);
      at += piece.length;
    }
    this.#pieces = [joined];
    this.#at = 0;
    return joined;
  }
}

function intAt(bytes: Uint8Array, at: number): number {
  return (bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!;
}
