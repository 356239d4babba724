/**
 * Attacks members in this process with generated inputs, and says how many it tried:
 * `npm run fuzz -- [--seconds 120] [--seed N] [--round N]`. The same seed gives the same inputs; `--round` plays one round of it.
 */
import { parseArgs } from 'node:util';
import { fuzz } from './campaign.js';
import { summaryOf } from './summary.js';

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '120' },
    seed: { type: 'string', default: String(Math.floor(Math.random() * 1e6)) },
    round: { type: 'string' },
  },
});
const seed = Number(values.seed);
console.log(`seed ${seed}`);
try {
  const round = values.round === undefined ? undefined : Number(values.round);
  console.log(summaryOf(await fuzz({ seed, seconds: Number(values.seconds), round })));
} catch (error) {
  console.log(error instanceof Error ? error.message : error);
  process.exit(1);
}
