import type { StateMachine } from '../data/index.js';
import type { Clock, Logger, Random } from '../runtime/index.js';
import type { Storage } from '../storage/index.js';
import { Peer, type PeerConfig } from '../zab/index.js';
import { Authentication } from './authentication.js';
import { ClientService } from './client-service.js';
import { CommittedEntries } from './committed-entries.js';
import { EpochHistory } from './epoch-history.js';
import { Handshake } from './handshake.js';
import { LocalRequests } from './local-requests.js';
import { MemberLoop } from './member-loop.js';
import { Reaper } from './reaper.js';
import type { Recovered } from './recover.js';
import { RequestRouter } from './request-router.js';
import type { ServerOptions } from './server-options.js';
import { SessionService } from './session-service.js';
import { Snapshotter } from './snapshotter.js';
import { WatchService } from './watch-service.js';
import { MAX_BYTES_IN_FLIGHT, WritePipeline } from './write-pipeline.js';

export interface AssemblyParts {
  readonly options: ServerOptions;
  readonly storage: Storage;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly secret: Uint8Array;
  readonly recovered: Recovered;
  readonly failed: (error: unknown) => void;
  readonly servingChanged: (isServing: boolean) => void;
}

/** The parts of a member that it is run and asked through. */
export interface MemberRooms {
  readonly machine: StateMachine;
  readonly peer: Peer;
  readonly pipeline: WritePipeline;
  readonly clients: ClientService;
  readonly snapshotter: Snapshotter;
  readonly loop: MemberLoop;
}

/** Puts a member together from what it has recovered; nothing runs yet. */
export function assemble(parts: AssemblyParts): MemberRooms {
  const { options, clock, random, logger, secret, failed } = parts;
  const { machine, epochs: recoveredEpochs, history } = parts.recovered;
  const peer = new Peer(peerConfig(options, random), history);
  const wake = (): void => loop.wake();
  const sessions = new SessionService({ memberId: options.id, tickMs: options.tickMs, secret });
  const watches = new WatchService();
  const epochs = new EpochHistory(recoveredEpochs);
  const pipeline = new WritePipeline({ peer, clock, logger, options, wake: () => loop.wakePeer() });
  const taken = (zxid: bigint): void => peer.snapshotTaken(zxid);
  const snapshotter = new Snapshotter({ ...parts, ...options, taken });
  const clients = new ClientService({
    options,
    clock,
    logger,
    machine,
    sessions,
    pipeline,
    watches,
    handshake: new Handshake({ options, clock, sessions, pipeline, machine }),
    local: new LocalRequests(machine, watches),
    router: new RequestRouter({
      authentication: new Authentication(options.superDigest),
      sessions,
      pipeline,
      sync: (connection, slot, path) => loop.sync(connection, slot, path),
      machine,
    }),
    wake,
  });
  const committed = new CommittedEntries({
    machine,
    epochs,
    pipeline,
    watches,
    clients,
    snapshotter,
    logger,
  });
  const reaper = new Reaper(options, pipeline);
  const loop: MemberLoop = new MemberLoop({
    ...parts,
    peer,
    machine,
    epochs,
    sessions,
    pipeline,
    clients,
    committed,
    snapshotter,
    reaper,
    failed,
  });
  return { machine, peer, pipeline, clients, snapshotter, loop };
}

function peerConfig(options: ServerOptions, random: Random): PeerConfig {
  const { id, tickMs, maxProposalsInFlight } = options;
  return {
    id,
    voters: [id],
    tickMs,
    seed: Math.floor(random.next() * 0x100000000),
    // Above what the pipeline ever has under way by its own bounds, so that the peer never has to refuse.
    limits: {
      uncommittedEntries: 3 * maxProposalsInFlight + 1_000,
      uncommittedBytes: 8 * MAX_BYTES_IN_FLIGHT,
    },
  };
}
