import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { Suite } from '../../suite.js';
import { suite as kazoo } from '../kazoo/suite.js';

/** kazoo with SASL DIGEST-MD5, on servers that have users for it. */
export const suite: Suite = {
  ...kazoo,
  name: 'kazoo-sasl',
  scenarios: ['sasl'],
  onThreeOnly: [],
  servers: { saslUsers: { bob: 'bobsecret', eve: 'evesecret' } },
  async installed() {
    return promisify(execFile)('/usr/bin/python3', ['-c', 'import kazoo, puresasl']).then(
      () => true,
      () => false,
    );
  },
  differences: [],
};
