import type { Suite } from '../../suite.js';
import { suite as kazoo } from '../kazoo/suite.js';

/** kazoo as a client that also takes a server without a quorum, on servers that may give it a session of their own. */
export const suite: Suite = {
  ...kazoo,
  name: 'kazoo-read-only',
  scenarios: ['read-only'],
  onThreeOnly: ['read-only'],
  servers: { localSessions: true },
  differences: [],
};
