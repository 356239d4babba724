/**
 * The links to the other members: dialling, the handshake that proves both ends, frames, heartbeats before bulk.
 *
 * Entry point: `PeerLinks`. `start` takes the handler of what happens on the links; `send` queues a message, and `flush` sends what
 * gathered in a turn.
 *
 * Promises: no message of a connection is passed on before both ends have proved that they know the secret; one link per pair, the
 * newest of one data directory wins (`TwinWatch`); no link to data of another ensemble; a link with too much queued, or silent for too long, is given up. Owns: the links. Calls: `core/transport`, the codec of
 * `core/zab`; nothing above. Called by: member.
 */
export { MAX_FRAME_BYTES } from './frame.js';
export type { SettingDifference } from './member-settings.js';
export { CERTIFIED_KEY, peerKey, type CertificateCheck } from './peer-handshake.js';
export { PeerLinks, type PeerLinksHandler } from './peer-links.js';
