import {
  makeZxid,
  Peer,
  type Entry,
  type EpochTable,
  type InstallStep,
  type LogRead,
  type PeerConfig,
  type PeerMessage,
  type PersistRequest,
  type ReadIndexAnswer,
  type Ready,
  type RestoredHistory,
  type SnapshotStep,
} from '../../../core/zab/index.js';

export type MessageOf<T extends PeerMessage['type']> = Extract<PeerMessage, { type: T }>;

export const EMPTY_DISK: RestoredHistory = { acceptedEpoch: 0, snapshotZxid: 0n, epochs: [], entries: [] };
export const TICK_MS = 100;
const STEP_MS = 25;

/** An entry whose payload is its own zxid in words, so that what stands where can be seen. */
export function entry(epoch: number, counter: number): Entry {
  const zxid = makeZxid(epoch, counter);
  return { zxid, payload: counter === 0 ? new Uint8Array(0) : text(`${epoch}.${counter}`) };
}

export function text(words: string): Uint8Array {
  return new TextEncoder().encode(words);
}

/** The entries (epoch, 0) to (epoch, last). */
export function epochOfEntries(epoch: number, last: number): Entry[] {
  return Array.from({ length: last + 1 }, (_, counter) => entry(epoch, counter));
}

/** A disk that holds these entries and has promised their last epoch. */
export function diskWith(entries: readonly Entry[], acceptedEpoch?: number): RestoredHistory {
  const last = entries.at(-1)?.zxid ?? 0n;
  return { ...EMPTY_DISK, entries, acceptedEpoch: acceptedEpoch ?? Number(last >> 32n) };
}

export function tableOf(entries: readonly Entry[]): EpochTable {
  const table = new Map<number, bigint>();
  for (const { zxid } of entries) table.set(Number(zxid >> 32n), zxid);
  return [...table].map(([epoch, lastZxid]) => ({ epoch, lastZxid }));
}

/**
 * One peer, and a script for everybody else: what the others say is put in by hand, what the peer does about it is
 * gathered. Unless it is held, the disk confirms every batch at once.
 */
export class Conversation {
  readonly peer: Peer;
  readonly id: number;
  nowMs = 0;
  isDiskHeld = false;
  readonly persisted: PersistRequest[] = [];
  readonly applied: Entry[] = [];
  readonly readies: Ready[] = [];
  #sent: { to: number; message: PeerMessage }[] = [];
  readonly #links = new Map<number, number>();
  #lastLink = 0;

  constructor(config: Partial<PeerConfig> & { id: number }, restored = EMPTY_DISK) {
    this.id = config.id;
    this.peer = new Peer({ voters: [1, 2, 3], tickMs: TICK_MS, seed: 1, ...config }, restored);
    this.peer.tick(0);
    this.run();
  }

  /** Time passes in small steps. */
  pass(ms: number): void {
    const untilMs = this.nowMs + ms;
    while (this.nowMs < untilMs) {
      this.nowMs = Math.min(this.nowMs + STEP_MS, untilMs);
      this.peer.tick(this.nowMs);
      this.run();
    }
  }

  /** Time passes, but whoever leads or follows this peer answers its pings or sends some. */
  passInCompany(ms: number, others: readonly number[], epoch: number): void {
    for (let passed = 0; passed < ms; passed += STEP_MS) {
      this.pass(STEP_MS);
      for (const other of others) {
        for (const { nonce } of this.takeSent(other, 'ping')) {
          this.hear(other, { type: 'pong', epoch, nonce, payload: text('') });
        }
      }
    }
  }

  connect(...others: number[]): void {
    for (const other of others) {
      this.#links.set(other, (this.#lastLink += 1));
      this.peer.connected(other, this.#lastLink);
      this.run();
    }
  }

  linkTo(other: number): number {
    return this.#links.get(other)!;
  }

  disconnect(other: number): void {
    this.peer.disconnected(other, this.linkTo(other));
    this.run();
  }

  hear(from: number, ...messages: PeerMessage[]): void {
    for (const message of messages) {
      this.peer.step(from, this.linkTo(from), message);
      this.run();
    }
  }

  /** Carries out what there is to do; `act` comes first. */
  run(act: () => void = () => {}): void {
    act();
    for (let ready = this.peer.ready(); ready !== null; ready = this.peer.ready()) {
      this.readies.push(ready);
      this.#sent.push(...ready.messages);
      this.applied.push(...ready.committed);
      if (ready.persist === null) continue;
      this.persisted.push(ready.persist);
      if (!this.isDiskHeld) this.peer.persisted(ready.persist.number);
    }
  }

  /** The held disk confirms everything, or all up to a batch. */
  sync(number = this.persisted.at(-1)!.number): void {
    this.run(() => this.peer.persisted(number));
  }

  /** Takes what was sent to that member since the last time, of one type. */
  takeSent<T extends PeerMessage['type']>(to: number, type: T): MessageOf<T>[] {
    const isTaken = (sent: { to: number; message: PeerMessage }): boolean =>
      sent.to === to && sent.message.type === type;
    const taken = this.#sent.filter(isTaken).map(({ message }) => message as MessageOf<T>);
    this.#sent = this.#sent.filter((sent) => !isTaken(sent));
    return taken;
  }

  /** The types of all that was sent to that member and not taken, pings and notifications apart. */
  sentTypes(to: number): string[] {
    return this.#sent
      .filter(
        (sent) => sent.to === to && sent.message.type !== 'ping' && sent.message.type !== 'notification',
      )
      .map(({ message }) => message.type);
  }

  forgetSent(): void {
    this.#sent = [];
  }

  get appliedZxids(): bigint[] {
    return this.applied.map(({ zxid }) => zxid);
  }

  get disconnects(): { peer: number; reason: string }[] {
    return this.readies.flatMap(({ disconnects }) => disconnects);
  }

  get reads(): LogRead[] {
    return this.readies.flatMap(({ reads }) => reads);
  }

  get snapshots(): SnapshotStep[] {
    return this.readies.flatMap(({ snapshots }) => snapshots);
  }

  get installs(): InstallStep[] {
    return this.readies.flatMap(({ install }) => install);
  }

  get readIndexes(): ReadIndexAnswer[] {
    return this.readies.flatMap(({ readIndexes }) => readIndexes);
  }

  /** That member votes for itself, and can lead, or for another, with nothing in its own history; `zxid` is of the candidate. */
  hearVote(from: number, leader: number, zxid: bigint, round = 1): void {
    const isOwn = leader === from;
    const vote = { leader, epoch: Number(zxid >> 32n), zxid };
    this.hear(from, notification({ round, vote, claim: isOwn ? zxid : 0n, canLead: isOwn }));
  }

  /** The votes that make this peer lead. */
  elect(...others: number[]): void {
    const voters = others.length > 0 ? others : [1, 2];
    this.connect(...voters);
    const [vote] = this.takeSent(voters[0]!, 'notification').slice(-1);
    for (const other of voters) this.hear(other, { ...vote!, canLead: false });
  }

  /** Phase 1 with that learner, who has this history. Returns the epoch. */
  promise(
    from: number,
    history: readonly Entry[] = [],
    acceptedEpoch = Number((history.at(-1)?.zxid ?? 0n) >> 32n),
  ): number {
    this.hear(from, { type: 'learnerInfo', attempt: 1, acceptedEpoch, standing: 'full' });
    const epoch = this.takeSent(from, 'newEpoch').at(-1)!.epoch;
    this.hear(from, ackEpoch(epoch, history));
    return epoch;
  }

  /** Everything up to an established epoch, with member 1 as the only follower; returns the epoch. */
  establish(history: readonly Entry[] = []): number {
    this.elect();
    const epoch = this.promise(1, history);
    this.hear(1, { type: 'ack', epoch, zxid: makeZxid(epoch, 0) });
    return epoch;
  }

  /** The votes that make this peer follow member 3, and that one's epoch; up to the peer's own ACKEPOCH. */
  follow(epoch: number): void {
    this.connect(2, 3);
    this.hear(3, saysItLeads(3, { round: 1, epoch: epoch - 1 }));
    const { attempt } = this.takeSent(3, 'learnerInfo').at(-1)!;
    this.hear(3, { type: 'newEpoch', attempt, epoch });
  }
}

/** Of a looking voter in the first round, unless `fields` say otherwise. */
export function notification(fields: Partial<MessageOf<'notification'>>): MessageOf<'notification'> {
  const { vote = { leader: 0, epoch: 0, zxid: 0n }, ...rest } = fields;
  return {
    type: 'notification',
    standing: 'full',
    state: 'looking',
    round: 1,
    vote,
    claim: vote.zxid,
    canLead: false,
    isBehind: false,
    ...rest,
  };
}

/** What a leader with links to a quorum says. */
export function saysItLeads(
  leader: number,
  { round, epoch, zxid = 0n }: { round: number; epoch: number; zxid?: bigint },
): MessageOf<'notification'> {
  return notification({ state: 'leading', round, vote: { leader, epoch, zxid }, canLead: true });
}

/** What a follower of `leader` says. */
export function saysItFollows(
  leader: number,
  options: { round: number; epoch: number },
): MessageOf<'notification'> {
  const { round, epoch } = options;
  return notification({ state: 'following', round, vote: { leader, epoch, zxid: 0n } });
}

export function ackEpoch(epoch: number, history: readonly Entry[], isPromise = true): PeerMessage {
  return {
    type: 'ackEpoch',
    epoch,
    isPromise,
    needsSnapshot: false,
    lastZxid: history.at(-1)?.zxid ?? 0n,
    epochs: tableOf(history),
  };
}
