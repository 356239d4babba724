import { type Acl, JuteReader, MarshallingError, readAclList } from '../protocol/index.js';
import type { InternedAcl } from './acl-cache.js';
import { ensembleIdOf, type EnsembleIdentity } from './ensemble-identity.js';
import { RecordKind, SNAPSHOT_MAGIC, SNAPSHOT_VERSION } from './snapshot-format.js';
import { storeRange } from './stored-data.js';
import { ephemeralOwnerOf, PERSISTENT_OWNER, ttlMsOf } from './stored-owner.js';
import { Znode } from './znode.js';

/** What a snapshot says of itself at its end. */
export interface Closing {
  readonly nodeCount: number;
  readonly sessionCount: number;
  readonly digest: bigint;
}

/** Takes what a snapshot holds, in its order. */
export interface SnapshotContent {
  opened(zxid: bigint, lastTime: number): void;
  identity(identity: EnsembleIdentity): void;
  session(sessionId: bigint, timeoutMs: number): void;
  quota(path: string, usage: { readonly count: number; readonly bytes: number }): void;
  /** The ACL with the next number, counted from 0. */
  acl(list: readonly Acl[]): void;
  /** The ACL with that number, for one more znode; undefined if there is none. */
  aclFor(number: number): InternedAcl | undefined;
  node(node: Znode): void;
}

/**
 * Reads the records of a snapshot, fed in pieces of any size. `push` and `end` throw `MarshallingError` on bytes that are no
 * snapshot, or not all of one.
 */
export class SnapshotRecords {
  readonly #content: SnapshotContent;
  readonly #records = new RecordAssembler();
  #isOpened = false;
  #closing: Closing | null = null;

  constructor(content: SnapshotContent) {
    this.#content = content;
  }

  push(bytes: Uint8Array): void {
    this.#records.push(bytes);
    for (let record = this.#records.next(); record !== null; record = this.#records.next()) {
      this.#take(record);
    }
  }

  /** What the snapshot says of itself, once all of it has been pushed. */
  end(): Closing {
    if (this.#closing === null || this.#records.isInside)
      throw new MarshallingError('a snapshot that breaks off');
    return this.#closing;
  }

  #take(record: JuteReader): void {
    const kind = record.readInt();
    if (this.#isOpened === (kind === RecordKind.opening) || this.#closing !== null) {
      throw new MarshallingError(`a snapshot with a record of kind ${kind} out of place`);
    }
    switch (kind) {
      case RecordKind.opening:
        return this.#open(record);
      case RecordKind.identity:
        return this.#content.identity(readIdentity(record));
      case RecordKind.session:
        return this.#content.session(record.readLong(), record.readInt());
      case RecordKind.quota: {
        const path = record.readText();
        return this.#content.quota(path, {
          count: record.readLongAsNumber(),
          bytes: record.readLongAsNumber(),
        });
      }
      case RecordKind.acl:
        return this.#content.acl(readAclList(record));
      case RecordKind.node:
        return this.#content.node(this.#readNode(record, this.#records.bytes));
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
    this.#content.opened(record.readLong(), record.readLongAsNumber());
  }

  /** `bytes`: what `record` reads. */
  #readNode(record: JuteReader, bytes: Uint8Array): Znode {
    const path = record.readText();
    const length = record.passBuffer();
    const data = length === -1 ? null : storeRange(bytes, record.offset - length, record.offset);
    const interned = this.#content.aclFor(record.readInt());
    if (interned === undefined)
      throw new MarshallingError(`${path} in a snapshot has an ACL that is not there`);
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
    const node = new Znode(path, data, interned, czxid, ctime, ephemeralOwnerOf(owner), ttlMsOf(owner));
    node.mzxid = mzxid;
    node.pzxid = pzxid;
    node.mtime = mtime;
    node.version = version;
    node.creates = creates;
    node.aversion = aversion;
    return node;
  }
}

function readIdentity(record: JuteReader): EnsembleIdentity {
  return { id: ensembleIdOf(record.readBuffer()), since: record.readLong() };
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
