import type { Peer } from '../../zab/index.js';
import type { ClientPipeline, ClientService } from '../clients/index.js';
import type { MemberGauges } from '../metrics/index.js';
import type { PeerLinks } from '../peers/index.js';
import type { ReplicatedState, SnapshotReceiver } from '../state/index.js';

/** What the numbers are read from. */
export interface GaugedParts {
  readonly peer: Peer;
  readonly clients: ClientService;
  readonly pipeline: ClientPipeline;
  readonly links: PeerLinks | null;
  readonly state: ReplicatedState;
  readonly snapshotsIn: SnapshotReceiver;
}

/** What a member holds in memory now. Costs as much as there are connections. */
export function gaugesOf(parts: GaugedParts): MemberGauges {
  const { peer, clients, pipeline, links, state, snapshotsIn } = parts;
  return {
    status: peer.status(),
    connections: clients.establishedCount,
    requests: pipeline.length,
    held: {
      watches: clients.watches.table.watchCount,
      attachedSessions: clients.sessions.size,
      receivedBytes: clients.heldBytes,
      bytesInFlight: pipeline.bytes,
      openQuestions: pipeline.openQuestions,
      pendingSyncs: clients.syncs.length,
      peerLinks: links?.connected.length ?? 0,
      unprovenLinks: links?.unproven ?? 0,
      frozenViews: state.machine.state.views.count,
      snapshotArrivals: snapshotsIn.arrivals,
    },
  };
}
