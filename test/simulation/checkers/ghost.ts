import { decodeTxn, type Txn } from '../../../core/data/index.js';
import type { MemberGauges } from '../../../core/server/index.js';
import {
  epochOf,
  isEpochMarker,
  makeZxid,
  type Entry,
  type PeerMessage,
  type PeerStatus,
} from '../../../core/zab/index.js';
import { DiskImage } from './disk-image.js';
import { isSameBytes, LogChain } from './log-chain.js';
import { check, hex, type Referee } from './referee.js';

/** One of the sequence that everybody delivers. */
export interface Delivered {
  readonly zxid: bigint;
  readonly payload: Uint8Array;
  /** Null for the marker of an epoch. */
  readonly txn: Txn | null;
  /** Of the state behind it, as the member that delivered it first has it. */
  readonly digest: bigint;
}

/** A state that is the same at the same place everywhere. */
export interface ReplicatedState {
  /** Of what was applied last. */
  readonly lastZxid: bigint;
  readonly digest: bigint;
}

/** A member, through all its lives. */
interface Observed {
  readonly name: string;
  readonly isVoter: boolean;
  readonly image: DiskImage;
  /** Index in the sequence of what it has applied last; -1 for nothing. */
  position: number;
  committed: bigint;
  lastProposed: bigint;
}

/**
 * Knows all that ever was delivered, and checks Zab's promises against it: one leader per epoch, total order, agreement,
 * integrity, primary order and primary integrity (Zab paper, section 2), log matching, durability before promise, and
 * that the members' states are the same at the same place.
 */
export class Ghost {
  /** False where votes are forged on their way: then a member may well repeat a wrong one. */
  areVotesGenuine = true;
  readonly #referee: Referee;
  readonly #chain = new LogChain();
  readonly #members = new Map<number, Observed>();
  readonly #list: Delivered[] = [];
  readonly #positions = new Map<bigint, number>();
  readonly #bySession = new Map<bigint, Delivered[]>();
  readonly #proposals = new Map<bigint, Uint8Array>();
  readonly #leaders = new Map<number, string>();
  readonly #established = new Map<number, string>();
  readonly #emptyDigest: bigint;
  readonly #onDelivered: (delivered: Delivered) => void;
  readonly #decode: (payload: Uint8Array) => Txn | null;
  readonly #hasIdentity: boolean;

  /** `onDelivered` is called for each entry when it is delivered for the first time; `decode` reads payloads that are no transactions. */
  constructor(parts: {
    readonly referee: Referee;
    readonly emptyDigest: bigint;
    readonly onDelivered: (delivered: Delivered) => void;
    readonly decode?: (payload: Uint8Array) => Txn | null;
  }) {
    this.#referee = parts.referee;
    this.#emptyDigest = parts.emptyDigest;
    this.#onDelivered = parts.onDelivered;
    this.#decode = parts.decode ?? decodeTxn;
    this.#hasIdentity = parts.decode === undefined;
  }

  /** zxid of the last that was delivered anywhere. */
  get end(): bigint {
    return this.#list.at(-1)?.zxid ?? 0n;
  }

  get list(): readonly Delivered[] {
    return this.#list;
  }

  get epochs(): number {
    return this.#established.size;
  }

  find(zxid: bigint): Delivered | undefined {
    return this.#list[this.#positions.get(zxid) ?? -1];
  }

  /** The transactions of a session, oldest first. */
  ofSession(sessionId: bigint): readonly Delivered[] {
    return this.#bySession.get(sessionId) ?? [];
  }

  imageOf(id: number): DiskImage {
    return this.#members.get(id)!.image;
  }

  register(id: number, name: string, isVoter: boolean): void {
    const image = new DiskImage({
      member: name,
      referee: this.#referee,
      chain: this.#chain,
      delivered: (zxid) => this.#positions.has(zxid),
      changed: () => this.#checkCopies(),
      isVoter,
    });
    this.#members.set(id, { name, isVoter, image, position: -1, committed: 0n, lastProposed: 0n });
  }

  /** The member begins anew with the state of its snapshot. */
  started(id: number, machine: ReplicatedState): void {
    const member = this.#members.get(id)!;
    member.committed = 0n;
    member.lastProposed = member.image.last;
    this.#takeOver(member, machine, 'finds');
  }

  /** The member has the state of its leader from now on. */
  installed(id: number, machine: ReplicatedState): void {
    this.#takeOver(this.#members.get(id)!, machine, 'installs');
  }

  proposed(id: number, zxid: bigint, payload: Uint8Array): void {
    const { name } = this.#members.get(id)!;
    check(!this.#proposals.has(zxid), () => `${name} proposes ${hex(zxid)}, which was proposed before`);
    this.#lead(this.#leaders, epochOf(zxid), name);
    this.#proposals.set(zxid, payload);
  }

  applied(id: number, { zxid, payload }: Entry, machine: ReplicatedState): void {
    const member = this.#members.get(id)!;
    const known = this.#list[member.position + 1];
    member.position += 1;
    if (known === undefined) this.#deliver(member, { zxid, payload }, machine);
    else this.#compare(member, known, { zxid, payload }, machine);
    check(
      machine.lastZxid === zxid,
      () => `${member.name} has applied ${hex(zxid)}, its state says otherwise`,
    );
  }

  /** `isReadOnly`: asked of a member that has clients without a leader; it may serve those that only read. */
  turned(
    id: number,
    { status, connections }: Pick<MemberGauges, 'status' | 'connections'>,
    isReadOnly: () => boolean = () => false,
  ): void {
    const member = this.#members.get(id)!;
    const { name } = member;
    if (status.state === 'leading' && status.phase !== 'discovery')
      this.#lead(this.#leaders, status.epoch, name);
    if (status.isEstablishedLeader && !this.#established.has(status.epoch)) this.#establish(member, status);
    check(
      status.isServing || connections === 0 || isReadOnly(),
      () => `${name} has clients, but it is ${status.state} in the phase ${status.phase}`,
    );
    check(
      !status.isServing || status.delivered >= makeZxid(status.epoch, 0),
      () => `${name} serves before it is up to date`,
    );
    this.#checkMarks(member, status);
  }

  /** What a message promises is on the sender's disk when it leaves. */
  sent(id: number, message: PeerMessage): void {
    const { name, image, isVoter } = this.#members.get(id)!;
    switch (message.type) {
      case 'newEpoch':
        return check(
          image.acceptedEpoch >= message.epoch,
          () => `${name} announces epoch ${message.epoch}, which is not on its disk`,
        );
      case 'ackEpoch':
        check(
          image.acceptedEpoch === message.epoch,
          () => `${name} promises epoch ${message.epoch}, its disk says ${image.acceptedEpoch}`,
        );
        return check(
          image.last === message.lastZxid,
          () => `${name} reports ${hex(message.lastZxid)}, its disk ends at ${hex(image.last)}`,
        );
      case 'ack':
        check(
          image.last >= message.zxid,
          () => `${name} acknowledges ${hex(message.zxid)}, its disk ends at ${hex(image.last)}`,
        );
        return check(
          !isVoter || message.epoch >= image.acceptedEpoch,
          () => `${name} acknowledges to a leader it has forsworn`,
        );
      case 'pong':
        return check(
          !isVoter || message.epoch >= image.acceptedEpoch,
          () => `${name} answers a ping of a leader it has forsworn`,
        );
      case 'notification':
        return check(
          !this.areVotesGenuine ||
            message.state !== 'looking' ||
            message.vote.leader !== id ||
            message.vote.zxid === image.last ||
            // Somebody may still want it for what it had before it lost its disk: its own voice does not count.
            message.standing === 'new' ||
            message.standing === 'empty' ||
            message.standing === 'damaged' ||
            message.standing === 'rejoining',
          () => `${name} votes with ${hex(message.vote.zxid)}, its disk ends at ${hex(image.last)}`,
        );
      default:
    }
  }

  #takeOver(member: Observed, machine: ReplicatedState, verb: string): void {
    const { lastZxid, digest } = machine;
    const position = lastZxid === 0n ? -1 : this.#positions.get(lastZxid);
    check(
      position !== undefined,
      () => `${member.name} ${verb} a state at ${hex(lastZxid)}, which nobody delivered`,
    );
    const expected = this.#list[position]?.digest ?? this.#emptyDigest;
    check(digest === expected, () => `${member.name} ${verb} a state at ${hex(lastZxid)} that never was`);
    member.position = position;
  }

  #deliver(member: Observed, { zxid, payload }: Entry, machine: ReplicatedState): void {
    const { name } = member;
    check(zxid > this.end, () => `${name} delivers ${hex(zxid)} behind ${hex(this.end)}`);
    const isNext = zxid === this.end + 1n || (isEpochMarker(zxid) && epochOf(zxid) > epochOf(this.end));
    check(isNext, () => `${name} delivers ${hex(zxid)} behind ${hex(this.end)}: there is a gap`);
    if (isEpochMarker(zxid)) this.#checkIdentity(name, zxid, payload);
    else {
      const proposal = this.#proposals.get(zxid);
      check(proposal !== undefined, () => `${name} delivers ${hex(zxid)}, which nobody proposed`);
      check(
        isSameBytes(proposal, payload),
        () => `${name} delivers ${hex(zxid)} with other bytes than were proposed`,
      );
    }
    this.#checkQuorum(zxid, `${name} delivers`);
    const txn = isEpochMarker(zxid) ? null : this.#decode(payload);
    const delivered = { zxid, payload, txn, digest: machine.digest };
    this.#positions.set(zxid, this.#list.length);
    this.#list.push(delivered);
    for (const { image } of this.#members.values()) image.checkNotForgotten(zxid);
    this.#checkCopies();
    if (txn !== null) this.#noteSession(txn.sessionId, delivered);
    this.#onDelivered(delivered);
  }

  /** The first marker gives the ensemble its id, and no later one gives it another. */
  #checkIdentity(name: string, zxid: bigint, payload: Uint8Array): void {
    if (!this.#hasIdentity) return;
    const outcome = payload.length === 0 ? null : decodeTxn(payload).outcome.type;
    check(
      outcome === (this.#list.length === 0 ? 'identify' : null),
      () =>
        `${name} delivers ${hex(zxid)} with ${outcome ?? 'nothing'}: an ensemble gets one id, at its founding`,
    );
  }

  #noteSession(sessionId: bigint, delivered: Delivered): void {
    const others = this.#bySession.get(sessionId);
    if (others === undefined) this.#bySession.set(sessionId, [delivered]);
    else others.push(delivered);
  }

  #compare({ name }: Observed, known: Delivered, { zxid, payload }: Entry, machine: ReplicatedState): void {
    check(known.zxid === zxid, () => `${name} delivers ${hex(zxid)}, others ${hex(known.zxid)} in its place`);
    check(
      isSameBytes(known.payload, payload),
      () => `${name} delivers ${hex(zxid)} with other bytes than others`,
    );
    check(machine.digest === known.digest, () => `${name} has another state than others after ${hex(zxid)}`);
  }

  #establish({ name, position }: Observed, { epoch, lastProposed }: PeerStatus): void {
    this.#lead(this.#established, epoch, name);
    check(
      lastProposed >= this.end || epochOf(this.end) > epoch,
      () => `${name} leads epoch ${epoch} from ${hex(lastProposed)} on, ${hex(this.end)} was delivered`,
    );
    const earlier = this.#list.findLastIndex(({ zxid }) => epochOf(zxid) < epoch);
    check(position >= earlier, () => `${name} leads epoch ${epoch} before it has applied the earlier ones`);
  }

  #checkMarks(member: Observed, status: PeerStatus): void {
    const { name, image, position } = member;
    const applied = this.#list[position]?.zxid ?? 0n;
    check(
      applied === status.delivered,
      () => `${name} applied ${hex(applied)}, says ${hex(status.delivered)}`,
    );
    check(applied <= status.committed, () => `${name} applied ${hex(applied)}, which is not committed`);
    check(applied <= image.last, () => `${name} applied ${hex(applied)}, which is not durable there`);
    check(status.committed >= member.committed, () => `${name} takes back what is committed`);
    if (status.committed > member.committed && status.committed > this.end)
      this.#checkQuorum(status.committed, `${name} knows of the commit of`);
    member.committed = status.committed;
  }

  /**
   * No quorum of voters that count may lack a delivered entry: it could lead without it. Disks that are lost or damaged do not count,
   * and are no copies. Histories agree, so that who lacks any entry lacks the last one.
   */
  #checkCopies(): void {
    const { end } = this;
    const voters = this.#voters();
    const lacking = voters.filter(({ image }) => image.couldElectWithout(end));
    check(
      2 * lacking.length <= voters.length,
      () =>
        `${lacking.map(({ name }) => name).join(', ')} count and are a quorum, but lack ${hex(end)}, which was delivered`,
    );
  }

  #voters(): readonly Observed[] {
    return [...this.#members.values()].filter(({ isVoter }) => isVoter);
  }

  /** A quorum has made the entry durable. Some of those disks may be lost since. */
  #checkQuorum(zxid: bigint, what: string): void {
    const voters = this.#voters();
    const holders = voters.filter(({ image }) => image.hasHeld(zxid));
    check(
      2 * holders.length > voters.length,
      () =>
        `${what} ${hex(zxid)}, which is on the disks of ${holders.map(({ name }) => name).join() || 'nobody'} only`,
    );
  }

  #lead(leaders: Map<number, string>, epoch: number, name: string): void {
    const known = leaders.get(epoch) ?? name;
    check(known === name, () => `${known} and ${name} both lead epoch ${epoch}`);
    leaders.set(epoch, name);
  }
}
