import type { DigestPoint, RecountResult, StateMachine } from '../../data/index.js';
import { ErrorCode } from '../../protocol/index.js';
import type { Clock, Logger, Random } from '../../runtime/index.js';
import type { SnapshotReadBackError, Storage } from '../../storage/index.js';
import { Peer, type PeerConfig, type PeerLimits, type PeerStatus } from '../../zab/index.js';
import { Authentication } from '../clients/authentication.js';
import { ClientService } from '../clients/client-service.js';
import { CommittedEntries } from './committed-entries.js';
import { describeEnsemble, type EnsembleParts } from '../configuration/ensemble.js';
import type { SecretRing } from '../configuration/secret-ring.js';
import { Handshake } from '../clients/handshake.js';
import { Inspection } from './inspection.js';
import { LocalRequests } from '../clients/local-requests.js';
import { gaugesOf } from './member-gauges.js';
import { MemberLoop } from './member-loop.js';
import type { MemberProbe } from '../metrics/member-probe.js';
import { CERTIFIED_KEY, peerKey } from '../peers/peer-handshake.js';
import { PeerLinks } from '../peers/peer-links.js';
import { publishedConfiguration } from '../configuration/published-configuration.js';
import { DirectoryWatch } from './directory-watch.js';
import { Recounter } from '../state/digests/recounter.js';
import { Reaper } from '../pipeline/reaper.js';
import type { Recovered } from '../state/recover.js';
import { RequestRouter } from '../clients/request-router.js';
import { RequestService } from '../pipeline/request-service.js';
import { SyncService } from '../clients/sync-service.js';
import type { WritePath } from '../pipeline/write-path.js';
import type { ServerOptions } from '../configuration/server-options.js';
import { SessionService } from '../clients/session-service.js';
import { SnapshotReceiver } from '../state/snapshot-receiver.js';
import { SnapshotSender } from '../state/snapshot-sender.js';
import { Snapshotter } from '../state/snapshotter.js';
import { WatchService } from '../clients/watch-service.js';

export interface AssemblyParts {
  readonly options: ServerOptions;
  readonly storage: Storage;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly secret: SecretRing;
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
export interface MemberRooms {
  /** Another one after a snapshot of the leader. */
  readonly machine: () => StateMachine;
  readonly peer: Peer;
  readonly requests: RequestService;
  readonly clients: ClientService;
  readonly snapshotter: Snapshotter;
  readonly recounter: Recounter;
  readonly snapshotsIn: SnapshotReceiver;
  readonly snapshotsOut: SnapshotSender;
  /** Null for a member that stands alone. */
  readonly links: PeerLinks | null;
  readonly loop: MemberLoop;
  readonly inspection: Inspection;
}

/** Puts a member together from what it has recovered, which no part may hold on to: the state goes on from there. Nothing runs yet. */
export function assemble({ recovered, ...parts }: AssemblyParts): MemberRooms {
  const { options, storage, secret } = parts;
  const configuration = parts.ensemble === undefined ? null : publishedConfiguration(parts.ensemble.members);
  let current = recovered.machine;
  current.publish(configuration);
  const machine = (): StateMachine => current;
  const config = peerConfig(parts);
  const peer = new Peer(config, recovered.history);
  const wake = (): void => loop.wake();
  const wakePeer = (): void => loop.wakePeer();
  const sessions = new SessionService({ memberId: options.id, secret });
  const watches = new WatchService(options.watchPathsPerTurn);
  const syncs = new SyncService();
  const hasOthers = parts.ensemble !== undefined;
  const requests = new RequestService({
    ...parts,
    peer,
    machine,
    sessions,
    hasOthers,
    voters: config.voters,
    wake: wakePeer,
    sessionMade: (connection, id, timeoutMs) => handshake.created(connection, id, timeoutMs, ErrorCode.ok),
  });
  const path = (): WritePath | null => requests.path;
  const recounter = new Recounter({ ...parts, machine, damaged: parts.stateDamaged });
  const taken = (zxid: bigint): void => {
    peer.snapshotTaken(zxid);
    recounter.snapshotVerified();
  };
  const snapshotter = new Snapshotter({
    ...parts,
    ...options,
    taken,
    notReadBack: parts.snapshotNotReadBack,
  });
  const snapshotsIn = new SnapshotReceiver(storage, parts.clock);
  const snapshotsOut = new SnapshotSender(peer, machine);
  const handshake = new Handshake({ options, clock: parts.clock, sessions, path, machine });
  const clients = new ClientService({
    ...parts,
    machine,
    sessions,
    path,
    watches,
    handshake,
    local: new LocalRequests(machine, watches),
    router: new RequestRouter({
      authentication: new Authentication(options.superDigest),
      path,
      syncs,
      machine,
    }),
    wake,
  });
  const digests = hasOthers ? requests.digests : null;
  const committed = new CommittedEntries({ ...parts, machine, path, watches, clients, snapshotter, digests });
  const reaper = new Reaper(options, () => requests.leader);
  const links = peerLinks(parts, () => loop);
  const loop: MemberLoop = new MemberLoop({
    ...parts,
    peer,
    machine,
    replaceMachine: (received) => {
      current = received;
      current.publish(configuration);
      requests.digests.replaced();
      recounter.cancel();
      snapshotter.replaced();
      parts.probe?.installed?.(received);
    },
    requests,
    syncs,
    clients,
    committed,
    snapshotter,
    snapshotsIn,
    snapshotsOut,
    reaper,
    recounter,
    directory: new DirectoryWatch(parts),
    links,
    gauges: () => gaugesOf({ peer, clients, requests, sessions, watches, syncs, links }),
  });
  const inspection = new Inspection({ ...parts, machine, clients, watches, requests, syncs });
  return {
    machine,
    peer,
    requests,
    clients,
    snapshotter,
    recounter,
    snapshotsIn,
    snapshotsOut,
    links,
    loop,
    inspection,
  };
}

function peerLinks(parts: Omit<AssemblyParts, 'recovered'>, loop: () => MemberLoop): PeerLinks | null {
  const { ensemble, clock, random, logger, secret } = parts;
  if (ensemble === undefined) return null;
  const { id, tickMs, syncLimit, maxTxnBytes, maxBytesInFlight } = parts.options;
  const others = ensemble.members.filter((member) => member.id !== id);
  return new PeerLinks({
    identity: {
      id,
      ensemble: describeEnsemble(ensemble.members),
      // Read at each handshake: secrets can be replaced while the member runs.
      get keys() {
        return ensemble.areCertified === true ? [CERTIFIED_KEY] : secret.own.map(peerKey);
      },
      exchange:
        ensemble.areCertified === true
          ? { known: () => secret.known(id), learn: (member, learned) => secret.learn(member, learned) }
          : undefined,
      others: others.map((member) => member.id),
    },
    addresses: new Map(others.map((member) => [member.id, member.address])),
    dialer: ensemble.dialer,
    clock,
    random,
    logger,
    silenceMs: syncLimit * tickMs,
    maxQueuedBytes: 2 * maxBytesInFlight + 2 * maxTxnBytes,
    connected: (peer, link) => loop().connected(peer, link),
    disconnected: (peer, link) => loop().disconnected(peer, link),
    snapshotRefused: (peer) => loop().snapshotRefused(peer),
    received: (peer, link, message) => loop().received(peer, link, message),
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
