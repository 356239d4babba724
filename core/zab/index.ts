/** Zab as a pure state machine: election, discovery, synchronization, broadcast. */
export type { Entry, PeerConfig, PeerStatus, Ready, RestoredHistory } from './peer.js';
export type { PeerMessage } from './peer-message.js';
