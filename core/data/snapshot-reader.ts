import { type Acl, JuteReader, MarshallingError, readAclList } from '../protocol/index.js';
import { MachineState } from './machine-state.js';
import { parentOf } from './path.js';
import { RecordKind, SNAPSHOT_MAGIC, SNAPSHOT_VERSION } from './snapshot-format.js';
import { StateMachine } from './state-machine.js';
import { storeData } from './stored-data.js';
import { ephemeralOwnerOf, ttlMsOf } from './stored-owner.js';
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
        return this.#insert(this.#readNode(record));
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

  #readNode(record: JuteReader): Znode {
    const path = record.readText();
    const data = storeData(record.readBuffer());
    const acl = this.#acls[record.readInt()];
    if (acl === undefined) throw new MarshallingError(`${path} in a snapshot has an ACL that is not there`);
    const czxid = record.readLong();
    const mzxid = record.readLong();
    const pzxid = record.readLong();
    const ctime = record.readLongAsNumber();
    const mtime = record.readLongAsNumber();
    const version = record.readInt();
    const creates = record.readInt();
    const aversion = record.readInt();
    const owner = record.readLong();
    const interned = this.#state.tree.acls.acquire(acl);
    const node = new Znode(path, data, interned, czxid, ctime, ephemeralOwnerOf(owner), ttlMsOf(owner));
    // Most znodes never change: the three share one bigint as they did where they were created.
    if (mzxid !== czxid) node.mzxid = mzxid;
    if (pzxid !== czxid) node.pzxid = pzxid;
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
      if (tree.find(node.path) !== undefined) throw new MarshallingError(`${node.path} twice in a snapshot`);
      const parentPath = parentOf(node.path);
      const parent = node.path === '/' ? null : tree.find(parentPath);
      if (parent === undefined) {
        const siblings = this.#waiting.get(parentPath);
        if (siblings === undefined) this.#waiting.set(parentPath, [node]);
        else siblings.push(node);
        continue;
      }
      tree.insert(node, parent);
      const children = this.#waiting.get(node.path);
      if (children === undefined) continue;
      this.#waiting.delete(node.path);
      for (const child of children) ready.push(child);
    }
  }
}

/** Cuts a stream of bytes into records behind their length; joins pieces only where a record needs it. */
class RecordAssembler {
  #pieces: Uint8Array[] = [];
  #buffered = 0;

  /** True between the first byte of a record and its last. */
  get isInside(): boolean {
    return this.#buffered > 0;
  }

  push(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    this.#pieces.push(bytes);
    this.#buffered += bytes.length;
  }

  next(): JuteReader | null {
    if (this.#buffered < 4) return null;
    const length = new JuteReader(this.#atLeast(4)).readInt();
    if (length < 4) throw new MarshallingError(`a snapshot with a record of ${length} bytes`);
    if (this.#buffered < 4 + length) return null;
    const bytes = this.#atLeast(4 + length);
    if (bytes.length === 4 + length) this.#pieces.shift();
    else this.#pieces[0] = bytes.subarray(4 + length);
    this.#buffered -= 4 + length;
    return new JuteReader(bytes, 4, 4 + length);
  }

  /** The first piece, joined with as many of the next ones as it takes. */
  #atLeast(count: number): Uint8Array {
    if (this.#pieces[0]!.length >= count) return this.#pieces[0]!;
    const joined = new Uint8Array(this.#buffered);
    let at = 0;
    for (const piece of this.#pieces) {
      joined.set(piece, at);
      at += piece.length;
    }
    this.#pieces = [joined];
    return joined;
  }
}
