/**
 * Plays clients and faults against members as processes, records everything that clients see, and checks it:
 * `npm run histories -- [--seconds N] [--faults all|kill,pause,cut,one-way,restart|none] [--members 3|5] [--seed N]`.
 * The last line says how many contradictions there are; the exit code is 1 if there are any.
 */
import { parseArgs } from 'node:util';
import { describeContradiction } from './describe.js';
import { FAULTS, type Fault } from './faults.js';
import { figuresOf } from './figures.js';
import { judge } from './judge.js';
import { record } from './run.js';

const MOST_SHOWN = 20;

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '60' },
    faults: { type: 'string', default: 'all' },
    members: { type: 'string', default: '3' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
  },
});

const seconds = numberOf('seconds', values.seconds, 1);
const members = numberOf('members', values.members, 1);
const seed = numberOf('seed', values.seed, 0);
const kinds = faultsOf(values.faults);

console.log(`${members} members, ${seconds} s, seed ${seed}, faults: ${kinds.join(', ') || 'none'}`);
const { history, faults } = await record({ seed, seconds, members, faults: kinds });
const figures = figuresOf(history);
const contradictions = judge(history);

const struck = [...faults].map(([kind, count]) => `${count} × ${kind}`).join(', ');
console.log(
  `${figures.operations} operations on ${figures.connections} connections of ${figures.sessions} sessions, ` +
    `${figures.replies} replies, ${figures.events} events; ${figures.transactions} transactions in ` +
    `${figures.epochs} epochs; ${figures.unknown} writes of unknown outcome`,
);
console.log(`faults: ${struck || 'none'}`);
for (const contradiction of contradictions.slice(0, MOST_SHOWN))
  console.log(describeContradiction(history, contradiction));
if (contradictions.length > 0) process.exitCode = 1;
console.log(`${contradictions.length} contradictions`);

function numberOf(option: string, text: string, least: number): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < least)
    throw new Error(`--${option} ${text} is not a whole number from ${least} on`);
  return value;
}

function faultsOf(text: string): readonly Fault[] {
  if (text === 'all') return FAULTS;
  if (text === 'none') return [];
  return text.split(',').map((word) => {
    const fault = FAULTS.find((kind) => kind === word);
    if (fault === undefined)
      throw new Error(`There is no fault ${word}: give all, none, or of ${FAULTS.join(', ')}`);
    return fault;
  });
}
