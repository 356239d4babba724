import type { DigestPoint, RecountResult } from '../../data/index.js';
import type { Clock, Logger, Random } from '../../runtime/index.js';
import type { SnapshotReadBackError, Storage } from '../../storage/index.js';
import { Peer, type PeerConfig, type PeerLimits, type PeerStatus } from '../../zab/index.js';
import { type ClientPipeline, ClientService } from '../clients/index.js';
import {
  type Accounts,
  describeEnsemble,
  type EnsembleParts,
  publishedConfiguration,
  type SecretRing,
  type ServerOptions,
  sharedSettings,
} from '../configuration/index.js';
import type { MemberProbe } from '../metrics/index.js';
import { CERTIFIED_KEY, peerKey, PeerLinks } from '../peers/index.js';
import { Pipeline, TurnScheduler } from '../pipeline/index.js';
import {
  Recounter,
  type Recovered,
  ReplicatedState,
  SnapshotReceiver,
  SnapshotSender,
  Snapshotter,
} from '../state/index.js';
import { CommittedEntries } from './committed-entries.js';
import { DirectoryWatch } from './directory-watch.js';
import { Inspection } from './inspection.js';
import { markerPayloadOf } from './marker-payload.js';
import { gaugesOf } from './member-gauges.js';
import { MemberLoop } from './member-loop.js';

export interface AssemblyParts {
  readonly options: ServerOptions;
  readonly storage: Storage;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly secret: SecretRing;
  readonly accounts?: Accounts | undefined;
  readonly recovered: Recovered;
  readonly ensemble?: EnsembleParts;
  readonly limits?: Partial<PeerLimits> | undefined;
  readonly probe?: MemberProbe | undefined;
  readonly failed: (error: unknown) => void;
  readonly statusChanged: (status: PeerStatus) => void;
  /** A quorum has the digest `expected`, and this member has another one at the same zxid. */
  readonly stateDiffers: (own: DigestPoint, expected: DigestPoint) => void;
  /** The state in memory is not what the applied transactions add up to. */
  readonly stateDamaged: (result: RecountResult) => void;
  /** A snapshot that was written does not read back; `isRepeated`: nor did the one before. */
  readonly snapshotNotReadBack: (error: SnapshotReadBackError, isRepeated: boolean) => void;
}

/** The parts of a member that it is run and asked through. */
export interface AssembledMember {
  readonly state: ReplicatedState;
  readonly peer: Peer;
  readonly pipeline: ClientPipeline;
  readonly clients: ClientService;
  readonly snapshotter: Snapshotter;
  readonly recounter: Recounter;
  readonly snapshotsIn: SnapshotReceiver;
  readonly snapshotsOut: SnapshotSender;
  /** Null for a member that stands alone. */
  readonly links: PeerLinks | null;
  readonly loop: MemberLoop;
  readonly inspection: Inspection;
  /** Ids of the members that vote. */
  readonly voters: readonly number[];
}

/**
 * Puts a member together, layer by layer from below, from what it has recovered; no part may hold on to that: the state goes on from
 * there. Nothing runs yet.
 */
export function assemble({ recovered, ...parts }: AssemblyParts): AssembledMember {
  const { options, storage, clock, ensemble } = parts;
  const configuration = ensemble === undefined ? null : publishedConfiguration(ensemble.members);
  const config = peerConfig(parts);
  const turns = new TurnScheduler(clock);
  const state = new ReplicatedState(recovered.machine, configuration, recovered.identity);
  const links = peerLinks({ ...parts, state, directoryId: recovered.directoryId });
  const markerPayload = markerPayloadOf({ ...config, random: parts.random, state, links });
  const peer = new Peer({ ...config, markerPayload }, recovered.history);
  const hasOthers = ensemble !== undefined;
  const pipeline: ClientPipeline = new Pipeline({
    ...parts,
    peer,
    state,
    hasOthers,
    voters: config.voters,
    turns,
  });
  const clients = new ClientService({ ...parts, state, pipeline, turns });
  const recounter = new Recounter({ ...parts, state, damaged: parts.stateDamaged });
  const snapshotter = new Snapshotter({
    ...parts,
    ...options,
    taken: (zxid) => {
      peer.snapshotTaken(zxid);
      recounter.snapshotVerified();
    },
    notReadBack: parts.snapshotNotReadBack,
  });
  const snapshotsIn = new SnapshotReceiver(storage, clock);
  const snapshotsOut = new SnapshotSender(peer, state);
  const shared = { ...parts, state, peer, pipeline, clients, snapshotter, recounter };
  const loop = new MemberLoop({
    ...shared,
    turns,
    committed: new CommittedEntries(shared),
    snapshotsIn,
    snapshotsOut,
    directory: new DirectoryWatch(parts),
    links,
    gauges: () => gaugesOf({ peer, clients, pipeline, links, state, snapshotsIn }),
  });
  const inspection = new Inspection({ clock, state, clients, pipeline, options: parts.options });
  return {
    state,
    peer,
    pipeline,
    clients,
    snapshotter,
    recounter,
    snapshotsIn,
    snapshotsOut,
    links,
    loop,
    inspection,
    voters: config.voters,
  };
}

interface LinkParts extends Omit<AssemblyParts, 'recovered'> {
  readonly state: ReplicatedState;
  readonly directoryId: string;
}

function peerLinks(parts: LinkParts): PeerLinks | null {
  const { ensemble, state, directoryId, clock, random, logger, secret } = parts;
  if (ensemble === undefined) return null;
  const { id, tickMs, syncLimit, maxTxnBytes, maxBytesInFlight } = parts.options;
  const others = ensemble.members.filter((member) => member.id !== id);
  const { proofs = ['secret'] } = ensemble;
  return new PeerLinks({
    identity: {
      id,
      ensemble: describeEnsemble(ensemble.members),
      // Read at each handshake: secrets can be replaced while the member runs.
      get keys() {
        return proofs.flatMap((proof) => (proof === 'secret' ? secret.own.map(peerKey) : [CERTIFIED_KEY]));
      },
      exchange: proofs.includes('certificate')
        ? { known: () => secret.known(id), learn: (member, learned) => secret.learn(member, learned) }
        : undefined,
      others: others.map((member) => member.id),
      get ensembleId() {
        return state.identity?.id ?? '';
      },
      directoryId,
      settings: sharedSettings(parts.options, ensemble.members),
    },
    addresses: new Map(others.map((member) => [member.id, member.address])),
    dialer: ensemble.dialer,
    clock,
    random,
    logger,
    silenceMs: syncLimit * tickMs,
    tickMs,
    maxQueuedBytes: 2 * maxBytesInFlight + 2 * maxTxnBytes,
  });
}

function peerConfig({ options, random, ensemble, limits }: Omit<AssemblyParts, 'recovered'>): PeerConfig {
  const { id, tickMs, initLimit, syncLimit, maxProposalsInFlight, maxBytesInFlight, maxTxnBytes } = options;
  const members = ensemble?.members ?? [{ id, address: '' }];
  return {
    id,
    voters: members.filter(({ isObserver }) => isObserver !== true).map((member) => member.id),
    observers: members.filter(({ isObserver }) => isObserver === true).map((member) => member.id),
    tickMs,
    initLimit,
    syncLimit,
    seed: Math.floor(random.next() * 0x100000000),
    // Above what the pipeline ever has under way by its own bounds, so that the peer never has to refuse.
    limits: {
      uncommittedEntries: 3 * maxProposalsInFlight + 1_000,
      uncommittedBytes: 8 * maxBytesInFlight + 4 * maxTxnBytes,
      ...limits,
    },
  };
}
