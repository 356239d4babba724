import { JuteWriter, writeAclList } from '../protocol/index.js';
import type { InternedAcl } from './acl-cache.js';
import type { ChangeListener } from './data-tree.js';
import type { MachineState } from './machine-state.js';
import { RecordKind, SNAPSHOT_MAGIC, SNAPSHOT_VERSION } from './snapshot-format.js';
import { storedOwnerOf } from './stored-owner.js';
import type { Znode } from './znode.js';

/** A snapshot being written. */
export interface Snapshot {
  /** The state is exactly the one after this transaction. */
  readonly zxid: bigint;
  /** Znodes held in memory because they changed before their turn to be written. */
  readonly keptCount: number;
  /** The next bytes, at most `maxBytes` of them; null behind the last. */
  next(maxBytes: number): Uint8Array | null;
  /** Lets go of what is kept for the rest. Idempotent; nothing more is handed out afterwards. */
  close(): void;
}

/**
 * The snapshots that are being written, any number at a time. Before a znode changes for the first time since
 * one of them was opened, that one keeps the znode as it was, unless it has written it already: so an open
 * snapshot holds no more memory than what changed.
 */
export class OpenSnapshots implements ChangeListener {
  readonly #open: SnapshotWriter[] = [];
  #newest = 0;

  get count(): number {
    return this.#open.length;
  }

  open(state: MachineState): Snapshot {
    const writer = new SnapshotWriter(state, ++this.#newest, () => {
      this.#open.splice(this.#open.indexOf(writer), 1);
    });
    this.#open.push(writer);
    return writer;
  }

  beforeChange(node: Znode): void {
    if (this.#open.length === 0 || node.changedAt === this.#newest) return;
    let copy: Znode | null = null;
    for (const writer of this.#open) {
      if (!writer.lacks(node)) continue;
      copy ??= node.frozen();
      writer.keep(copy);
    }
    node.changedAt = this.#newest;
  }
}

class SnapshotWriter implements Snapshot {
  readonly zxid: bigint;
  readonly #number: number;
  readonly #lastSerial: number;
  readonly #nodes: Iterator<Znode>;
  readonly #writer = new JuteWriter(4096);
  readonly #aclNumbers = new Map<InternedAcl, number>();
  readonly #nodeCount: number;
  readonly #sessionCount: number;
  readonly #digest: bigint;
  readonly #release: () => void;
  /** As they were, for they have changed before their turn came. */
  #kept: Znode[] = [];
  /** The znodes up to this serial are written. */
  #writtenSerial = 0;
  #state: 'nodes' | 'written' | 'closed' = 'nodes';
  #output: Uint8Array = new Uint8Array(0);

  constructor(state: MachineState, number: number, release: () => void) {
    this.zxid = state.lastZxid;
    this.#number = number;
    this.#lastSerial = state.tree.lastSerial;
    this.#nodes = state.tree.values();
    this.#nodeCount = state.tree.size;
    this.#sessionCount = state.sessions.all.size;
    this.#digest = state.digest.value;
    this.#release = release;
    this.#writeOpening(state);
  }

  get keptCount(): number {
    return this.#kept.length;
  }

  /** True if the znode as it is now belongs in here and is neither written nor kept yet. */
  lacks(node: Znode): boolean {
    return (
      node.changedAt < this.#number && node.serial > this.#writtenSerial && node.serial <= this.#lastSerial
    );
  }

  keep(copy: Znode): void {
    this.#kept.push(copy);
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
    if (this.#state === 'closed') return;
    if (this.#state === 'nodes') this.#finish();
    this.#state = 'closed';
    this.#writer.take();
    this.#output = new Uint8Array(0);
  }

  #fill(maxBytes: number): void {
    while (this.#state === 'nodes' && this.#writer.length < maxBytes) {
      const node = this.#kept.pop() ?? this.#nextUnchanged();
      if (node === null) {
        this.#writeClosing();
        this.#finish();
      } else {
        this.#writeNode(node);
      }
    }
  }

  #finish(): void {
    this.#state = 'written';
    this.#kept = [];
    this.#release();
  }

  #nextUnchanged(): Znode | null {
    for (;;) {
      const { value: node, done } = this.#nodes.next() as IteratorResult<Znode, undefined>;
      if (done === true || node.serial > this.#lastSerial) return null;
      this.#writtenSerial = node.serial;
      if (node.changedAt < this.#number) return node;
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
    this.#writer.writeInt(this.#nodeCount);
    this.#writer.writeInt(this.#sessionCount);
    this.#writer.writeLong(BigInt.asIntN(64, this.#digest));
    this.#writer.endPacket(record);
  }

  #start(kind: number): number {
    const record = this.#writer.startPacket();
    this.#writer.writeInt(kind);
    return record;
  }
}
