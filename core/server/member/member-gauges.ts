import type { Peer } from '../../zab/index.js';
import type { ClientService } from '../clients/client-service.js';
import type { MemberGauges } from '../metrics/member-probe.js';
import type { PeerLinks } from '../peers/peer-links.js';
import type { RequestService } from '../pipeline/request-service.js';
import type { SyncService } from '../clients/sync-service.js';
import type { SessionService } from '../clients/session-service.js';
import type { WatchService } from '../clients/watch-service.js';

/** What the numbers are read from. */
export interface GaugedParts {
  readonly peer: Peer;
  readonly clients: ClientService;
  readonly requests: RequestService;
  readonly sessions: SessionService;
  readonly watches: WatchService;
  readonly syncs: SyncService;
  readonly links: PeerLinks | null;
}

/** What a member holds in memory now. Costs as much as there are connections. */
export function gaugesOf(parts: GaugedParts): MemberGauges {
  const { peer, clients, requests, sessions, watches, syncs, links } = parts;
  const { path } = requests;
  return {
    status: peer.status(),
    connections: clients.establishedCount,
    requests: path?.length ?? 0,
    held: {
      watches: watches.table.watchCount,
      attachedSessions: sessions.connections.size,
      receivedBytes: clients.heldBytes,
      bytesInFlight: path?.bytes ?? 0,
      openQuestions: path?.openQuestions ?? 0,
      pendingSyncs: syncs.length,
      peerLinks: links?.connected.length ?? 0,
      unprovenLinks: links?.unproven ?? 0,
    },
  };
}
