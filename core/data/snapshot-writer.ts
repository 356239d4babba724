import { JuteWriter, writeAclList } from '../protocol/index.js';
import type { InternedAcl } from './acl-cache.js';
import { ensembleIdBytes } from './ensemble-identity.js';
import type { FrozenTree } from './frozen-tree.js';
import type { MachineState } from './machine-state.js';
import { RecordKind, SNAPSHOT_MAGIC, SNAPSHOT_VERSION } from './snapshot-format.js';
import { storedOwnerOf } from './stored-owner.js';
import type { Znode } from './znode.js';

/** A snapshot being written. */
export interface Snapshot {
  /** The state is exactly the one after this transaction. */
  readonly zxid: bigint;
  /** Digest of the state, and how many znodes it has. */
  readonly digest: bigint;
  readonly nodeCount: number;
  /** Znodes held in memory because they changed before their turn to be written. */
  readonly keptCount: number;
  /** The next bytes, at most `maxBytes` of them; null behind the last. */
  next(maxBytes: number): Uint8Array | null;
  /** Lets go of what is kept for the rest. Idempotent; nothing more is handed out afterwards. */
  close(): void;
}

/** Opens a snapshot of the state as it is now. */
export function openSnapshot(state: MachineState): Snapshot {
  return new SnapshotWriter(state);
}

class SnapshotWriter implements Snapshot {
  readonly zxid: bigint;
  readonly digest: bigint;
  readonly nodeCount: number;
  readonly #nodes: FrozenTree;
  readonly #writer = new JuteWriter(4096);
  readonly #aclNumbers = new Map<InternedAcl, number>();
  readonly #sessionCount: number;
  #state: 'nodes' | 'written' | 'closed' = 'nodes';
  #output: Uint8Array = new Uint8Array(0);

  constructor(state: MachineState) {
    this.zxid = state.lastZxid;
    this.digest = state.digest.value;
    this.nodeCount = state.tree.size;
    this.#nodes = state.views.open(state.tree);
    this.#sessionCount = state.sessions.all.size;
    this.#writeOpening(state);
  }

  get keptCount(): number {
    return this.#nodes.keptCount;
  }

  next(maxBytes: number): Uint8Array | null {
    if (this.#output.length === 0) {
      this.#fill(maxBytes);
      this.#output = this.#writer.take();
    }
    if (this.#output.length === 0) return null;
    const slice = this.#output.subarray(0, Math.max(1, maxBytes));
    this.#output = this.#output.subarray(slice.length);
    return slice;
  }

  close(): void {
    this.#nodes.close();
    this.#state = 'closed';
    this.#writer.take();
    this.#output = new Uint8Array(0);
  }

  #fill(maxBytes: number): void {
    while (this.#state === 'nodes' && this.#writer.length < maxBytes) {
      const node = this.#nodes.next();
      if (node === null) {
        this.#writeClosing();
        this.#state = 'written';
      } else {
        this.#writeNode(node);
      }
    }
  }

  /** Sessions and quotas are few and small beside the znodes: they are written as they are now. */
  #writeOpening(state: MachineState): void {
    const writer = this.#writer;
    let record = this.#start(RecordKind.opening);
    writer.writeInt(SNAPSHOT_MAGIC);
    writer.writeInt(SNAPSHOT_VERSION);
    writer.writeLong(state.lastZxid);
    writer.writeNumberAsLong(state.lastTime);
    writer.endPacket(record);
    if (state.identity !== null) {
      record = this.#start(RecordKind.identity);
      writer.writeBuffer(ensembleIdBytes(state.identity.id));
      writer.writeLong(state.identity.since);
      writer.endPacket(record);
    }
    for (const [sessionId, timeoutMs] of state.sessions.all) {
      record = this.#start(RecordKind.session);
      writer.writeLong(sessionId);
      writer.writeInt(timeoutMs);
      writer.endPacket(record);
    }
    for (const quota of state.quotas.quotas.values()) {
      record = this.#start(RecordKind.quota);
      writer.writeString(quota.path);
      writer.writeNumberAsLong(quota.count);
      writer.writeNumberAsLong(quota.bytes);
      writer.endPacket(record);
    }
  }

  #writeNode(node: Znode): void {
    const aclNumber = this.#aclNumbers.get(node.interned) ?? this.#writeAcl(node.interned);
    const writer = this.#writer;
    const record = this.#start(RecordKind.node);
    writer.writeString(node.path);
    writer.writeBuffer(node.data);
    writer.writeInt(aclNumber);
    writer.writeLong(node.czxid);
    writer.writeLong(node.mzxid);
    writer.writeLong(node.pzxid);
    writer.writeNumberAsLong(node.ctime);
    writer.writeNumberAsLong(node.mtime);
    writer.writeInt(node.version);
    writer.writeInt(node.creates);
    writer.writeInt(node.aversion);
    writer.writeLong(storedOwnerOf(node.ephemeralOwner, node.ttlMs));
    writer.endPacket(record);
  }

  #writeAcl(acl: InternedAcl): number {
    const number = this.#aclNumbers.size;
    this.#aclNumbers.set(acl, number);
    const record = this.#start(RecordKind.acl);
    writeAclList(this.#writer, acl.list);
    this.#writer.endPacket(record);
    return number;
  }

  #writeClosing(): void {
    const record = this.#start(RecordKind.closing);
    this.#writer.writeInt(this.nodeCount);
    this.#writer.writeInt(this.#sessionCount);
    this.#writer.writeLong(BigInt.asIntN(64, this.digest));
    this.#writer.endPacket(record);
  }

  #start(kind: number): number {
    const record = this.#writer.startPacket();
    this.#writer.writeInt(kind);
    return record;
  }
}
