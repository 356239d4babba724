/** Zab as a pure state machine: election, discovery, synchronization, broadcast. */
export { Peer } from './peer.js';
export type {
  Entry,
  MarkerPayload,
  PeerConfig,
  PeerLimits,
  Rejoining,
  RestoredHistory,
} from './peer-config.js';
export { isSameFounding } from './peer-status.js';
export type { FoundingStatus, LearnerStatus, PeerPhase, PeerRole, PeerStatus } from './peer-status.js';
export type {
  ApplicationMessage,
  InstallStep,
  LinkToClose,
  LogRead,
  OutgoingMessage,
  PersistRequest,
  ReadIndexAnswer,
  Ready,
  SnapshotStep,
} from './ready.js';
export type { PeerMessage } from './peer-message.js';
export { decodePeerMessage, encodePeerMessage } from './message-codec.js';
export {
  commonVersion,
  PEER_PROTOCOL,
  spokenVersions,
  versionsText,
  type ProtocolVersions,
} from './protocol-version.js';
export { PeerMessageError } from './byte-reader.js';
export type { EpochEnd, EpochTable } from './epoch-table.js';
export { InvalidPeerConfig, InvariantViolation, ProposalRefused } from './zab-error.js';
export { counterOf, epochOf, formatZxid, isEpochMarker, makeZxid, NO_ZXID } from './zxid.js';
