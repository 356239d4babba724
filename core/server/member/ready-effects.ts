import type { DigestPoint, StateMachine } from '../../data/index.js';
import type { Logger } from '../../runtime/index.js';
import type { Storage } from '../../storage/index.js';
import type { LogRead, Peer, PersistRequest, PeerStatus, Ready } from '../../zab/index.js';
import type { ClientPipeline, ClientService } from '../clients/index.js';
import type { MemberProbe } from '../metrics/index.js';
import type { PeerLinks } from '../peers/index.js';
import { MemberMessageError } from '../pipeline/index.js';
import type {
  Recounter,
  ReplicatedState,
  SnapshotReceiver,
  SnapshotSender,
  Snapshotter,
} from '../state/index.js';
import type { CommittedEntries } from './committed-entries.js';
import { FoundingLog } from './founding-log.js';

export interface ReadyEffectsParts {
  readonly logger: Logger;
  readonly storage: Storage;
  readonly peer: Peer;
  readonly state: ReplicatedState;
  readonly pipeline: ClientPipeline;
  readonly clients: ClientService;
  readonly snapshotter: Snapshotter;
  readonly recounter: Recounter;
  readonly committed: CommittedEntries;
  readonly snapshotsOut: SnapshotSender;
  readonly snapshotsIn: SnapshotReceiver;
  /** Links to the other members; null for a member that stands alone. */
  readonly links: PeerLinks | null;
  /** Something comes back to the peer in a later turn; does nothing once the member has stopped. */
  readonly input: (act: () => void) => void;
  /** Something broke that this member must not survive. */
  readonly failed: (error: unknown) => void;
  readonly statusChanged: (status: PeerStatus) => void;
  /** A quorum has the digest `expected`, and this member has another one at the same zxid. */
  readonly stateDiffers: (own: DigestPoint, expected: DigestPoint) => void;
  readonly probe?: MemberProbe | undefined;
}

const ACCEPT_LOSS =
  'Start the missing members. If one is lost for good: stop the members whose logs are incomplete, accept the loss with ' +
  '`quorate doctor --repair --alone` on their data directories, and start them again.';

/** Carries out what the peer asks for: messages, the disk, the state, and the service of clients that goes with a role. */
export class ReadyEffects {
  readonly #parts: ReadyEffectsParts;
  /** As it was logged last. */
  #role = '';
  /** As it was logged last. */
  #obstacle: string | null = null;
  /** As it was logged last. */
  #gap: string | null = null;
  /** The role in which clients are served, null while they are not. */
  #serving: string | null = null;

  readonly #founding: FoundingLog;

  constructor(parts: ReadyEffectsParts) {
    this.#parts = parts;
    this.#founding = new FoundingLog(parts.logger);
  }

  carryOut(ready: Ready): void {
    const { committed, clients, pipeline, links, snapshotsOut, snapshotsIn, probe } = this.#parts;
    for (const { to, link, message } of ready.messages) {
      probe?.sent?.(to, message);
      links?.send(to, link, message);
    }
    for (const step of ready.install) snapshotsIn.carryOut(step);
    if (ready.persist !== null) this.#persist(ready.persist);
    // The leader has told which zxid a request got before that could be committed, and so it has to be heard.
    for (const { from, bytes } of ready.received) this.#receive(from, bytes);
    this.settle();
    if (ready.committed.length > 0) committed.apply(ready.committed);
    for (const { from, bytes } of ready.pings) pipeline.pinged(from, bytes);
    for (const { token, zxid } of ready.readIndexes) pipeline.readIndexAnswered(token, zxid);
    this.settle();
    for (const read of ready.reads) this.#readLog(read);
    for (const step of ready.snapshots) snapshotsOut.carryOut(step);
    for (const { peer, link, reason } of ready.disconnects) {
      snapshotsIn.disconnected(link);
      links?.close(peer, link, reason);
    }
    if (ready.status !== null) this.#statusChanged(ready.status);
    clients.unstall();
  }

  /** Passes on the outcomes of the pipeline that belong to no entry. */
  settle(): void {
    const { pipeline, clients, stateDiffers } = this.#parts;
    for (let outcome = pipeline.nextOutcome(); outcome !== undefined; outcome = pipeline.nextOutcome()) {
      if (outcome.type === 'stateDiffers') stateDiffers(outcome.own, outcome.expected);
      else clients.settled(outcome);
    }
  }

  #persist(batch: PersistRequest): void {
    const { storage, peer, failed, snapshotsIn } = this.#parts;
    const stored =
      batch.installSnapshot === undefined
        ? storage.persist(batch)
        : snapshotsIn.complete().then((machine) => this.#replaceState(machine));
    stored.then(
      () => this.#parts.input(() => peer.persisted(batch.number)),
      (error: unknown) => failed(error),
    );
  }

  /** A snapshot of the leader takes the place of the whole state. */
  #replaceState(machine: StateMachine): void {
    const { state, pipeline, recounter, snapshotter, probe } = this.#parts;
    state.replace(machine);
    pipeline.stateReplaced();
    recounter.cancel();
    snapshotter.replaced();
    probe?.installed?.(machine);
  }

  /** What another member asks, or answers. */
  #receive(from: number, bytes: Uint8Array): void {
    const { pipeline, links, logger } = this.#parts;
    try {
      pipeline.received(from, bytes);
    } catch (error) {
      if (!(error instanceof MemberMessageError)) throw error;
      logger.error('Peer link closed: malformed message', { peer: from, error });
      links?.drop(from);
    }
  }

  #readLog({ request, after, maxBytes }: LogRead): void {
    const { storage, peer, logger } = this.#parts;
    storage.readEntries(after, maxBytes).then(
      (entries) => this.#parts.input(() => peer.entriesRead(request, entries)),
      (error: unknown) => {
        logger.warn('The log cannot be read for a learner', { error });
        this.#parts.input(() => peer.sourceFailed(request));
      },
    );
  }

  #statusChanged(status: PeerStatus): void {
    const { logger, statusChanged } = this.#parts;
    const { state, phase, epoch, leader, lastChange } = status;
    const role = `${state} ${phase} ${epoch} ${leader}`;
    if (role !== this.#role)
      logger.info('Role changed', { state, phase, epoch, leader, because: lastChange });
    this.#role = role;
    if (status.obstacle !== null && status.obstacle !== this.#obstacle) {
      logger.warn('No leader can be elected without entries that may have been acknowledged', {
        because: status.obstacle,
        remedy: ACCEPT_LOSS,
      });
    }
    this.#obstacle = status.obstacle;
    if (status.gap !== null && status.gap !== this.#gap)
      logger.warn('Leader elected without entries that may have been acknowledged', { because: status.gap });
    this.#gap = status.gap;
    this.#founding.report(status);
    const serving = status.isServing ? `${state} ${leader} in ${epoch}` : null;
    if (serving !== this.#serving) {
      const isHandOver = this.#serving !== null && status.endedByHandOver;
      if (this.#serving !== null || this.#parts.pipeline.isReadOnly) this.#stopServing(isHandOver);
      this.#serving = serving;
      if (serving !== null) this.#parts.pipeline.begin(status);
    }
    statusChanged(status);
  }

  /** Whatever is under way for a client has an unknown outcome from here on, unless the leader has told in order that it ends. */
  #stopServing(isHandOver: boolean): void {
    const { pipeline, clients } = this.#parts;
    clients.neverProposed(pipeline.end(isHandOver));
    if (isHandOver) clients.dismissAll('the leadership is handed over');
    else clients.cutAll();
  }
}
