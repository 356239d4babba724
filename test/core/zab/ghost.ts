import {
  epochOf,
  formatZxid,
  isEpochMarker,
  makeZxid,
  type Entry,
  type PeerMessage,
  type PeerStatus,
} from '../../../core/zab/index.js';
import {
  NOTHING_APPLIED,
  type AppliedState,
  type DiskWatcher,
  type SimulatedDisk,
} from './simulated-disk.js';

/** A member as the checker sees it, running or not. */
export interface Observed {
  readonly id: number;
  readonly isVoter: boolean;
  readonly disk: SimulatedDisk;
  readonly applied: AppliedState;
}

export class SimulationFailure extends Error {}

/**
 * Knows everything that ever happened, and checks Zab's promises against it: one leader per epoch, total order,
 * agreement, integrity, primary order and integrity (Zab paper, section 2), log matching, and durability before
 * promise. The ghost list is the longest sequence that anybody has delivered.
 */
export class Ghost {
  readonly #members: readonly Observed[];
  readonly #quorumSize: number;
  readonly #list: Entry[] = [];
  /** The state after each entry of the list. */
  readonly #states: AppliedState[] = [NOTHING_APPLIED];
  readonly #positions = new Map<bigint, number>();
  readonly #proposals = new Map<bigint, Uint8Array>();
  readonly #predecessors = new Map<bigint, { previous: bigint; payload: Uint8Array }>();
  readonly #leaders = new Map<number, number>();
  readonly #established = new Map<number, number>();
  readonly #acceptedEpochs = new Map<number, number>();
  readonly #commits = new Map<number, bigint>();
  epochsEstablished = 0;
  /** False while votes are forged on their way: then a member may well repeat a wrong one. */
  areVotesGenuine = true;
  /** What disks held that are lost now, by member. */
  readonly #lost = new Map<number, (zxid: bigint) => boolean>();

  constructor(members: readonly Observed[]) {
    this.#members = members;
    this.#quorumSize = Math.floor(members.filter(({ isVoter }) => isVoter).length / 2) + 1;
  }

  get end(): bigint {
    return this.#list.at(-1)?.zxid ?? 0n;
  }

  get length(): number {
    return this.#list.length;
  }

  /** Invariant 3 needs it: what was proposed, and by whom. */
  proposed(member: number, zxid: bigint, payload: Uint8Array): void {
    check(!this.#proposals.has(zxid), `member ${member} proposes ${formatZxid(zxid)} a second time`);
    const leader = this.#established.get(epochOf(zxid));
    check(leader === member, `member ${member} proposes in the epoch of ${leader}`);
    this.#proposals.set(zxid, payload);
  }

  /** Invariants 2, 3 and 5: one sequence, of what was proposed, durable on a quorum before anybody sees it. */
  delivered(member: Observed, entry: Entry): AppliedState {
    const index = member.applied.count;
    const known = this.#list[index];
    if (known !== undefined) {
      check(
        known.zxid === entry.zxid,
        `member ${member.id} delivers ${formatZxid(entry.zxid)} in place of ${formatZxid(known.zxid)}`,
      );
      check(
        isSameBytes(known.payload, entry.payload),
        `member ${member.id} delivers other bytes at ${formatZxid(entry.zxid)}`,
      );
      return this.#states[index + 1]!;
    }
    check(index === this.#list.length, `member ${member.id} skips entries before ${formatZxid(entry.zxid)}`);
    check(
      entry.zxid > this.end,
      `member ${member.id} delivers ${formatZxid(entry.zxid)} behind ${formatZxid(this.end)}`,
    );
    const proposal = isEpochMarker(entry.zxid) ? new Uint8Array(0) : this.#proposals.get(entry.zxid);
    check(proposal !== undefined, `nobody proposed ${formatZxid(entry.zxid)}`);
    check(
      isSameBytes(proposal, entry.payload),
      `${formatZxid(entry.zxid)} has other bytes than were proposed`,
    );
    this.#checkOnQuorum(entry.zxid, 'delivered');
    this.#positions.set(entry.zxid, index);
    this.#list.push(entry);
    const state = advance(this.#states[index]!, entry);
    this.#states.push(state);
    return state;
  }

  /** A snapshot is the state of a prefix of the list. */
  checkSnapshot(member: number, state: AppliedState): void {
    const known = this.#states[state.count];
    check(
      known?.hash === state.hash && known.zxid === state.zxid,
      `member ${member} installs a state that never was`,
    );
  }

  /** Invariant 4 for one disk: contiguous, and the same predecessor and bytes for a zxid everywhere. Invariant 9: nothing delivered is cut. */
  watchDisk(member: number): DiskWatcher {
    return {
      appended: ({ zxid, payload }, previous) => {
        const known = this.#predecessors.get(zxid);
        if (known === undefined) this.#predecessors.set(zxid, { previous, payload });
        else {
          check(
            known.previous === previous,
            `member ${member} has ${formatZxid(zxid)} behind ${formatZxid(previous)}, others behind ${formatZxid(known.previous)}`,
          );
          check(
            isSameBytes(known.payload, payload),
            `member ${member} has other bytes at ${formatZxid(zxid)}`,
          );
        }
        check(zxid > previous, `member ${member} appends ${formatZxid(zxid)} behind ${formatZxid(previous)}`);
      },
      truncated: (removed) => {
        for (const { zxid } of removed) {
          check(!this.#positions.has(zxid), `member ${member} cuts ${formatZxid(zxid)}, which was delivered`);
        }
      },
    };
  }

  /** From here on another history and other promises are checked; what it had cannot be asked for. */
  losesDisk({ id, disk }: Observed): void {
    this.#acceptedEpochs.delete(id);
    this.#commits.delete(id);
    const before = this.#lost.get(id);
    const image = { snapshot: disk.snapshot, log: [...disk.log] };
    this.#lost.set(id, (zxid) => holds(image, zxid) || before?.(zxid) === true);
  }

  /** Invariants 1, 5, 6, 7 and 9, after every step of a running member. */
  checkStatus(member: Observed, status: PeerStatus, proposedBefore: bigint): void {
    const { id, disk, applied } = member;
    if (status.state === 'leading' && status.phase !== 'discovery')
      this.#checkLeader(this.#leaders, status.epoch, id);
    if (status.state === 'leading' && status.phase === 'broadcast' && !this.#established.has(status.epoch)) {
      this.#checkLeader(this.#established, status.epoch, id);
      this.epochsEstablished += 1;
      check(
        status.lastProposed >= this.end || epochOf(this.end) > status.epoch,
        `leader ${id} of epoch ${status.epoch} lacks what was delivered`,
      );
    }
    check(
      !status.isServing || status.delivered >= makeZxid(status.epoch, 0),
      `member ${id} serves before it is up to date`,
    );
    if (status.isEstablishedLeader && status.lastProposed > proposedBefore) {
      const earlier = this.#list.filter(({ zxid }) => epochOf(zxid) < status.epoch).length;
      check(applied.count >= earlier, `leader ${id} proposes before it has applied the earlier epochs`);
    }
    this.#checkEpochs(id, disk);
    const { snapshot } = disk;
    check(
      snapshot.state.zxid <= status.delivered,
      `member ${id} has a snapshot ahead of what it has applied`,
    );
    check(
      applied.zxid === status.delivered,
      `member ${id} applied ${formatZxid(applied.zxid)}, says ${formatZxid(status.delivered)}`,
    );
    check(status.delivered <= status.committed, `member ${id} applied what is not committed`);
    check(status.delivered <= disk.last, `member ${id} applied what is not durable`);
    if (status.committed > (this.#commits.get(id) ?? 0n)) {
      this.#commits.set(id, status.committed);
      if (status.committed > this.end) this.#checkOnQuorum(status.committed, 'committed');
    }
  }

  /** Invariants 7 and 8: what a message promises is on the sender's disk when it leaves. */
  checkMessage({ id, disk, isVoter }: Observed, message: PeerMessage): void {
    const { type } = message;
    if (type === 'newEpoch')
      check(disk.acceptedEpoch >= message.epoch, `leader ${id} announces an epoch before it is durable`);
    if (type === 'ackEpoch') {
      check(
        disk.acceptedEpoch === message.epoch,
        `member ${id} promises epoch ${message.epoch}, its disk says ${disk.acceptedEpoch}`,
      );
      check(
        disk.last === message.lastZxid,
        `member ${id} reports ${formatZxid(message.lastZxid)}, its disk ends at ${formatZxid(disk.last)}`,
      );
    }
    if (type === 'ack') {
      check(
        disk.last >= message.zxid,
        `member ${id} acknowledges ${formatZxid(message.zxid)}, its disk ends at ${formatZxid(disk.last)}`,
      );
      check(
        !isVoter || message.epoch >= disk.acceptedEpoch,
        `member ${id} acknowledges to a leader it has forsworn`,
      );
    }
    if (type === 'pong')
      check(!isVoter || message.epoch >= disk.acceptedEpoch, `member ${id} echoes a leader it has forsworn`);
    if (
      this.areVotesGenuine &&
      !this.#lost.has(id) && // Others may still speak of what it had.
      type === 'notification' &&
      message.state === 'looking' &&
      message.vote.leader === id
    ) {
      check(
        message.vote.zxid === disk.last,
        `member ${id} votes with a zxid that is not its last durable one`,
      );
    }
  }

  /** A read index covers all that anybody had delivered when it was asked for. */
  checkReadIndex(member: number, zxid: bigint, endWhenAsked: bigint): void {
    check(
      zxid >= endWhenAsked,
      `member ${member} answers a read index with ${formatZxid(zxid)}, when ${formatZxid(endWhenAsked)} had been delivered`,
    );
  }

  /** The state after all that was delivered. */
  get finalState(): AppliedState {
    return this.#states.at(-1)!;
  }

  #checkLeader(leaders: Map<number, number>, epoch: number, id: number): void {
    const known = leaders.get(epoch) ?? id;
    check(known === id, `members ${known} and ${id} both lead epoch ${epoch}`);
    leaders.set(epoch, id);
  }

  #checkEpochs(id: number, disk: SimulatedDisk): void {
    const before = this.#acceptedEpochs.get(id) ?? 0;
    check(disk.acceptedEpoch >= before, `member ${id} took back a promise`);
    check(
      epochOf(disk.last) <= disk.acceptedEpoch,
      `member ${id} has entries of an epoch that it never promised`,
    );
    this.#acceptedEpochs.set(id, disk.acceptedEpoch);
  }

  #checkOnQuorum(zxid: bigint, what: string): void {
    const holders = this.#members.filter(
      ({ id, isVoter, disk }) => isVoter && (holds(disk, zxid) || this.#lost.get(id)?.(zxid) === true),
    );
    check(
      holders.length >= this.#quorumSize,
      `${formatZxid(zxid)} is ${what}, but durable only on ${holders.map(({ id }) => id).join(', ')}`,
    );
  }
}

function holds(disk: Pick<SimulatedDisk, 'snapshot' | 'log'>, zxid: bigint): boolean {
  return disk.snapshot.state.zxid >= zxid || disk.log.findLast((entry) => entry.zxid <= zxid)?.zxid === zxid;
}

export function advance({ count, hash }: AppliedState, { zxid, payload }: Entry): AppliedState {
  let mixed = Math.imul(hash ^ Number(zxid & 0xffffffffn), 0x01000193) ^ epochOf(zxid);
  for (const byte of payload) mixed = Math.imul(mixed ^ byte, 0x01000193);
  return { zxid, count: count + 1, hash: mixed };
}

function check(holds: boolean, what: string): asserts holds {
  if (!holds) throw new SimulationFailure(what);
}

function isSameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}
