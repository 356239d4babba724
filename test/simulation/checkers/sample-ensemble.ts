import {
  encodeTxn,
  identifyTxn,
  RequestPreparer,
  StateMachine,
  type Txn,
  type WriteRequest,
} from '../../../core/data/index.js';
import { CreateMode, OPEN_ACL, OpCode } from '../../../core/protocol/index.js';
import type { MemberGauges, MemberHoldings } from '../../../core/server/index.js';
import type { PersistBatch, Storage } from '../../../core/storage/index.js';
import { makeZxid, type PeerStatus } from '../../../core/zab/index.js';
import { Ghost } from './ghost.js';
import { Referee } from './referee.js';
import { SessionLedger } from './session-ledger.js';
import { TreeModel } from './tree-model.js';

/** A transaction on its way. */
export interface SampleEntry {
  readonly zxid: bigint;
  readonly payload: Uint8Array;
  readonly txn: Txn | null;
}

/** The session that there is from the beginning. */
export const SESSION = 0x77n;

/**
 * Three voters that do, step by step, what the checkers expect of members, without being any: a test lets one of them go
 * wrong, and looks what is found.
 */
export class SampleEnsemble {
  readonly referee = new Referee();
  readonly model = new TreeModel();
  readonly ghost: Ghost;
  readonly sessions: SessionLedger;
  readonly #machines = new Map([1, 2, 3].map((id) => [id, new StateMachine()]));
  readonly #preparer = new RequestPreparer(this.machine(1));
  readonly #storages = new Map<number, Storage>();
  #zxid = 0n;

  constructor() {
    const { model, referee } = this;
    this.ghost = new Ghost({
      referee,
      emptyDigest: new StateMachine().digest,
      onDelivered: (delivered) => {
        if (delivered.txn !== null) model.apply(delivered.zxid, delivered.txn);
        this.sessions.delivered(delivered);
      },
    });
    this.sessions = new SessionLedger({ model, ghost: this.ghost, fastestRate: 1 });
    for (const id of [1, 2, 3]) {
      this.ghost.register(id, `m${id}`, true);
      this.#storages.set(id, this.ghost.imageOf(id).observe(nothingFails));
      this.ghost.started(id, this.machine(id));
    }
  }

  /** In its first epoch, led by member 1, with a session and the znode `/a`. */
  static async start(): Promise<SampleEnsemble> {
    const ensemble = new SampleEnsemble();
    for (const id of [1, 2, 3]) await ensemble.persist(id, { rejoining: null });
    await ensemble.open(1);
    await ensemble.write({ op: OpCode.createSession, body: { timeoutMs: 1000 } }, 0);
    await ensemble.write(creates('/a'), 1);
    return ensemble;
  }

  machine(id: number): StateMachine {
    return this.#machines.get(id)!;
  }

  /** Makes something durable on a member's disk. */
  persist(id: number, batch: PersistBatch): Promise<void> {
    return this.#storages.get(id)!.persist(batch);
  }

  storage(id: number): Storage {
    return this.#storages.get(id)!;
  }

  /** A new epoch begins on all disks. */
  async open(epoch: number): Promise<void> {
    this.#zxid = makeZxid(epoch, 0);
    const txn = epoch === 1 ? identifyTxn('07'.repeat(16)) : null;
    const payload = txn === null ? new Uint8Array(0) : encodeTxn(txn);
    const marker: SampleEntry = { zxid: this.#zxid, payload, txn };
    for (const id of [1, 2, 3]) await this.persist(id, { acceptedEpoch: epoch, entries: [marker] });
    for (const id of [1, 2, 3]) this.apply(id, marker);
  }

  /** The leader, member 1, proposes; nobody has it on disk. */
  propose(request: WriteRequest, cxid: number, sessionId = SESSION): SampleEntry {
    const zxid = this.#zxid + 1n;
    const txn = this.#preparer.prepare(request, { sessionId, cxid, identities: [], wallMs: 0 }, zxid);
    const payload = encodeTxn(txn);
    this.#zxid = zxid;
    this.ghost.proposed(1, zxid, payload);
    return { zxid, payload, txn };
  }

  /** The member applies what is committed. */
  apply(id: number, { zxid, payload, txn }: SampleEntry): void {
    const machine = this.machine(id);
    if (txn === null) machine.advanceTo(zxid);
    else machine.apply(zxid, txn);
    if (id === 1) this.#preparer.applied(zxid);
    this.ghost.applied(id, { zxid, payload }, machine);
  }

  /** From proposal to the last member that applies it. */
  async write(request: WriteRequest, cxid: number, sessionId = SESSION): Promise<SampleEntry> {
    const entry = this.propose(request, cxid, sessionId);
    for (const id of [1, 2, 3]) await this.persist(id, { entries: [entry] });
    for (const id of [1, 2, 3]) this.apply(id, entry);
    return entry;
  }

  /** What a member that has applied everything says of itself. */
  gauges(status: Partial<PeerStatus> = {}, held: Partial<MemberGauges> = {}): MemberGauges {
    const { end } = this.ghost;
    return {
      connections: 0,
      requests: 0,
      held: NOTHING_HELD,
      ...held,
      status: {
        state: 'following',
        phase: 'broadcast',
        leader: 1,
        epoch: Number(this.#zxid >> 32n),
        isServing: true,
        isEstablishedLeader: false,
        admits: false,
        obstacle: null,
        gap: null,
        isQuorumConfirmed: true,
        isRejoining: false,
        founding: null,
        lastProposed: end,
        lastDurable: end,
        committed: end,
        delivered: end,
        lastChange: null,
        endedByHandOver: false,
        ...status,
      },
    };
  }
}

const NOTHING_HELD: MemberHoldings = {
  watches: 0,
  attachedSessions: 0,
  receivedBytes: 0,
  bytesInFlight: 0,
  openQuestions: 0,
  pendingSyncs: 0,
  peerLinks: 2,
  unprovenLinks: 0,
  frozenViews: 0,
  snapshotArrivals: 0,
};

/** A request for a znode. */
export function creates(path: string, flags: number = CreateMode.persistent, data = ''): WriteRequest {
  return {
    op: OpCode.create2,
    body: { path, data: new TextEncoder().encode(data), acl: OPEN_ACL, flags, ttlMs: 0 },
  };
}

const nothingFails: Storage = {
  recover: () => Promise.reject(new Error('nothing is recovered')),
  persist: async () => undefined,
  proveEnd: async () => undefined,
  readEntries: async () => [],
  writeSnapshot: async () => undefined,
  installSnapshot: async () => undefined,
  verifyPlace: async () => undefined,
  close: async () => undefined,
};
