/**
 * Plays random sequences to Apache ZooKeeper and to Quorate, and compares every answer:
 * `npm run conformance:differential -- [--seed N] [--count N] [--length N] [--members 1|3]`.
 */
import { parseArgs } from 'node:util';
import { ApacheServers, QuorateServers, type ServerCount } from '../servers/index.js';
import { judgeSeed } from './differential.js';
import { forgetEnsemble } from './housekeeping.js';

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    count: { type: 'string', default: '1' },
    length: { type: 'string', default: '300' },
    members: { type: 'string', default: '1' },
  },
});
const count = values.members === '3' ? 3 : (1 satisfies ServerCount);
const options = { containerCheckMs: 3_600_000 };
const [theirs, ours] = await Promise.all([
  ApacheServers.start(1, options),
  QuorateServers.start(count, options),
]);
let failed = 0;
try {
  for (const servers of [theirs, ours]) await forgetEnsemble(servers);
  const first = Number(values.seed);
  for (let seed = first; seed < first + Number(values.count); seed++) {
    const faults = await judgeSeed(seed, Number(values.length), theirs, ours);
    if (faults.length > 0) failed++;
    console.log([`seed ${seed}: ${faults.length === 0 ? 'same' : 'differs'}`, ...faults].join('\n'));
  }
} finally {
  await Promise.all([theirs[Symbol.asyncDispose](), ours[Symbol.asyncDispose]()]);
}
if (failed > 0) process.exitCode = 1;
console.log(`${Number(values.count) - failed} passed, ${failed} failed, 0 skipped`);
